import type { Response } from 'express';
import { connect } from 'node:net';
import { Controller, Get, Header, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CacheApiResponse, CacheModule, NeverCached } from '../../../src/cache';
import { exchange, requestText } from './raw-http';
import { allControllers, AnswersController, DoorGuard, handlers, principal } from './routes';
import { ServedApplication, until } from './served-application';

type Answering = (response: Response) => unknown;

/** Sets a status, header fields and a body. */
const answering =
  (status: number, fields: Record<string, string | string[]> = {}, body: unknown = { a: 1 }): Answering =>
  response => {
    response.status(status);
    for (const [name, value] of Object.entries(fields)) response.setHeader(name, value);
    return body;
  };

describe.each([['on', true] as const, ['off', false] as const])(
  'with the fast way %s',
  (_title, fastPath) => {
    let app: ServedApplication;

    beforeAll(async () => {
      app = await ServedApplication.start({
        controllers: allControllers,
        fastPath,
        cache: { principal, maxResponseBytes: 50_000 },
      });
    });
    afterAll(() => app.stop());
    beforeEach(async () => {
      handlers.reset();
      DoorGuard.isOpen = true;
      await app.cache.clear();
    });

    /** Asks three times, and gives the answers. */
    const thrice = async (path: string, ...fields: string[]): ReturnType<typeof once> => {
      const answers = [
        await app.get(path, ...fields),
        await app.get(path, ...fields),
        await app.get(path, ...fields),
      ];
      return once(answers);
    };
    const once = async (answers: Awaited<ReturnType<typeof app.get>>[]) => ({
      // prettier-ignore
      answers,
      first: answers[0]!,
      last: answers.at(-1)!,
    });

    describe('a response is not stored', () => {
      it.each<[string, string, Answering, string]>([
        ['H05', 'with Set-Cookie (RFC 9111 §7.3)', answering(200, { 'Set-Cookie': ['s=1'] }), 'set-cookie'],
        ['H06', 'no-store (RFC 9111 §5.2.2.5)', answering(200, { 'Cache-Control': 'no-store' }), 'no-store'],
        ['H06', 'private (§5.2.2.7)', answering(200, { 'Cache-Control': 'private, max-age=9' }), 'private'],
        ['H06', 'no-cache (§5.2.2.4)', answering(200, { 'Cache-Control': 'no-cache' }), 'no-cache'],
        ['H06', 'max-age=0 (§5.2.2.1)', answering(200, { 'Cache-Control': 'max-age=0' }), 'no-cache'],
        ['H06', 'Vary: * (§4.1)', answering(200, { Vary: '*' }), 'vary'],
        ['H06', 'Vary by what is not in the key', answering(200, { Vary: 'User-Agent' }), 'vary'],
        ['H06', 'Pragma: no-cache (§5.4)', answering(200, { Pragma: 'no-cache' }), 'no-cache'],
        ['H15', '201', answering(201), 'status'],
        ['H15', '202', answering(202), 'status'],
        ['H15', '203 without opting in', answering(203), 'status'],
        ['H15', '204 without opting in', answering(204, {}, undefined), 'status'],
        ['H15', '205', answering(205, {}, undefined), 'status'],
        ['H15', '206', answering(206, { 'Content-Range': 'bytes 0-1/9' }), 'partial'],
        ['H15', '302', answering(302, { Location: '/x' }), 'status'],
        ['H15', '304 from the handler', answering(304, {}, undefined), 'status'],
        ['H14', '404 without opting in', answering(404), 'status'],
        ['H29', 'a nonce', answering(200, { 'Content-Security-Policy': "script-src 'nonce-r4nd'" }), 'nonce'],
        ['H24', 'a body that is encoded already', answering(200, { 'Content-Encoding': 'gzip' }), 'encoded'],
      ])('%s: %s', async (_row, _what, answer, detail) => {
        AnswersController.response = answer;
        const { answers, first, last } = await thrice('/answers/any', 'Accept-Encoding: br, gzip');
        expect(handlers.count('any')).toBe(3);
        for (const each of answers)
          expect(each.field('cache-status')).toBe(`sutazai; fwd=uri-miss; detail=${detail}`);
        expect([last.status, last.field('age')]).toEqual([first.status, undefined]);
        if (detail !== 'set-cookie') expect(first.field('set-cookie')).toBeUndefined();
      });

      it.each([400, 401, 403, 404, 405, 406, 410, 413, 429, 431, 500, 502, 503])(
        'H14: an error of status %d, which is no-store',
        async status => {
          const { answers } = await thrice(`/answers/failing/${status}`);
          expect(handlers.count(`failing ${status}`)).toBe(3);
          for (const each of answers) {
            expect([each.status, each.field('cache-control')]).toEqual([status, 'no-store']);
            expect([each.field('age'), each.field('etag'), each.field('cache-status')]).toEqual([
              undefined,
              undefined,
              undefined,
            ]);
          }
        },
      );

      it.each([
        ['file', 'file'],
        ['ndjson', '{"a":1}\n{"b":2}\n'],
        ['library', '{"library":true}'],
        ['events', 'data: event\n\n'],
      ])('H20: /%s, which answers in its own way', async (name, text) => {
        const { answers } = await thrice(`/answers/${name}`);
        expect(handlers.count(name)).toBe(3);
        for (const each of answers) {
          expect([each.status, each.field('age')]).toEqual([200, undefined]);
          expect(each.text).toContain(text);
        }
      });

      it('H33: a body over the limit, which is passed through whole', async () => {
        const { answers } = await thrice('/answers/large');
        expect(handlers.count('large')).toBe(3);
        for (const each of answers) {
          expect(each.text).toHaveLength(60_000);
          expect(each.field('cache-status')).toBe('sutazai; fwd=uri-miss; detail=too-large');
        }
      });

      it('H22: when its handler fails half way: the connection breaks, so that half cannot pass for whole', async () => {
        const broken = await exchange(app.port, requestText('GET /api/v1/answers/half'));
        expect(broken.toString()).toContain('half');
        expect(broken.toString()).not.toMatch(/\r\n0\r\n\r\n$/);
        await exchange(app.port, requestText('GET /api/v1/answers/half'));
        expect(handlers.count('half')).toBe(2);
      });
    });

    describe('a status that the route opts into is stored', () => {
      it.each<[number, Answering]>([
        [203, answering(203)],
        [204, answering(204, {}, undefined)],
        [301, answering(301, { Location: '/api/v1/cats' })],
        [308, answering(308, { Location: '/api/v1/cats' })],
      ])('H15: %d', async (status, answer) => {
        AnswersController.response = answer;
        const { answers, first, last } = await thrice('/answers/optional');
        expect(handlers.count('optional')).toBe(1);
        for (const each of answers) expect(each.status).toBe(status);
        expect([last.text, last.field('location')]).toEqual([first.text, first.field('location')]);
        expect(last.field('cache-status')).toMatch(/^sutazai; hit; /);
        // RFC 9110 §8.6: none in a 204.
        if (status === 204) expect(last.field('content-length')).toBeUndefined();
      });

      it.each([404, 410])('H14: %d, and believed for five seconds at most', async status => {
        AnswersController.response = answering(status);
        const { last } = await thrice('/answers/optional');
        expect(handlers.count('optional')).toBe(1);
        expect([last.status, last.field('cache-control')]).toEqual([
          status,
          'public, max-age=5, stale-while-revalidate=5, stale-if-error=5',
        ]);
        expect(last.field('cache-status')).toMatch(/^sutazai; hit; ttl=[45]; detail=l1$/);
      });

      it('H15: but no other', async () => {
        AnswersController.response = answering(202);
        await thrice('/answers/optional');
        expect(handlers.count('optional')).toBe(3);
      });
    });

    it('H21: a client that goes away does not take the answer from the others, and what is complete is stored', async () => {
      const release = handlers.hold();
      const leaving = connect(app.port, '127.0.0.1', () =>
        leaving.write(requestText('GET /api/v1/answers/slow')),
      );
      await until(() => handlers.count('slow') === 1);
      const waiting = app.get('/answers/slow');
      leaving.destroy();
      await new Promise(resolve => leaving.once('close', resolve));
      release();
      expect((await waiting).text).toBe('{"call":1}');
      expect((await app.get('/answers/slow')).text).toBe('{"call":1}');
      expect(handlers.count('slow')).toBe(1);
    });

    it('an answer for one request alone is never handed to those that wait for it', async () => {
      AnswersController.response = answering(200, { 'Set-Cookie': ['s=1'] });
      const release = handlers.hold();
      const all = Promise.all(Array.from({ length: 4 }, () => app.get('/answers/any')));
      await until(() => handlers.count('any') >= 1);
      release();
      await all;
      expect(handlers.count('any')).toBe(4);
    });

    it('H28: what belongs to one answer or to one hop is not in the stored one', async () => {
      AnswersController.response = answering(200, {
        'Content-Language': 'de',
        'Proxy-Authenticate': 'Basic',
        'Server-Timing': 'db;dur=5',
        'RateLimit-Limit': '5',
        Traceparent: '00-1-2-01',
        Authorization: 'Bearer echo',
        'X-Secret': 'canary',
      });
      const { first, answers } = await thrice('/answers/any');
      expect(first.field('x-secret')).toBe('canary');
      for (const hit of answers.slice(1)) {
        for (const name of [
          'proxy-authenticate',
          'server-timing',
          'ratelimit-limit',
          'traceparent',
          'authorization',
          'x-secret',
        ])
          expect([name, hit.field(name)]).toEqual([name, undefined]);
        expect(hit.field('content-language')).toBe('de');
      }
      expect(new Set(answers.map(each => each.field('x-request-id'))).size).toBe(3);
    });

    it.each([
      ['null', '', undefined],
      ['undefined', '', undefined],
      ['zero', '0', 'text/html; charset=utf-8'],
      ['empty', '', 'text/html; charset=utf-8'],
      ['false', 'false', 'text/html; charset=utf-8'],
    ])('H36: a body of %s is stored and replayed as it is', async (name, text, type) => {
      const { answers } = await thrice(`/answers/falsy/${name}`);
      expect(handlers.count(`falsy ${name}`)).toBe(1);
      for (const each of answers)
        expect([each.status, each.text, each.field('content-type')]).toEqual([200, text, type]);
    });

    describe('past its life a response is served', () => {
      it('H26: marked stale, while a refresh runs behind it', async () => {
        AnswersController.response = () => undefined;
        await app.get('/answers/short-lived');
        await new Promise(resolve => setTimeout(resolve, 5));
        const stale = await app.get('/answers/short-lived');
        expect([stale.text, stale.field('age')]).toEqual(['{"call":1}', '0']);
        expect(stale.field('cache-status')).toMatch(/^sutazai; hit; ttl=-\d+; detail=stale$/);
        await until(() => handlers.count('short-lived') === 2);
      });

      it.each([
        'max-age=1, must-revalidate',
        'max-age=1, proxy-revalidate',
        's-maxage=1',
        'stale-while-revalidate=0',
      ])('H26: never, where it says %s (RFC 9111 §4.2.4, RFC 5861)', async directives => {
        AnswersController.response = response => response.setHeader('Cache-Control', directives);
        await app.get('/answers/short-lived');
        await new Promise(resolve => setTimeout(resolve, 5));
        const answer = await app.get('/answers/short-lived');
        expect(answer.text).not.toBe('{"call":1}');
        expect(answer.field('cache-status')).toBe('sutazai; fwd=stale');
        expect(answer.field('cache-control')).not.toContain('stale-while-revalidate');
      });
    });
  },
);

