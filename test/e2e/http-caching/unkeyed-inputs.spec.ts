import { Controller, Get, Headers, Inject, Injectable, Ip, Query, Req, Scope } from '@nestjs/common';
import { Logger } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import type { Request } from 'express';
import { CacheApiResponse } from '../../../src/cache';
import { principal } from './routes';
import { ServedApplication } from './served-application';

type AnyRequest = Request & { cookies?: Record<string, string>; user?: Record<string, string> };

@Injectable({ scope: Scope.REQUEST })
class AgentOfRequest {
  constructor(@Inject(REQUEST) private readonly request: AnyRequest) {}
  name(): string | undefined {
    return this.request.headers['user-agent'];
  }
}

/** Each of these answers differs by something that is not in its key. */
@Controller('wrong')
class WrongController {
  constructor(private readonly agent: AgentOfRequest) {}

  @Get('query')
  @CacheApiResponse({ query: ['limit'] })
  query(@Query('page') page: string | undefined): object {
    return { page };
  }

  @Get('header')
  @CacheApiResponse()
  header(@Headers('accept-language') language: string | undefined): object {
    return { language };
  }

  @Get('headers')
  @CacheApiResponse()
  headers(@Headers() headers: Record<string, string>): object {
    return { ...headers };
  }

  @Get('cookie')
  @CacheApiResponse()
  cookie(@Req() request: AnyRequest): object {
    return { theme: request.cookies?.['theme'] };
  }

  @Get('user')
  @CacheApiResponse()
  user(@Req() request: AnyRequest): object {
    return { user: request.user?.['id'] };
  }

  @Get('member')
  @CacheApiResponse({ principal: 'tenant' })
  member(@Req() request: AnyRequest): object {
    return { user: request.user?.['id'] };
  }

  @Get('host')
  @CacheApiResponse()
  host(@Req() request: AnyRequest): object {
    return { self: `https://${request.get('host')}/wrong/host` };
  }

  @Get('protocol')
  @CacheApiResponse()
  protocol(@Req() request: AnyRequest): object {
    return { self: request.protocol };
  }

  @Get('ip')
  @CacheApiResponse()
  ip(@Ip() ip: string): object {
    return { ip };
  }

  @Get('url')
  @CacheApiResponse()
  url(@Req() request: AnyRequest): object {
    return { url: request.originalUrl };
  }

  @Get('service')
  @CacheApiResponse()
  service(): object {
    return { agent: this.agent.name() };
  }

  @Get('swallowed')
  @CacheApiResponse()
  swallowed(@Req() request: AnyRequest): object {
    try {
      return { agent: request.headers['user-agent'] };
    } catch {
      return { agent: 'unknown' };
    }
  }
}

const rows = [
  ['query', 'query page'],
  ['header', 'header accept-language'],
  ['headers', 'all of header'],
  ['cookie', 'cookie'],
  ['user', 'user'],
  ['member', 'user id'],
  ['host', 'header host'],
  ['protocol', 'protocol'],
  ['ip', 'ip'],
  ['url', 'originalUrl'],
  ['service', 'header user-agent'],
  ['swallowed', 'header user-agent'],
] as const;

describe('H35: a cached handler that reads what is not in its key', () => {
  let app: ServedApplication;
  const start = async (detectUnkeyedInputs: boolean): Promise<void> => {
    const prepare: Parameters<typeof ServedApplication.start>[0]['prepare'] = nest =>
      nest.use('/api/v1/wrong/member', (request: AnyRequest, _response: unknown, next: () => void) => {
        request.user = { id: 'bob', tenant: 'acme' };
        next();
      });
    const options = { controllers: [WrongController], providers: [AgentOfRequest], fastPath: true, prepare };
    app = await ServedApplication.start({ ...options, cache: { principal, detectUnkeyedInputs } });
  };
  afterEach(() => app.stop());

  it('fails in development and in tests, and the log names the route and the input', async () => {
    await start(true);
    const logged: unknown[] = [];
    jest.spyOn(Logger.prototype, 'error').mockImplementation((what: unknown) => void logged.push(what));
    for (const [path, input] of rows) {
      const answer = await app.get(`/wrong/${path}`);
      expect([path, answer.status, answer.field('cache-control')]).toEqual([path, 500, 'no-store']);
      // Not to the client: it is no business of his.
      expect(answer.text).not.toContain('is not in its key');
      const { err } = logged.pop() as { err: Error & { code: string } };
      expect([path, err.code, err.message]).toEqual([
        path,
        'CACHE_UNKEYED_INPUT',
        `WrongController.${path} is cached and reads ${input}, which is not in its key: declare it (query, headers, principal), or do not read it`,
      ]);
    }
  });

  it('is not watched in production', async () => {
    await start(false);
    for (const [path] of rows) expect((await app.get(`/wrong/${path}`)).status).toBe(200);
  });
});
