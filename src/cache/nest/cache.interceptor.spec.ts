import {
  Catch,
  ClassSerializerInterceptor,
  Controller,
  Get,
  Header,
  HttpCode,
  Module,
  HttpException,
  NotFoundException,
  Param,
  Post,
  Query,
  Req,
  Res,
  Sse,
  StreamableFile,
  UseGuards,
  VersioningType,
  type ArgumentsHost,
  type CanActivate,
  type INestApplication,
  type Type,
  type VersioningOptions,
} from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, BaseExceptionFilter } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { Exclude } from 'class-transformer';
import type { Request, Response } from 'express';
import { of } from 'rxjs';
import request from 'supertest';
import { TieredCache } from '../core';
import type { CacheModuleOptions } from './cache.module-definition';
import { CacheModule } from './cache.module';
import { Cached, CacheApiResponse } from './decorators/cached.decorator';
import type { CacheDecoratorOptions } from './decorators/decorator-options';
import { NeverCached } from './decorators/never-cached.decorator';

/** Counts calls by name, and holds handlers until they are let go. */
const calls = new Map<string, number>();
function called(name: string): number {
  const count = (calls.get(name) ?? 0) + 1;
  calls.set(name, count);
  return count;
}

let held: Promise<void> | undefined;

class Agent {
  constructor(readonly id: string) {}
  @Exclude() readonly token = 'secret';
}

const falsy: Record<string, unknown> = {
  null: null,
  undefined: undefined,
  zero: 0,
  empty: '',
  false: false,
  text: 'text',
};

@Controller('agents')
class AgentsController {
  @Get()
  @CacheApiResponse({ key: 'agents:list', query: ['limit', 'status'], tags: ['agents'] })
  list(@Query() query: object): object {
    return { call: called('list'), query };
  }

  @Get('plain')
  @CacheApiResponse()
  plain(): object {
    return { plain: called('plain') };
  }

  @Get('other')
  @CacheApiResponse()
  other(): object {
    return { other: called('other') };
  }

  @Get('excluded')
  @CacheApiResponse()
  excluded(): Agent {
    called('excluded');
    return new Agent('a1');
  }

  @Get('falsy/:name')
  @CacheApiResponse()
  falsy(@Param('name') name: string): unknown {
    called(`falsy ${name}`);
    return falsy[name];
  }

  @Get('falsy-plain/:name')
  falsyPlain(@Param('name') name: string): unknown {
    return falsy[name];
  }

  @Get('slow')
  @CacheApiResponse()
  async slow(): Promise<object> {
    const call = called('slow');
    await held;
    return { call };
  }

  @Get('private')
  @CacheApiResponse()
  async private(@Res({ passthrough: true }) response: Response): Promise<object> {
    const call = called('private');
    await held;
    response.cookie('session', String(call));
    return { call };
  }

  @Get('failing')
  @CacheApiResponse()
  async failing(): Promise<object> {
    called('failing');
    await held;
    throw new NotFoundException('gone');
  }

  @Get('created')
  @HttpCode(201)
  @CacheApiResponse()
  created(): object {
    return { call: called('created') };
  }

  @Get('no-store')
  @Header('Cache-Control', 'no-store')
  @CacheApiResponse()
  noStore(): object {
    return { call: called('no-store') };
  }

  @Get('short')
  @Header('Cache-Control', 'max-age=7')
  @CacheApiResponse()
  short(): object {
    return { call: called('short') };
  }

  @Get('versioned')
  @CacheApiResponse()
  versioned(@Res({ passthrough: true }) response: Response): object {
    response
      .setHeader('ETag', '"v7"')
      .setHeader('X-Own', '1')
      .setHeader('Last-Modified', 'Sun, 06 Nov 1994 08:49:37 GMT');
    return { call: called('versioned') };
  }

  @Get('language')
  @CacheApiResponse({ headers: ['Accept-Language'] })
  language(@Req() req: Request): object {
    return { call: called('language'), language: req.headers['accept-language'] ?? null };
  }

  @Get('file')
  @CacheApiResponse()
  file(): StreamableFile {
    called('file');
    return new StreamableFile(Buffer.from('file'));
  }

  @Get('library')
  @CacheApiResponse()
  library(@Res() response: Response): void {
    response.json({ call: called('library') });
  }

