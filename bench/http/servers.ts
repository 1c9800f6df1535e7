import 'reflect-metadata';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CacheInterceptor as PeerInterceptor, CacheModule as PeerCacheModule } from '@nestjs/cache-manager';
import { Controller, Get, Module, UseInterceptors, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
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

/** The six that are compared. All answer one URL with the same body; `etag` is what a 304 is asked with, where there is one. */
export const contenders = ['node', 'fields', 'nest', 'peer', 'normal', 'fast'] as const;
export type Contender = (typeof contenders)[number];

export async function startServer(contender: Contender): Promise<{ url: string }> {
  const port =
    contender === 'node' || contender === 'fields'
      ? await listenBare(contender === 'node' ? [] : cacheFields)
      : await listenNest(contender);
  return { url: `http://127.0.0.1:${port}${path}` };
}

const content = ['Content-Type', 'application/json; charset=utf-8', 'Content-Length', String(body.length)];
const etag = '"0123456789abcdefghijklmnopq"';
/** What an answer from a cache says besides (RFC 9111 §5, RFC 9211). */
const cacheFields = [
  ...['Cache-Control', 'public, max-age=3600, stale-while-revalidate=300, stale-if-error=300'],
  ...['Cache-Status', 'sutazai; hit; ttl=3599; detail=l1', 'Age', '10', 'Vary', 'Accept-Encoding'],
];

/** The floor: the bytes, with the fields without which there is no answer, and with those of a cache as well. */
function listenBare(more: readonly string[]): Promise<number> {
  const [fields200, fields304] = [
    [...content, 'ETag', etag, ...more],
    ['ETag', etag, ...more],
  ];
  const server: Server = createServer((request, response) => {
    if (request.headers['if-none-match'] === etag) response.writeHead(304, fields304).end();
    else response.writeHead(200, fields200).end(body);
  });
  return new Promise(resolve =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  );
}

async function listenNest(contender: Exclude<Contender, 'node' | 'fields'>): Promise<number> {
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
  const app = await NestFactory.create<NestExpressApplication>(modules[contender](), { logger: false });
  // Says nothing that a client needs, and is the first thing that a product turns off.
  app.disable('x-powered-by');
  await app.listen(0, '127.0.0.1');
  return (app.getHttpServer().address() as AddressInfo).port;
}
