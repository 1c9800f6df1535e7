import { allControllers, DoorGuard, handlers, principal } from './routes';
import { ServedApplication, until } from './served-application';

/** Fields that a proxy, a browser or an attacker may add, and that no key holds. */
const unkeyed = [
  'Accept', 'Accept-Charset', 'Accept-Language', 'CF-Connecting-IP', 'Client-IP', 'DNT', 'Fastly-Client-IP', 'Forwarded',
  'From', 'Front-End-Https', 'Max-Forwards', 'Origin', 'Proxy', 'Referer', 'Save-Data', 'Sec-CH-UA', 'Sec-Fetch-Site',
  'True-Client-IP', 'Upgrade-Insecure-Requests', 'User-Agent', 'Via', 'Warning', 'X-ATT-DeviceId', 'X-Client-IP',
  'X-Correlation-Id', 'X-Forwarded', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Port', 'X-Forwarded-Prefix',
  'X-Forwarded-Proto', 'X-Forwarded-Scheme', 'X-Forwarded-Server', 'X-HTTP-Method-Override', 'X-Host', 'X-Original-Host',
  'X-Original-URL', 'X-Real-IP', 'X-Rewrite-URL', 'X-Requested-With', 'X-Tenant', 'X-Wap-Profile',
]; // prettier-ignore