  @Sse('events')
  @CacheApiResponse()
  events(): unknown {
    return of({ data: { call: called('events') } });
  }

  @Get('stale')
  @Cached({ policy: 'api', ttlMs: 1, staleMs: 60_000, jitter: 0 })
  stale(@Res({ passthrough: true }) response: Response): object {
    const call = called('stale');
    response.setHeader('ETag', `"${call}"`);
    return { call };
  }

  @Get(['one-path', 'two-paths'])
  @CacheApiResponse({ key: 'agents:paths' })
  paths(@Req() req: Request): object {
    return { path: (req.route as { path: string }).path, call: called('paths') };
  }

  @Get(':id')
  @CacheApiResponse({ key: 'agents:one', tags: ({ params }) => [`agent:${params.id}`] })
  one(@Param('id') id: string): object {
    return { id, call: called(`one ${id}`) };
  }
}

class ClosedGuard implements CanActivate {
  static open = true;
  canActivate(): boolean {
    return ClosedGuard.open;
  }
}

@Controller('guarded')
@UseGuards(ClosedGuard)
class GuardedController {
  @Get()
  @CacheApiResponse()
  get(): object {
    return { call: called('guarded') };
  }
}

/** What reached the exception filter and is not an answer: such as headers that were set after they had been sent. */
const unexpected: unknown[] = [];

@Catch()
class RecordingFilter extends BaseExceptionFilter {
  override catch(error: unknown, host: ArgumentsHost): void {
    if (!(error instanceof HttpException)) unexpected.push(error);
    super.catch(error, host);
  }
}

let app: INestApplication;
let cache: TieredCache;

async function start(
  controllers: Type[],
  options: CacheModuleOptions = {},
  versioning?: VersioningOptions,
): Promise<INestApplication> {
  // The serialiser is provided by the root module, which Nest puts before the imported one: the cache has to overtake it.
  @Module({
    imports: [CacheModule.forRoot({ warming: { enabled: false }, ...options })],
    controllers,
    providers: [
      { provide: APP_INTERCEPTOR, useClass: ClassSerializerInterceptor },
      { provide: APP_FILTER, useClass: RecordingFilter },
    ],
  })
  class TestModule {}
  const module = await Test.createTestingModule({ imports: [TestModule] }).compile();
  const created = module.createNestApplication<INestApplication>({ logger: false });
  if (versioning) created.enableVersioning(versioning);
  await created.init();
  return created;
}

const get = (path: string): request.Test => request(app.getHttpServer() as never).get(path);

function hold(): () => void {
  let release!: () => void;
  held = new Promise(resolve => (release = resolve));
  return () => {
    held = undefined;
    release();
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setImmediate(resolve));
}

beforeEach(async () => {
  calls.clear();
  held = undefined;
  ClosedGuard.open = true;
  app = await start([AgentsController, GuardedController]);
  cache = app.get(TieredCache);
});

afterEach(async () => {
  await app.close();
  expect(unexpected.splice(0)).toEqual([]);
});

