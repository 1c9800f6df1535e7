import { Controller, Get, Injectable, UseGuards, VersioningType, type CanActivate } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { NextFunction, Request, Response } from 'express';
import { CacheApiResponse } from '../../../src/cache';
import type { RawAnswer } from './raw-http';
import { allControllers, DoorGuard, handlers, principal } from './routes';
import { ServedApplication } from './served-application';

const start = (
  fastPath: boolean,
  options: Partial<Parameters<typeof ServedApplication.start>[0]> = {},
): Promise<ServedApplication> =>
  ServedApplication.start({
    controllers: allControllers,
    fastPath,
    ...options,
    cache: { principal, ...options.cache },
  });

/** What of an answer may differ between two runs: the request id, the clock, and what is counted from it. */
function comparable(answer: RawAnswer): unknown {
  const body = answer.body.toString('latin1').replace(/"request_id":"[^"]*"/, '');
  const fields = answer.fields.map(([name, value]) => {
    if (/^(x-request-id|date)$/i.test(name)) return [name, '…'];
    return [name, /^(age|cache-status)$/i.test(name) ? value.replace(/-?\d+/, 'N') : value];
  });
  return {
    status: answer.status,
    fields: fields.sort(([a], [b]) => (a! < b! ? -1 : 1)),
    body,
  };
}

/** Requests of every kind that the store can answer. */
const script: (readonly [line: string, ...fields: string[]])[] = [
  ...[
    '',
    'Accept-Encoding: br',
    'Accept-Encoding: gzip',
    'Accept-Encoding: deflate',
    'If-None-Match: *',
  ].flatMap(field =>
    [
      '/cats/1',
      '/cats/kinds',
      '/cats/dated',
      '/cats?limit=5&kind=x',
      '/cats?kind=x&limit=5',
      '/cats/translated',
    ].flatMap(path =>
      (['GET', 'HEAD'] as const).map(
        method => [`${method} /api/v1${path}`, ...(field ? [field] : [])] as const,
      ),
    ),
  ),
  ['GET /api/v1/cats/kinds', 'If-None-Match: W/"x", "y"', 'Accept-Encoding: gzip;q=0.5, br;q=0.4'],
  ['GET /api/v1/cats/dated', 'If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT'],
  ['GET /api/v1/cats/dated', 'If-None-Match: "v7"', 'Connection: close'],
  ['GET /api/v1/cats/translated', 'Accept-Language: de'],
  ['GET /api/v1/cats/reported', 'X-Report: full'],
  ['GET /api/v1/cats/reported'],
  ['GET /api/v1/cats/1', 'Range: bytes=0-1'],
  ['GET /api/v1/cats/1', 'Cache-Control: no-cache'],
  ['GET /api/v1/cats/1', 'Cache-Control: no-store'],
  ['GET /api/v1/cats/1', 'Cache-Control: only-if-cached'],
  ['GET /api/v1/cats/1', 'Origin: https://cats.example'],
  ['GET /api/v1/cats/1', 'Origin: https://dogs.example', 'Accept-Encoding: br'],
  ['GET /api/v1/cats/kinds', 'Origin: https://dogs.example', 'Accept-Encoding: br'],
  ['GET /api/v1/cats/1', 'X-Request-Id: my-own-id'],
  ['GET /api/v1/cats/1', 'Authorization: Bearer alice-token'],
  ['GET /api/v1/cats/1', 'Cookie: a=b'],
  ['GET /api/v1/cats?utm=1'],
  ['GET /api/v1/cats/1/'],
  ['GET http://localhost/api/v1/cats/1'],
  ['GET /api/v1/nothing'],
  ['GET /api/v1/answers/falsy/empty'],
  ['GET /api/v1/answers/falsy/null'],
  ['POST /api/v1/cats/1'],
];