describe.each([['on', true] as const, ['off', false] as const])(
  'with the fast way %s',
  (_title, fastPath) => {
    let app: ServedApplication;

    beforeAll(async () => {
      app = await ServedApplication.start({
        controllers: allControllers,
        fastPath,
        cache: { principal },
        env: { ALLOWED_HOSTS: 'localhost,cats.example' },
        prepare: nest => nest.enableCors({ origin: ['https://cats.example', 'https://dogs.example'] }),
      });
    });
    afterAll(() => app.stop());
    beforeEach(async () => {
      handlers.reset();
      DoorGuard.isOpen = true;
      await app.cache.clear();
    });

    /** Makes an entry, and lets the fast way learn of it. */
    const warm = async (path: string, ...fields: string[]): Promise<void> => {
      for (let n = 0; n < 3; n += 1) await app.get(path, ...fields);
    };

    describe('H07: a request that says', () => {
      it('no-store is answered from the store, and its own answer is not kept (RFC 9111 §5.2.1.5)', async () => {
        const own = await app.get('/cats/1', 'Cache-Control: no-store');
        expect(own.field('cache-status')).toBe('sutazai; fwd=uri-miss; detail=no-store');
        expect(JSON.parse((await app.get('/cats/1')).text)).toMatchObject({ call: 2 });
        await warm('/cats/1');
        const hit = await app.get('/cats/1', 'Cache-Control: no-store');
        expect(hit.field('cache-status')).toMatch(/^sutazai; hit; /);
        expect(handlers.count('one 1')).toBe(2);
      });

      it.each(['no-cache', 'max-age=0', 'no-cache, max-age=0, must-revalidate', 'min-fresh=9999'])(
        '%s gets what there is: nobody makes us load (§5.2.1)',
        async directive => {
          await warm('/cats/1');
          const answer = await app.get('/cats/1', `Cache-Control: ${directive}`, 'Pragma: no-cache');
          expect(answer.field('cache-status')).toMatch(/^sutazai; hit; /);
          expect(handlers.count('one 1')).toBe(1);
        },
      );

      it('only-if-cached gets 504 where there is nothing, and the handler is not called (§5.2.1.7)', async () => {
        const miss = await app.get('/cats/1', 'Cache-Control: only-if-cached');
        expect([miss.status, miss.field('cache-control'), miss.field('content-type')]).toEqual([
          504,
          'no-store',
          'application/problem+json; charset=utf-8',
        ]);
        expect(JSON.parse(miss.text)).toMatchObject({ code: 'GATEWAY_TIMEOUT' });
        expect(handlers.count('one 1')).toBe(0);
        await warm('/cats/1');
        const hit = await app.get('/cats/1', 'Cache-Control: only-if-cached');
        expect([hit.status, handlers.count('one 1')]).toEqual([200, 1]);
      });
    });

    describe('H08: a field that is not in the key', () => {
      it('is in nobody’s answer, neither in that of the miss nor in those after it', async () => {
        const canaries = unkeyed.map(name => `${name}: canary-${name}.example`);
        for (const path of ['/cats/1', '/cats', '/cats/kinds', '/cats/translated']) {
          const answers = [
            await app.get(path, ...canaries),
            await app.get(path),
            await app.get(path),
            await app.get(path),
          ];
          for (const answer of answers)
            expect(JSON.stringify([answer.fields, answer.text])).not.toContain('canary-');
          expect(answers.at(-1)!.field('cache-status')).toMatch(/^sutazai; hit; /);
        }
      });

      it('makes no entry of its own, and no other answer', async () => {
        await warm('/cats/1');
        for (const name of unkeyed) {
          const answer = await app.get('/cats/1', `${name}: canary`);
          expect([name, JSON.parse(answer.text)]).toEqual([name, { id: '1', call: 1 }]);
        }
      });
    });

    describe('H09: a query', () => {
      it.each([
        'utm_source=x',
        '_method=DELETE',
        'limit[gt]=5',
        'limit[]=5',
        'limit=5&cb=1',
        '__proto__=1',
        'constructor=1',
      ])('with what the route does not declare goes past the cache: %s', async query => {
        await warm('/cats?limit=5');
        const calls = handlers.count('list');
        const answer = await app.get(`/cats?${query}`);
        expect([answer.field('cache-status'), answer.field('cache-control')]).toEqual([
          'sutazai; fwd=bypass; detail=query',
          'no-store',
        ]);
        expect(handlers.count('list')).toBe(calls + 1);
      });

      it('with one name twice is a list, and another order of the list is another', async () => {
        for (const [query, limit] of [
          ['limit=1&limit=2', ['1', '2']],
          ['limit=2&limit=1', ['2', '1']],
          ['limit=1', '1'],
          ['limit=1%2C2', '1,2'],
          ['limit=1;kind=x', '1;kind=x'],
          ['limit=', ''],
        ] as const) {
          await warm(`/cats?${query}`);
          expect(JSON.parse((await app.get(`/cats?${query}`)).text)).toMatchObject({ limit, kind: null });
        }
        expect(handlers.count('list')).toBe(6);
      });

      it('in another order, or spelled in another way, is the same', async () => {
        for (const query of ['limit=a&kind=b', 'kind=b&limit=a', 'limit=%61&kind=b', 'kind=b&limit=a#f'])
          await warm(`/cats?${query}`);
        expect(handlers.count('list')).toBe(1);
      });
    });

    it.each([
      ['a length', ['Content-Length: 9'], '{"id":"2"}'.slice(0, 9)],
      ['chunks', ['Transfer-Encoding: chunked'], '2\r\n{}\r\n0\r\n\r\n'],
    ])(
      'H09: a GET with a body of %s goes past the cache, and its body is not read',
      async (_kind, fields, body) => {
        await warm('/cats/1');
        const answer = await app.send(
          'GET /api/v1/cats/1',
          ['Content-Type: application/json', ...fields],
          body,
        );
        expect([answer.status, answer.field('cache-status')]).toEqual([
          200,
          'sutazai; fwd=bypass; detail=body',
        ]);
        expect(JSON.parse((await app.get('/cats/1')).text)).toEqual({ id: '1', call: 1 });
      },
    );

    it.each([
      '/API/v1/cats/1',
      '/api/v1/CATS/1',
      '/api/v1/cats/1/',
      '/api/v1/cats/%31',
      'http://localhost/api/v1/cats/1',
    ])('H13: %s is another spelling of one entry', async target => {
      await warm('/cats/1');
      for (let n = 0; n < 3; n += 1) {
        const answer = await app.send(`GET ${target}`);
        expect(JSON.parse(answer.text)).toEqual({ id: '1', call: 1 });
        expect(answer.field('cache-status')).toMatch(/^sutazai; hit; /);
      }
    });

    it.each([
      ['GET /api/v1/cats/1', 'Host: evil.example'],
      ['GET http://evil.example/api/v1/cats/1', 'Host: localhost'],
      ['HEAD /api/v1/cats/1', 'Host: localhost.evil.example'],
    ])('H13: %s with %s gets 421, hit or miss (RFC 9110 §15.5.20)', async (line, host) => {
      const miss = await app.send(line, [host]);
      await warm('/cats/1');
      const hits = app.cache.stats().totals.outcomes.l1_hit;
      const hit = await app.send(line, [host]);
      for (const answer of [miss, hit]) {
        expect([answer.status, answer.field('cache-control'), answer.field('etag')]).toEqual([
          421,
          'no-store',
          undefined,
        ]);
      }
      expect(app.cache.stats().totals.outcomes.l1_hit).toBe(hits);
      expect((await app.get('/cats/1', 'Host: cats.example:443')).status).toBe(200);
    });

    describe('H17: HEAD', () => {
      it('is answered from a stored GET, with its fields and without content (RFC 9110 §9.3.2)', async () => {
        await warm('/cats/kinds');
        for (const coding of ['identity', 'br', 'gzip']) {
          for (let n = 0; n < 3; n += 1) {
            const get = await app.get('/cats/kinds', `Accept-Encoding: ${coding}`);
            const head = await app.send('HEAD /api/v1/cats/kinds', [`Accept-Encoding: ${coding}`]);
            expect([head.status, head.body.length]).toEqual([200, 0]);
            for (const name of [
              'etag',
              'content-length',
              'content-type',
              'cache-control',
              'vary',
              'content-encoding',
            ])
              expect([name, head.field(name)]).toEqual([name, get.field(name)]);
          }
        }
        expect(handlers.count('kinds')).toBe(1);
      });

      it('that finds nothing stores nothing, least of all an empty body', async () => {
        const head = await app.send('HEAD /api/v1/cats/1');
        expect([head.status, head.body.length, head.field('cache-status')]).toEqual([
          200,
          0,
          'sutazai; fwd=uri-miss; detail=head',
        ]);
        expect((await app.get('/cats/1')).text).toBe('{"id":"1","call":2}');
      });
    });

    it('Range is ignored: the whole is answered, and the whole is stored (RFC 9110 §14.2, RFC 9111 §3.3)', async () => {
      const miss = await app.get('/cats/1', 'Range: bytes=0-1');
      expect([miss.status, miss.text, miss.field('cache-status')]).toEqual([
        200,
        '{"id":"1","call":1}',
        'sutazai; fwd=uri-miss; detail=range',
      ]);
      await warm('/cats/1');
      for (const range of ['bytes=0-1', 'bytes=9999-', 'x=y', 'bytes=0-1,3-4']) {
        const hit = await app.get('/cats/1', `Range: ${range}`, 'If-Range: "x"');
        expect([hit.status, hit.text, hit.field('content-range')]).toEqual([
          200,
          '{"id":"1","call":2}',
          undefined,
        ]);
      }
    });

    describe('H18: CORS', () => {
      it('is answered for the origin that asks, never for the one that came first', async () => {
        const allowed = async (origin: string): Promise<unknown[]> => {
          const answer = await app.get('/cats/1', ...(origin === '' ? [] : [`Origin: ${origin}`]));
          return [answer.field('access-control-allow-origin'), answer.field('vary')];
        };
        for (const origin of ['https://cats.example', 'https://dogs.example', 'https://evil.example', '']) {
          for (let n = 0; n < 3; n += 1) {
            const expected = /cats|dogs/.test(origin) ? origin : undefined;
            expect(await allowed(origin)).toEqual([expected, 'Origin']);
          }
        }
        expect(handlers.count('one 1')).toBe(1);
      });

      it('is not cached by us where it is a preflight', async () => {
        await warm('/cats/1');
        const answer = await app.send('OPTIONS /api/v1/cats/1', [
          'Origin: https://cats.example',
          'Access-Control-Request-Method: GET',
        ]);
        expect([
          answer.status,
          answer.field('access-control-allow-origin'),
          answer.field('cache-status'),
        ]).toEqual([204, 'https://cats.example', undefined]);
      });
    });

    describe('H19: a write', () => {
      const write = (status: number): Promise<unknown> => {
        const body = JSON.stringify({ status });
        const fields = ['Content-Type: application/json', `Content-Length: ${body.length}`];
        return app.send('POST /api/v1/cats', fields, body);
      };

      it.each([200, 201, 202, 204, 303, 307])(
        'with %d is seen by the next read (RFC 9111 §4.4)',
        async status => {
          await warm('/cats/1');
          await write(status);
          expect((await app.get('/cats/1')).text).toBe('{"id":"1","call":2}');
        },
      );

      it.each([400, 404, 409, 500, 503])('with %d changes nothing', async status => {
        await warm('/cats/1');
        await write(status);
        expect((await app.get('/cats/1')).text).toBe('{"id":"1","call":1}');
      });

      it('is never stored, and DELETE drops what it names', async () => {
        await write(201);
        await write(201);
        expect(handlers.count('create')).toBe(2);
        await warm('/cats/1');
        await warm('/cats/2');
        expect((await app.send('DELETE /api/v1/cats/1')).status).toBe(204);
        expect([(await app.get('/cats/1')).text, (await app.get('/cats/2')).text]).toEqual([
          '{"id":"1","call":2}',
          '{"id":"2","call":1}',
        ]);
      });
    });

    describe('H24: content negotiation', () => {
      it('knows the languages of the route, so that inventing some makes no entries', async () => {
        for (const language of ['de', 'de-AT', 'DE;q=0.9, xx', 'zz, de']) {
          await warm('/cats/translated', `Accept-Language: ${language}`);
          const answer = await app.get('/cats/translated', `Accept-Language: ${language}`);
          expect([answer.text, answer.field('vary')]).toEqual([
            '{"language":"de","call":1}',
            'Origin, accept-language',
          ]);
        }
        for (let n = 0; n < 20; n += 1) await app.get('/cats/translated', `Accept-Language: xyz${n}`);
        expect([handlers.count('translated de'), handlers.count('translated en')]).toEqual([1, 1]);
      });

      it('keeps one identity body, and sends it in the coding that a client reads', async () => {
        const plain = await app.get('/cats/kinds');
        for (const [accept, coding] of [
          ['br', 'br'],
          ['gzip', 'gzip'],
          ['gzip, deflate, br', 'br'],
          ['identity', undefined],
          ['xyz1, xyz2', undefined],
          ['br;q=0, gzip', 'gzip'],
          ['*;q=0', undefined],
        ] as const) {
          for (let n = 0; n < 4; n += 1) {
            const answer = await app.get('/cats/kinds', `Accept-Encoding: ${accept}`);
            expect([answer.field('content-encoding'), answer.text]).toEqual([coding, plain.text]);
            expect(answer.field('vary')).toBe('Origin, Accept-Encoding');
            expect(answer.field('content-length')).toBe(String(answer.body.length));
            const suffix = coding === undefined ? '' : `-${coding}`;
            expect(answer.field('etag')).toBe(`${plain.field('etag')!.slice(0, -1)}${suffix}"`);
            if (coding) expect(answer.body.length).toBeLessThan(plain.body.length / 2);
          }
        }
        expect(handlers.count('kinds')).toBe(1);
      });

      it('does not compress what is too short to gain by it', async () => {
        await warm('/cats/1');
        const answer = await app.get('/cats/1', 'Accept-Encoding: br');
        expect([answer.field('content-encoding'), answer.field('vary')]).toEqual([undefined, 'Origin']);
      });
    });

    describe('H25: a conditional request', () => {
      it.each([
        ['If-None-Match: TAG', 304],
        ['If-None-Match: W/TAG', 304],
        ['If-None-Match: "a", "b,c" , TAG', 304],
        ['If-None-Match: *', 304],
        ['If-None-Match: "other"', 200],
        ['If-None-Match: TAGx', 200],
        ['If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT', 304],
        ['If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT', 304],
        ['If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT', 200],
        ['If-Modified-Since: yesterday', 200],
      ])('%s gets %d, on a miss and on a hit (RFC 9110 §13)', async (condition, status) => {
        const field = condition.replace('TAG', '"v7"');
        for (let n = 0; n < 4; n += 1) {
          const answer = await app.get('/cats/dated', field);
          expect([answer.status, answer.body.length > 0]).toEqual([status, status === 200]);
        }
        expect(handlers.count('dated')).toBe(1);
      });

      it('gets a 304 with the fields of the 200, for each coding by its own tag', async () => {
        await warm('/cats/kinds');
        for (const coding of ['identity', 'br', 'gzip']) {
          const accept = `Accept-Encoding: ${coding}`;
          for (let n = 0; n < 3; n += 1) {
            const whole = await app.get('/cats/kinds', accept);
            const same = await app.get('/cats/kinds', accept, `If-None-Match: ${whole.field('etag')}`);
            expect([same.status, same.body.length]).toEqual([304, 0]);
            for (const name of ['etag', 'cache-control', 'vary', 'x-catalogue'])
              expect([name, same.field(name)]).toEqual([name, whole.field(name)]);
            expect(same.field('date')).toBeDefined();
            for (const name of ['content-length', 'content-type', 'content-encoding'])
              expect([name, same.field(name)]).toEqual([name, undefined]);
            const other = coding === 'br' ? 'gzip' : 'br';
            const changed = await app.get(
              '/cats/kinds',
              `Accept-Encoding: ${other}`,
              `If-None-Match: ${whole.field('etag')}`,
            );
            expect(changed.status).toBe(200);
          }
        }
      });
    });

    it('H26: Age is the time in our cache, and max-age the whole life (RFC 9111 §4.2.3, §5.1)', async () => {
      const miss = await app.get('/cats/1');
      expect([miss.field('age'), miss.field('cache-control')]).toEqual([
        undefined,
        'public, max-age=300, stale-while-revalidate=300, stale-if-error=300',
      ]);
      const startedAt = performance.now();
      let age = 0;
      await until(() => performance.now() - startedAt > 1_100);
      for (let n = 0; n < 3; n += 1) {
        const hit = await app.get('/cats/1');
        age = Number(hit.field('age'));
        const ttl = Number(/ttl=(\d+)/.exec(hit.field('cache-status')!)![1]);
        expect(age).toBeGreaterThanOrEqual(1);
        expect(age).toBeLessThanOrEqual(Math.ceil((performance.now() - startedAt) / 1_000) + 1);
        // Whole seconds, each rounded down.
        expect([299, 300]).toContain(age + ttl);
        expect(hit.field('cache-control')).toBe(miss.field('cache-control'));
      }
    });
  },
);