describe('a cached route', () => {
  it('answers a second identical GET with the same bytes and without the controller', async () => {
    const first = await get('/agents?limit=5');
    const second = await get('/agents?limit=5');
    expect(second.text).toBe(first.text);
    expect(second.status).toBe(200);
    expect(second.headers['content-type']).toBe(first.headers['content-type']);
    expect(second.headers.etag).toBe(first.headers.etag);
    expect(calls.get('list')).toBe(1);
    expect(first.headers['cache-status']).toBe('sutazai; fwd=uri-miss; stored');
    expect(second.headers['cache-status']).toMatch(/^sutazai; hit; ttl=2\d\d; detail=l1$/);
    expect(first.headers.age).toBeUndefined();
    expect(second.headers.age).toBe('0');
    expect(second.headers['cache-control']).toBe(
      'public, max-age=300, stale-while-revalidate=300, stale-if-error=300',
    );
  });

  it('never shares an entry with another route that has no arguments either', async () => {
    expect((await get('/agents/plain')).body).toEqual({ plain: 1 });
    expect((await get('/agents/other')).body).toEqual({ other: 1 });
    expect((await get('/agents/plain')).body).toEqual({ plain: 1 });
  });

  it('has path parameters and all declared query values in its key', async () => {
    for (const path of [
      '/agents/a',
      '/agents/b',
      '/agents?limit=1',
      '/agents?limit=2',
      '/agents?status=1',
      '/agents?limit=1&limit=2',
    ]) {
      await get(path);
      await get(path);
    }
    expect([calls.get('one a'), calls.get('one b'), calls.get('list')]).toEqual([1, 1, 4]);
    await get('/agents?status=x&limit=1');
    await get('/agents?limit=1&status=x');
    expect(calls.get('list')).toBe(5);
  });

  it('goes past the cache for a query parameter that is not declared', async () => {
    const first = await get('/agents?utm_source=x');
    await get('/agents?utm_source=x');
    expect(calls.get('list')).toBe(2);
    expect(first.headers['cache-status']).toBe('sutazai; fwd=bypass; detail=query');
    expect(first.headers['cache-control']).toBe('no-store');
    expect(cache.stats().policies.api!.outcomes.bypass).toBe(2);
  });

  it.each([
    ['Authorization', 'Bearer x', 'authorization'],
    ['X-API-Key', 'x', 'authorization'],
    ['Cookie', 'session=1', 'cookie'],
  ])('neither serves nor stores for a request with %s', async (name, value, detail) => {
    await get('/agents/a');
    const response = await get('/agents/a').set(name, value);
    expect(response.body).toEqual({ id: 'a', call: 2 });
    expect(response.headers['cache-status']).toBe(`sutazai; fwd=bypass; detail=${detail}`);
    expect(response.headers['cache-control']).toBe('private, no-store');
    await get('/agents/b').set(name, value);
    expect((await get('/agents/b')).body).toEqual({ id: 'b', call: 2 });
  });

  it('goes past the cache for a GET with a body', async () => {
    await get('/agents/a').send({ id: 'b' });
    expect((await get('/agents/a').send({ id: 'b' })).headers['cache-status']).toBe(
      'sutazai; fwd=bypass; detail=body',
    );
    expect(calls.get('one a')).toBe(2);
  });

  it('stores what the serialiser has left, even when that is provided by the root module', async () => {
    const first = await get('/agents/excluded');
    const second = await get('/agents/excluded');
    expect(first.body).toEqual({ id: 'a1' });
    expect(second.text).toBe(first.text);
    expect(calls.get('excluded')).toBe(1);
  });

  it.each(Object.keys(falsy))('replays a body of %s as Nest sends it', async name => {
    const plain = await get(`/agents/falsy-plain/${name}`);
    const miss = await get(`/agents/falsy/${name}`);
    const hit = await get(`/agents/falsy/${name}`);
    for (const response of [miss, hit]) {
      expect(response.status).toBe(plain.status);
      expect(response.text).toBe(plain.text);
      expect(response.headers['content-type']).toBe(plain.headers['content-type']);
    }
    expect(hit.headers['cache-status']).toContain('hit');
    expect(calls.get(`falsy ${name}`)).toBe(1);
  });

  it('runs its handler once for concurrent cold requests', async () => {
    const release = hold();
    const asked = jest.spyOn(cache, 'lookup');
    const answers = Promise.all(Array.from({ length: 10 }, () => get('/agents/slow')));
    await until(() => asked.mock.calls.length === 10 && calls.get('slow') === 1);
    release();
    const all = await answers;
    expect(calls.get('slow')).toBe(1);
    expect(new Set(all.map(answer => answer.text))).toEqual(new Set(['{"call":1}']));
    expect(
      all.filter(answer => answer.headers['cache-status'] === 'sutazai; fwd=uri-miss; collapsed'),
    ).toHaveLength(9);
  });

  it('never hands an answer for one request alone to those that waited: each runs its own handler', async () => {
    const release = hold();
    const asked = jest.spyOn(cache, 'lookup');
    const answers = Promise.all(Array.from({ length: 5 }, () => get('/agents/private')));
    await until(() => asked.mock.calls.length === 5 && calls.get('private') === 1);
    release();
    const all = await answers;
    expect(new Set(all.map(answer => answer.text)).size).toBe(5);
    for (const answer of all) {
      const { call } = answer.body as { call: number };
      expect(answer.headers['set-cookie']).toEqual([`session=${call}; Path=/`]);
      expect(answer.headers['cache-status']).toBe('sutazai; fwd=uri-miss; detail=set-cookie');
    }
    await get('/agents/private');
    expect(calls.get('private')).toBe(6);
  });

  it('does not store errors, and gives them to everybody who waited', async () => {
    const release = hold();
    const asked = jest.spyOn(cache, 'lookup');
    const answers = Promise.all(Array.from({ length: 3 }, () => get('/agents/failing')));
    await until(() => asked.mock.calls.length === 3 && calls.get('failing') === 1);
    release();
    expect((await answers).map(answer => answer.status)).toEqual([404, 404, 404]);
    expect(calls.get('failing')).toBe(1);
    expect((await get('/agents/failing')).status).toBe(404);
    expect(calls.get('failing')).toBe(2);
  });

  it.each([
    ['created', 'status'],
    ['no-store', 'no-store'],
    ['file', 'stream'],
  ])('does not store the answer of /%s', async (path, detail) => {
    await get(`/agents/${path}`);
    const second = await get(`/agents/${path}`);
    expect(calls.get(path)).toBe(2);
    expect(second.headers['cache-status']).toBe(`sutazai; fwd=uri-miss; detail=${detail}`);
  });

  it.each(['library', 'events'])('lets /%s answer in its own way, uncached', async path => {
    const first = await get(`/agents/${path}`);
    await get(`/agents/${path}`);
    expect(first.status).toBe(200);
    expect(first.text).toContain('"call":1');
    expect(calls.get(path)).toBe(2);
  });

  it('obeys a shorter life that the handler claims', async () => {
    await get('/agents/short');
    const hit = await get('/agents/short');
    expect(hit.headers['cache-control']).toBe(
      'public, max-age=7, stale-while-revalidate=7, stale-if-error=7',
    );
    expect(hit.headers['cache-status']).toMatch(/ttl=[67];/);
  });

  it("keeps a handler's strong ETag and Last-Modified, and drops headers that are not on the list", async () => {
    const miss = await get('/agents/versioned');
    const hit = await get('/agents/versioned');
    expect(miss.headers['x-own']).toBe('1');
    expect(hit.headers).toMatchObject({ etag: '"v7"', 'last-modified': 'Sun, 06 Nov 1994 08:49:37 GMT' });
    expect(hit.headers['x-own']).toBeUndefined();
    expect(
      (await get('/agents/versioned').set('If-Modified-Since', 'Sun, 06 Nov 1994 08:49:37 GMT')).status,
    ).toBe(304);
  });

  it('answers 304 to a matching If-None-Match, on a hit and on a miss', async () => {
    const { etag } = (await get('/agents/a')).headers;
    for (const value of [etag!, `W/${etag}`, `"x", ${etag}`, '*']) {
      const response = await get('/agents/a').set('If-None-Match', value);
      expect([response.status, response.text]).toEqual([304, '']);
      expect(response.headers.etag).toBe(etag);
      expect(response.headers['cache-control']).toContain('max-age=300');
      expect(response.headers['content-type']).toBeUndefined();
    }
    await cache.clear();
    calls.clear();
    expect((await get('/agents/a').set('If-None-Match', etag!)).status).toBe(304);
    expect((await get('/agents/a').set('If-None-Match', '"x"')).status).toBe(200);
  });

  it('answers HEAD from a stored GET, and stores nothing for a HEAD', async () => {
    const head = await request(app.getHttpServer() as never).head('/agents/a');
    expect(head.headers['cache-status']).toBe('sutazai; fwd=uri-miss; detail=head');
    const miss = await get('/agents/a');
    expect(miss.headers['cache-status']).toBe('sutazai; fwd=uri-miss; stored');
    const hit = await request(app.getHttpServer() as never).head('/agents/a');
    expect(hit.headers['cache-status']).toContain('hit');
    expect(hit.headers['content-length']).toBe(miss.headers['content-length']);
    expect(hit.text).toBeUndefined();
    expect(calls.get('one a')).toBe(2);
  });

  it('answers a Range from the stored 200, whole', async () => {
    await get('/agents/a');
    const response = await get('/agents/a').set('Range', 'bytes=0-1');
    expect([response.status, response.body]).toEqual([200, { id: 'a', call: 1 }]);
  });

  it('keeps one entry for each value of a declared header, and says so in Vary', async () => {
    await get('/agents/language').set('Accept-Language', 'de');
    await get('/agents/language').set('Accept-Language', 'en');
    const hit = await get('/agents/language').set('Accept-Language', 'de');
    expect(hit.body).toEqual({ call: 1, language: 'de' });
    expect(hit.headers.vary).toBe('accept-language');
    expect(calls.get('language')).toBe(2);
  });

  it('keeps the paths of a handler with several of them apart', async () => {
    expect((await get('/agents/one-path')).body).toEqual({ path: '/agents/one-path', call: 1 });
    expect((await get('/agents/two-paths')).body).toEqual({ path: '/agents/two-paths', call: 2 });
    expect((await get('/agents/one-path')).body).toEqual({ path: '/agents/one-path', call: 1 });
  });

  it('takes its spelling from the router: case, trailing slash and escapes share an entry', async () => {
    await get('/agents/a1');
    for (const path of ['/AGENTS/a1', '/agents/a1/', '/agents/%61%31'])
      expect((await get(path)).body).toEqual({ id: 'a1', call: 1 });
  });

  it('carries the tags of its policy, its own and those worked out from the request', async () => {
    for (const tag of ['api', 'agent:a', undefined]) {
      await get('/agents/a');
      await get('/agents/b');
      calls.clear();
      if (tag) await cache.invalidateTags([tag]);
      await get('/agents/a');
      await get('/agents/b');
      expect([calls.get('one a'), calls.get('one b')]).toEqual([
        tag ? 1 : undefined,
        tag === 'api' ? 1 : undefined,
      ]);
    }
    await get('/agents?limit=1');
    await cache.invalidateTags(['agents']);
    await get('/agents?limit=1');
    expect(calls.get('list')).toBe(2);
  });

  it.each(['a%20b', 'a,b', 'x'.repeat(200), '%E2%80%AE'])(
    'A11: is answered past the cache when the request (%s) makes no tag, and fails for nobody',
    async id => {
      for (const call of [1, 2]) {
        const response = await get(`/agents/${id}`);
        expect(response.status).toBe(200);
        expect(response.body).toEqual({ id: decodeURIComponent(id), call });
        expect(response.headers['cache-status']).toBe('sutazai; fwd=bypass; detail=tags');
      }
    },
  );

  it('serves a stale answer, marked so, and refreshes behind it with a response of its own', async () => {
    await get('/agents/stale');
    await new Promise(resolve => setTimeout(resolve, 5));
    const refreshed = new Promise(resolve =>
      cache.events.on('load', event => event.refresh && resolve(event.error)),
    );
    const stale = await get('/agents/stale').set('If-None-Match', '"1"');
    expect(stale.status).toBe(304);
    expect(stale.headers['cache-status']).toMatch(/^sutazai; hit; ttl=-\d+; detail=stale$/);
    expect(await refreshed).toBeUndefined();
    expect((await get('/agents/stale')).headers.etag).toBe('"2"');
    expect(cache.stats().totals.refreshes).toBeGreaterThanOrEqual(1);
  });

  it('is guarded on hits too: a guard that begins to refuse is obeyed by the next request', async () => {
    expect((await get('/guarded')).status).toBe(200);
    ClosedGuard.open = false;
    expect((await get('/guarded')).status).toBe(403);
    ClosedGuard.open = true;
    expect((await get('/guarded')).body).toEqual({ call: 1 });
  });

  it('counts each outcome under its policy', async () => {
    await get('/agents/a');
    await get('/agents/a');
    await get('/agents/a').set('Cookie', 'a=b');
    const { outcomes, gets, loads } = cache.stats().policies.api!;
    expect(outcomes).toMatchObject({ miss: 1, l1_hit: 1, bypass: 1 });
    expect([gets, loads]).toEqual([3, 1]);
  });

  it('is answered uncached when something else lies under its key', async () => {
    await cache.set('agents:one|:id=1:a', { not: 'a response' });
    expect((await get('/agents/a')).body).toEqual({ id: 'a', call: 1 });
    expect((await get('/agents/a')).headers['cache-status']).toBe(
      'sutazai; fwd=bypass; detail=foreign-entry',
    );
  });
});