describe('the fast way out', () => {
  beforeEach(() => {
    handlers.reset();
    DoorGuard.isOpen = true;
  });

  it.each([
    ['as the product is', {}],
    [
      'with CORS',
      { prepare: nest => nest.enableCors({ origin: ['https://cats.example', 'https://dogs.example'] }) },
    ],
    ['with the access log on', { env: { LOG_LEVEL: 'debug' }, cache: {} }],
    [
      'in production',
      { env: { NODE_ENV: 'production', ADMIN_API_KEYS: 'k3y-of-thirty-two-characters-or-more' } },
    ],
  ] as [string, Parameters<typeof start>[1]][])(
    'gives the bytes and fields of the normal way, %s',
    async (title, options) => {
      const write = jest.spyOn(process.stdout, 'write').mockImplementation(() => true);
      const transcripts: unknown[][] = [];
      const seen: number[] = [];
      const statistics: unknown[] = [];
      for (const fastPath of [true, false]) {
        handlers.reset();
        const app = await start(fastPath, options);
        const transcript: unknown[] = [];
        const count = await app.countExpress(async () => {
          for (let round = 0; round < 4; round += 1)
            for (const [line, ...fields] of script)
              transcript.push([line, fields, comparable(await app.send(line, fields))]);
        });
        transcripts.push(transcript);
        seen.push(count);
        const { outcomes, gets } = app.cache.stats().totals;
        statistics.push([gets, outcomes, app.cache.stats().tiers.l1.hits]);
        await app.stop();
      }
      write.mockRestore();
      expect(transcripts[0]).toEqual(transcripts[1]);
      expect(statistics[0]).toEqual(statistics[1]);
      // And it was not the normal way both times.
      expect([title, seen[1]]).toEqual([title, 4 * script.length]);
      expect(seen[0]).toBeLessThan(2.5 * script.length);
    },
  );

  it('sends hits of a public route past Express, once it has seen one', async () => {
    const app = await start(true);
    for (const path of ['/cats/1', '/cats?limit=5', '/cats/reported']) {
      const get = (): Promise<unknown> => app.get(path, 'X-Report: a');
      expect(await app.countExpress(get)).toBe(1); // a miss
      expect(await app.countExpress(get)).toBe(1); // a hit, from which it learns
      for (let n = 0; n < 3; n += 1) expect(await app.countExpress(get)).toBe(0);
    }
    expect(app.cache.stats().totals.outcomes).toMatchObject({ miss: 3, l1_hit: 12 });
    await app.cache.invalidateTags(['cats']);
    expect(await app.countExpress(() => app.get('/cats/1'))).toBe(1);
    expect(await app.countExpress(() => app.get('/cats/1'))).toBe(0);
    expect(handlers.count('one 1')).toBe(2);
    await app.stop();
  });

  it.each([
    ['/guarded/method', 'a guard stands at its method'],
    ['/closed', 'a guard stands at its controller'],
    ['/personal/public', 'a guard stands at its controller'],
    ['/personal/me', 'it is for one user'],
  ])('leaves %s alone: %s', async path => {
    const app = await start(true);
    for (let n = 0; n < 4; n += 1) expect(await app.countExpress(() => app.get(path))).toBe(1);
    expect((await app.get(path)).field('cache-status')).toMatch(/^sutazai; hit/);
    await app.stop();
  });

  describe('with a guard of the whole application', () => {
    @Injectable()
    class EverybodyGuard implements CanActivate {
      static isOpen = true;
      canActivate(): boolean {
        return EverybodyGuard.isOpen;
      }
    }
    const guard = { provide: APP_GUARD, useClass: EverybodyGuard };

    it('is off, so that the guard is obeyed on each hit', async () => {
      const app = await start(true, { providers: [guard] });
      for (let n = 0; n < 4; n += 1) expect(await app.countExpress(() => app.get('/cats/1'))).toBe(1);
      EverybodyGuard.isOpen = false;
      expect((await app.get('/cats/1')).status).toBe(403);
      EverybodyGuard.isOpen = true;
      await app.stop();
    });

    it('is on where that guard is listed as one that lets every public GET pass', async () => {
      const app = await start(true, {
        providers: [guard],
        cache: { fastPath: { guards: [EverybodyGuard] } },
      });
      for (let n = 0; n < 2; n += 1) await app.get('/cats/1');
      expect(await app.countExpress(() => app.get('/cats/1'))).toBe(0);
      await app.stop();
    });
  });

  it('does not go around a middleware of which nothing is said', async () => {
    let refuse = false;
    function maintenance(_request: Request, response: Response, next: NextFunction): void {
      if (refuse) response.status(503).end();
      else next();
    }
    const app = await start(true, { prepare: nest => nest.use(maintenance) });
    for (let n = 0; n < 4; n += 1) expect(await app.countExpress(() => app.get('/cats/1'))).toBe(1);
    refuse = true;
    expect((await app.get('/cats/1')).status).toBe(503);
    await app.stop();
  });

  it('does not take for constant what a middleware makes anew each time', async () => {
    let count = 0;
    function counting(_request: Request, response: Response, next: NextFunction): void {
      response.setHeader('X-Count', String((count += 1)));
      next();
    }
    const middleware = ({ handle }: { handle: unknown }): 'constant' | undefined =>
      handle === counting ? 'constant' : undefined;
    const app = await start(true, {
      prepare: nest => nest.use(counting),
      cache: { fastPath: { middleware } },
    });
    const values = new Set<unknown>();
    for (let n = 0; n < 4; n += 1) values.add((await app.get('/cats/1')).field('x-count'));
    expect(values.size).toBe(4);
    await app.stop();
  });

  it('is off where a header and not the path tells the version', async () => {
    @Controller({ path: 'versioned', version: '1' })
    class OneController {
      @Get()
      @CacheApiResponse({ key: 'versioned:1', headers: ['x-version'] })
      get(): object {
        return { version: 1 };
      }
    }
    @Controller({ path: 'versioned', version: '2' })
    class TwoController {
      @Get()
      @CacheApiResponse({ key: 'versioned:2', headers: ['x-version'] })
      get(): object {
        return { version: 2 };
      }
    }
    const app = await start(true, {
      controllers: [OneController, TwoController],
      prepare: nest => nest.enableVersioning({ type: VersioningType.HEADER, header: 'X-Version' }),
    });
    const seen = await app.countExpress(async () => {
      for (let n = 0; n < 4; n += 1)
        for (const version of ['1', '2'])
          expect((await app.get('/versioned', `X-Version: ${version}`)).text).toBe(`{"version":${version}}`);
    });
    expect(seen).toBe(8);
    await app.stop();
  });

  it('answers a guard added beside a public route with the public route only', async () => {
    @Controller('mixed')
    class MixedController {
      @Get('open')
      @CacheApiResponse()
      open(): object {
        return { open: true };
      }
      @Get('shut')
      @UseGuards(DoorGuard)
      @CacheApiResponse()
      shut(): object {
        return { shut: true };
      }
    }
    const app = await start(true, { controllers: [MixedController] });
    for (let n = 0; n < 2; n += 1) await Promise.all([app.get('/mixed/open'), app.get('/mixed/shut')]);
    expect(await app.countExpress(() => app.get('/mixed/open'))).toBe(0);
    expect(await app.countExpress(() => app.get('/mixed/shut'))).toBe(1);
    await app.stop();
  });
});
