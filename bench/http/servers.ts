import 'reflect-metadata';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CacheInterceptor as PeerInterceptor, CacheModule as PeerCacheModule } from '@nestjs/cache-manager';
import { Controller, Get, Module, UseInterceptors, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CacheApiResponse, CacheModule } from '../../src/cache';

/** About 2 KB of JSON, as an API answers it. */
const payload = {
  agents: Array.from({ length: 16 }, (_, index) => ({
    id: `agent-${index}`,
    name: `Agent ${index}`,
    status: 'idle',
    capabilities: ['code', 'review'],
    description: 'answers questions',
  })),
};
const body = Buffer.from(JSON.stringify(payload));
const path = '/agents';

@Controller('agents')
class PlainController {
  @Get()
  list(): object {
    return payload;
  }
}

@Controller('agents')
@UseInterceptors(PeerInterceptor)
class PeerController {
  @Get()
  list(): object {
    return payload;
  }
}

@Controller('agents')
class OurController {
  @Get()
  @CacheApiResponse({ key: 'agents:list', ttlMs: 3_600_000, jitter: 0, tags: ['agents'] })
  list(): object {
    return payload;
  }
}

/** The five that are compared. All answer one URL with the same body; `etag` is what a 304 is asked with, where there is one. */
export const contenders = ['node', 'nest', 'peer', 'normal', 'fast'] as const;
export type Contender = (typeof contenders)[number];

export async function startServer(contender: Contender): Promise<{ url: string }> {
  const port = contender === 'node' ? await listenBare() : await listenNest(contender);
  return { url: `http://127.0.0.1:${port}${path}` };
}

/** The floor: the bytes, and the two fields without which there is no answer. */
function listenBare(): Promise<number> {
  const etag = '"0123456789abcdefghijklmnopq"';
  const server: Server = createServer((request, response) => {
    if (request.headers['if-none-match'] === etag) response.writeHead(304, ['ETag', etag]).end();
    else {
      const fields = [
        'Content-Type',
        'application/json; charset=utf-8',
        'Content-Length',
        String(body.length),
      ];
      response.writeHead(200, [...fields, 'ETag', etag]).end(body);
    }
  });
  return new Promise(resolve =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  );
}

async function listenNest(contender: Exclude<Contender, 'node'>): Promise<number> {
  const ours = (enabled: boolean): Type => {
    @Module({
      imports: [CacheModule.forRoot({ warming: { enabled: false }, fastPath: { enabled } })],
      controllers: [OurController],
    })
    class OurModule {}
    return OurModule;
  };
  @Module({ controllers: [PlainController] })
  class PlainModule {}
  @Module({ imports: [PeerCacheModule.register({ ttl: 3_600_000 })], controllers: [PeerController] })
  class PeerModule {}
  const modules = {
    nest: () => PlainModule,
    peer: () => PeerModule,
    normal: () => ours(false),
    fast: () => ours(true),
  };
  const app = await NestFactory.create(modules[contender](), { logger: false });
  await app.listen(0, '127.0.0.1');
  return ((app.getHttpServer() as Server).address() as AddressInfo).port;
}