describe('a route that cannot be cached as it is declared stops the start', () => {
  it.each<[string, () => Type, RegExp]>([
    [
      'of two routes with one key',
      () => {
        @Controller('twice')
        class TwiceController {
          @Get('a') @CacheApiResponse({ key: 'twice' }) a(): number {
            return 1;
          }
          @Get('b') @CacheApiResponse({ key: 'twice' }) b(): number {
            return 2;
          }
        }
        return TwiceController;
      },
      /TwiceController\.b and TwiceController\.a would share the key twice/,
    ],
    [
      'with an unknown policy',
      () => {
        @Controller('unknown')
        class UnknownController {
          @Get() @Cached({ policy: 'nobody' }) get(): number {
            return 1;
          }
        }
        return UnknownController;
      },
      /UnknownController\.get: there is no policy nobody; there are model, session/,
    ],
    [
      'that writes',
      () => {
        @Controller('writing')
        class WritingController {
          @Post() @CacheApiResponse() post(): number {
            return 1;
          }
        }
        return WritingController;
      },
      /WritingController\.post: only GET routes can be cached, not POST/,
    ],
    [
      'that must never be cached',
      () => {
        @Controller('admin')
        @NeverCached('admin route')
        class AdminController {
          @Get() @CacheApiResponse() get(): number {
            return 1;
          }
        }
        return AdminController;
      },
      /AdminController\.get: must not be cached: admin route/,
    ],
    [
      'at a path that must never be cached',
      () => {
        @Controller('health')
        class HealthController {
          @Get('live') @CacheApiResponse() live(): number {
            return 1;
          }
        }
        return HealthController;
      },
      /the route \/health\/live must not be cached/,
    ],
  ])('%s', async (_title, controller, message) => {
    await expect(start([controller()])).rejects.toThrow(message);
  });

  it.each<[string, VersioningOptions, CacheDecoratorOptions, string | undefined]>([
    ['a header', { type: VersioningType.HEADER, header: 'X-Version' }, {}, "headers: ['x-version']"],
    [
      'a header that is declared',
      { type: VersioningType.HEADER, header: 'X-Version' },
      { headers: ['x-version'] },
      undefined,
    ],
    [
      'the media type',
      { type: VersioningType.MEDIA_TYPE, key: 'v=' },
      { headers: ['x-version'] },
      "headers: ['accept']",
    ],
    [
      'a function',
      { type: VersioningType.CUSTOM, extractor: () => '2' },
      {},
      'so that header has to be in the key',
    ],
    ['the path', { type: VersioningType.URI }, {}, undefined],
  ])('whose version is told by %s', async (_title, versioning, options, message) => {
    @Controller({ path: 'versioned', version: '2' })
    class VersionedController {
      @Get()
      @CacheApiResponse(options)
      get(): number {
        return 2;
      }
    }
    const begin = start([VersionedController], {}, versioning);
    if (message !== undefined) return expect(begin).rejects.toThrow(message);
    await (await begin).close();
  });

  it.each<[string, () => unknown, RegExp]>([
    [
      'a TTL of 0',
      () => CacheApiResponse({ ttlMs: 0 }),
      /Some\.method: policy api: ttlMs must be a whole number from 1 to/,
    ],
    ['a TTL in words', () => CacheApiResponse({ ttlMs: '60' as never }), /Some\.method: policy api: ttlMs/],
    ['a tag with a space', () => CacheApiResponse({ tags: ['a b'] }), /Some\.method: tag "a b"/],
    ['a key with a bar', () => CacheApiResponse({ key: 'a|b' }), /Some\.method: key must be/],
    [
      'an option that does not exist',
      () => CacheApiResponse({ ttl: 60 } as never),
      /Some\.method: there is no option ttl/,
    ],
    [
      'a status that is never stored',
      () => CacheApiResponse({ statuses: [500] }),
      /Some\.method: statuses may be of 203/,
    ],
  ])('%s is refused when the class is defined', (_title, make, message) => {
    const decorator = make() as MethodDecorator;
    class Some {
      method(): void {}
    }
    const apply = (): unknown =>
      decorator(Some.prototype, 'method', Object.getOwnPropertyDescriptor(Some.prototype, 'method')!);
    expect(apply).toThrow(message);
  });
});
