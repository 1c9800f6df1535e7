import { gzipSync } from 'node:zlib';
import { Application } from './harness/application';
import { expectProblem } from './harness/problem';

let app: Application;
beforeAll(async () => {
  app = await Application.start();
});
afterAll(() => app.stop());

const agents = '/api/v1/agents';

describe('every error is problem+json', () => {
  it('of the router: 404 for a path that is not there, its path cut', async () => {
    const problem = expectProblem(await app.get(`/nothing/${'x'.repeat(200)}?secret=1`), 404, 'NOT_FOUND');
    expect(problem.instance).toHaveLength(64);
  });

  it.each(['POST', 'DELETE', 'OPTIONS'])(
    'B40: of the router: 405 with Allow for %s where only GET is answered',
    async method => {
      const answer = await app.request(method, '/');
      expectProblem(answer, 405, 'METHOD_NOT_ALLOWED');
      expect(answer.headers.get('allow')).toBe('GET, HEAD');
    },
  );

  it('B40: of the router: 405 names all methods of a path, and X-HTTP-Method-Override is ignored', async () => {
    const answer = await app.request('PUT', `${agents}/a`, undefined, { 'X-HTTP-Method-Override': 'DELETE' });
    expectProblem(answer, 405, 'METHOD_NOT_ALLOWED');
    expect(answer.headers.get('allow')?.split(', ').sort()).toEqual(['DELETE', 'GET', 'HEAD', 'PATCH']);
  });

  it('of the router: a broken percent-encoding', async () => {
    expectProblem(await app.get(`${agents}/%ff`), 400, 'PATH_INVALID');
  });

  it.each([
    ['malformed', '{"a":'],
    ['a trailing comma', '{"a":1,}'],
    ['a lone quote', '"'],
    ['a NUL', '{"a":"\0"}'],
    ['a byte order mark', '\ufeff{}'],
  ])('B12: of the body: %s', async (_what, body) => {
    expectProblem(await app.post(agents, body), 400, 'BODY_INVALID_JSON');
  });

  it('B12: of the body: bytes that are not UTF-8', async () => {
    const head = `POST ${agents} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n`;
    expect(await app.raw(Buffer.concat([Buffer.from(head), Buffer.from([0x22, 0xff, 0xfe, 0x22])]))).toMatch(
      /^HTTP\/1\.1 400 [\s\S]*BODY_INVALID_JSON/,
    );
  });

  it.each(['null', '[]', '"x"', '42'])('B13: of the body: %s is not an object', async body => {
    expect(expectProblem(await app.post(agents, body), 400, 'BODY_INVALID').errors).toEqual([
      { path: '$', code: 'BODY_INVALID', message: 'must be a JSON object' },
    ]);
  });

  it('B13: of the body: missing where fields are needed', async () => {
    expectProblem(await app.post(agents), 400, 'BODY_INVALID');
  });

  it.each([
    ['text/plain', 'text/plain'],
    ['xml', 'application/xml'],
    ['a form', 'application/x-www-form-urlencoded'],
    ['another charset', 'application/json; charset=utf-7'],
    ['none', ''],
  ])('B09: of the content type: %s', async (_what, type) => {
    const answer = await app.post(agents, '{}', { 'Content-Type': type });
    expectProblem(answer, 415, 'UNSUPPORTED_MEDIA_TYPE');
    expect(answer.headers.get('accept-post')).toBe('application/json');
  });

  it('B14: of the size: 257 KiB', async () => {
    expectProblem(await app.post(agents, `{"a":"${'x'.repeat(257 * 1_024)}"}`), 413, 'BODY_TOO_LARGE');
  });

  it('B14: of the size: a small body that inflates to 5 MB', async () => {
    const zipped = gzipSync(`{"a":"${'x'.repeat(5_000_000)}"}`);
    const answer = await app.post(agents, zipped, { 'Content-Encoding': 'gzip' });
    expectProblem(answer, 413, 'BODY_TOO_LARGE');
  });

  it('B14: of the size: a body that is not what its encoding says', async () => {
    expectProblem(await app.post(agents, '{}', { 'Content-Encoding': 'gzip' }), 400, 'BODY_INVALID');
    expectProblem(
      await app.post(agents, '{}', { 'Content-Encoding': 'rot13' }),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    );
  });

  it('B15: of the depth: 33 levels, and 40,000', async () => {
    const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
    expectProblem(await app.post(agents, `{"a":${nested(32)}}`), 400, 'BODY_TOO_DEEP');
    expectProblem(await app.post(agents, nested(40_000)), 400, 'BODY_TOO_DEEP');
    expectProblem(await app.post(agents, `{"a":${nested(31)}}`), 400, 'VALIDATION_FAILED');
  });

  it.each(['{"__proto__":{"x":1}}', '{"constructor":{"prototype":{}}}', '{"name":{"__proto__":1}}'])(
    'B16: of forbidden keys: %s',
    async body => {
      expectProblem(await app.post(agents, body), 400, 'BODY_FORBIDDEN_KEY');
    },
  );

  it('B17: of unknown fields, with their path', async () => {
    const problem = expectProblem(
      await app.post(agents, { name: 'a', type: 'b', color: 'red' }),
      400,
      'UNKNOWN_FIELD',
    );
    expect(problem.errors).toEqual([
      { path: 'color', code: 'UNKNOWN_FIELD', message: 'is not a field of this request' },
    ]);
  });

  it.each([
    ['limit=1&limit=2', 'QUERY_DUPLICATE'],
    ['limit[]=1', 'QUERY_INVALID'],
    ['limit[x]=1', 'QUERY_INVALID'],
    ['colour=red', 'UNKNOWN_FIELD'],
  ])('B25: of the query: %s', async (query, code) => {
    expectProblem(await app.get(`${agents}?${query}`), 400, code);
  });

  it.each(['0', '-1', '1.5', '1e2', '0x10', '', '1001', 'abc', '99999999999999999999'])(
    'of the query: limit=%s, naming field and limit',
    async limit => {
      const problem = expectProblem(await app.get(`${agents}?limit=${limit}`), 400, 'VALIDATION_FAILED');
      expect(problem.errors?.[0]).toMatchObject({
        path: 'limit',
        message: expect.stringMatching(/^must be a whole number from 1 to \d+$/),
      });
    },
  );

  it('B50: of the parser: what is not HTTP, conflicting lengths, headers that are too large', async () => {
    expect(await app.raw('NOT HTTP\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 400 [\s\S]*application\/problem\+json[\s\S]*"code":"REQUEST_MALFORMED"/,
    );
    expect(
      await app.raw('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'),
    ).toMatch(/^HTTP\/1\.1 400 /);
    expect(await app.raw(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 [\s\S]*"code":"HEADERS_TOO_LARGE"/,
    );
  });
});

describe('the request id', () => {
  it.each(['abc-DEF_1.2', 'x'.repeat(64)])('B42: is the caller’s when harmless: %s', async id => {
    expect((await app.get('/', { 'X-Request-Id': id })).headers.get('x-request-id')).toBe(id);
  });

  it.each(['x'.repeat(65), 'a b', 'a\tb', '<script>', 'a,b'])('B42: is a new one for %j', async id => {
    expect((await app.get('/', { 'X-Request-Id': id })).headers.get('x-request-id')).toMatch(
      /^[0-9a-f-]{36}$/,
    );
  });
});