describe('a route that must not be cached stops the start', () => {
  @Controller('health')
  class HealthController {
    @Get('live')
    @CacheApiResponse()
    live(): object {
      return {};
    }
  }
  @Controller('metrics')
  class MetricsController {
    @Get()
    @CacheApiResponse()
    all(): object {
      return {};
    }
  }
  @NeverCached('admin route')
  @Controller('admin')
  class AdminController {
    @Get()
    @CacheApiResponse()
    list(): object {
      return {};
    }
  }
  @Controller('page')
  class PageController {
    @Get()
    @Header('Content-Security-Policy', "script-src 'nonce-fixed'")
    @CacheApiResponse()
    page(): string {
      return '';
    }
  }

  @Controller('hosts')
  class HostController {
    @Get()
    @CacheApiResponse({ perHost: true })
    one(): object {
      return {};
    }
  }

  it.each<[string, Type, string]>([
    [
      'of a host without a name',
      HostController,
      'HostController.one: answers for each host need the option host',
    ],
    ['H32', HealthController, 'the route /health/live must not be cached'],
    ['H32', MetricsController, 'the route /metrics must not be cached'],
    ['H32', AdminController, 'AdminController.list: must not be cached: admin route'],
    [
      'H29',
      PageController,
      'PageController.page: must not be cached: its content security policy has a nonce',
    ],
  ])('%s: %p', async (_row, controller, message) => {
    @Module({ imports: [CacheModule.forRoot({ warming: { enabled: false } })], controllers: [controller] })
    class RootModule {}
    const app = await NestFactory.create(RootModule, { logger: false, abortOnError: false });
    await expect(app.init()).rejects.toThrow(message);
    await app.close();
  });
});
