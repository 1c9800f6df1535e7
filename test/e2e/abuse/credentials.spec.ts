import { Application } from '../harness/application';
import { expectProblem, parseAnswer } from '../harness/problem';

const key = 'first-Key.of_this~Test-0123456789!';
const withKey = { 'X-API-Key': key };

describe('credentials', () => {
  let app: Application;
  beforeAll(async () => {
    app = await Application.start({ ADMIN_API_KEYS: key });
  }, 60_000);
  afterAll(() => app.stop());

  /** Sends a head as it is, and nothing after it. */
  const raw = async (method: string, path: string, headers: Record<string, string> = {}) => {
    const lines = Object.entries({ Host: 'localhost', Connection: 'close', ...headers });
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    return parseAnswer(await app.raw(`${method} ${path} HTTP/1.1\r\n${head}\r\n`));
  };

  /** Guarded routes, then what does not exist or does not answer to the method. */
  const guarded: [method: string, path: string][] = [
    ['POST', '/api/v1/cache/warm'],
    ['POST', '/api/v1/cache/invalidate'],
    ['POST', '/api/v1/cache/clear'],
    ['GET', '/api/v1/cache/audit'],
    ['GET', '/api/v1/cache/entries/a'],
    ['GET', '/api/v1/cache/warm/runs/x'],
    ['GET', '/api/v1/cache/clear/x'],
    ['DELETE', '/api/v1/cache/clear/x'],
    ['GET', '/api/v1/admin/keys'],
    ['POST', '/api/v1/admin/keys'],
    ['DELETE', '/api/v1/admin/keys/x'],
  ];
  const unknown: [method: string, path: string, status: number, allow: string][] = [
    ['GET', '/api/v1/cache', 404, ''],
    ['GET', '/api/v1/cache/', 404, ''],
    ['GET', '/api/v1/cache/nothing', 404, ''],
    ['GET', '/API/V1/CACHE/NOTHING', 404, ''],
    ['POST', '/api/v1/cache/nothing/at/all', 404, ''],
    ['GET', '/api/v1/cache/../admin', 404, ''],
    ['GET', '/api/v1/cache/%2e%2e/%2f', 404, ''],
    ['GET', '/api/v1/admin', 404, ''],
    ['PUT', '/api/v1/admin/users', 404, ''],
    ['GET', '/api/v1/cache/warm', 405, 'POST'],
    ['DELETE', '/api/v1/cache/warm', 405, 'POST'],
    ['HEAD', '/api/v1/cache/invalidate', 405, 'POST'],
    ['OPTIONS', '/api/v1/cache/invalidate', 405, 'POST'],
    ['TRACE', '/api/v1/cache/invalidate', 405, 'POST'],
    ['PUT', '/api/v1/cache/clear/x', 405, 'DELETE, GET, HEAD'],
    ['POST', '/api/v1/cache/stats', 405, 'GET, HEAD'],
    ['OPTIONS', '/api/v1/cache/stats', 405, 'GET, HEAD'],
    ['PATCH', '/api/v1/admin/keys', 405, 'GET, HEAD, POST'],
    ['GET', '/api/v1/admin/keys/x', 405, 'DELETE'],
  ];

  it.each([...guarded, ...unknown.map(([method, path]): [string, string] => [method, path])])(
    'B01: %s %s asks for a key, whether or not there is such a route',
    async (method, path) => {
      const answer = await raw(method, path);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('ApiKey realm="cache-admin"');
      expect(answer.headers.get('allow')).toBeNull();
      if (method === 'HEAD') return;
      const problem = expectProblem(answer, 401, 'AUTH_REQUIRED');
      expect({ ...problem, instance: '', request_id: '' }).toEqual({
        type: 'https://sutazai.invalid/problems/auth-required',
        title: 'Authentication required',
        status: 401,
        code: 'AUTH_REQUIRED',
        detail: 'Send an admin key in X-API-Key or as a bearer token.',
        instance: '',
        request_id: '',
      });
    },
  );

  it.each(unknown)('B40: %s %s with a key is a %i (Allow: %s)', async (method, path, status, allow) => {
    const answer = await raw(method, path, withKey);
    expect(answer.status).toBe(status);
    if (method !== 'HEAD') expectProblem(answer, status, status === 404 ? 'NOT_FOUND' : 'METHOD_NOT_ALLOWED');
    else expect(answer.text).toBe('');
    expect(answer.headers.get('allow')?.split(', ').sort().join(', ') ?? '').toBe(allow);
  });

  it.each(['/api/v1/cache/stats', '/api/v1/cache/policies', '/api/v1/cache/audit', '/api/v1/cache/nothing'])(
    'B40: HEAD %s is GET without the body',
    async path => {
      const [get, head] = [await raw('GET', path, withKey), await raw('HEAD', path, withKey)];
      expect([head.status, head.text]).toEqual([get.status, '']);
      for (const name of ['content-type', 'cache-control', 'x-content-type-options'])
        expect([name, head.headers.get(name)]).toEqual([name, get.headers.get(name)]);
    },
  );

  it('B40: a method that only a header or a parameter names is not looked at', async () => {
    for (const override of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override']) {
      const answer = await app.request('POST', '/api/v1/cache/clear/x', undefined, {
        ...withKey,
        [override]: 'DELETE',
      });
      expectProblem(answer, 405, 'METHOD_NOT_ALLOWED');
    }
    expect((await app.get('/api/v1/cache/audit?_method=DELETE', withKey)).status).toBe(400);
  });

  it('B40: tunnels are refused, and methods that nobody knows', async () => {
    const tunnel = await app.raw('CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n');
    expect(tunnel).toMatch(/^HTTP\/1\.1 501 [\s\S]*"code":"NOT_IMPLEMENTED"/);
    const method = await app.raw('WARM /api/v1/cache HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(method).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":"REQUEST_MALFORMED"/);
    const expectation = await raw('GET', '/', { Expect: 'the-best' });
    expect([expectation.status, expectation.text]).toEqual([
      417,
      expect.stringContaining('"EXPECTATION_FAILED"'),
    ]);
  });

  it.each([
    ['of any length', 'wrong-Key.of_this~Test-0123456789!'],
    ['with the shape of one that was made here', `sutazai_${'a'.repeat(43)}012345`],
    ['that would be two', `${key}, ${key}`],
    ['in quotes', `"${key}"`],
    ['with a space in it', `${key} ${key}`],
  ])('B02: a wrong key %s is refused', async (_what, wrong) => {
    expectProblem(await app.get('/api/v1/cache/audit', { 'X-API-Key': wrong }), 401, 'AUTH_INVALID');
    expectProblem(await app.get('/api/v1/cache/nothing', { 'X-API-Key': wrong }), 401, 'AUTH_INVALID');
  });

  it.each(['api_key', 'key', 'X-API-Key', 'x-api-key', 'access_token'])(
    'B04: a key in the query as %s is none, and is in no log',
    async name => {
      expectProblem(await app.get(`/api/v1/cache/audit?${name}=${key}`), 401, 'AUTH_REQUIRED');
      expect(app.output).not.toContain(key);
    },
  );

  it('B41: a form of another site gets nowhere: it can send neither JSON nor a key', async () => {
    const origin = { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' };
    for (const type of [
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=a',
      'text/plain',
    ]) {
      const answer = await app.post('/api/v1/cache/invalidate', '["api"]', {
        ...origin,
        'Content-Type': type,
      });
      expectProblem(answer, 415, 'UNSUPPORTED_MEDIA_TYPE');
    }
    expectProblem(await app.post('/api/v1/cache/warm', undefined, origin), 401, 'AUTH_REQUIRED');
    for (const cookie of [`X-API-Key=${key}`, `api_key=${key}`, `Authorization=Bearer ${key}`])
      expectProblem(await app.get('/api/v1/cache/audit', { Cookie: cookie }), 401, 'AUTH_REQUIRED');
  });

  it('B41: no answer lets another site read it', async () => {
    const origin = { Origin: 'https://evil.example' };
    const preflight = { ...origin, 'Access-Control-Request-Method': 'POST' };
    for (const answer of [
      await app.get('/api/v1/cache/stats', origin),
      await app.get('/api/v1/agents', origin),
      await app.get('/api/v1/cache/audit', { ...origin, ...withKey }),
      await app.request('OPTIONS', '/api/v1/cache/invalidate', undefined, preflight),
      await app.request('OPTIONS', '/api/v1/agents', undefined, preflight),
    ]) {
      const names = [...answer.headers.keys()].filter(name => name.startsWith('access-control-'));
      expect(names).toEqual([]);
    }
  });

  it('B42: an id of a request that could break a line is replaced', async () => {
    for (const id of ['a%0d%0aSet-Cookie: x=1', 'a;b', 'x'.repeat(65), '../../x', 'ä']) {
      const answer = await app.get('/api/v1/cache/stats', { 'X-Request-Id': encodeURI(id) });
      expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    }
    const twice = await raw('GET', '/api/v1/cache/stats', { 'X-Request-Id': 'a\r\nX-Request-Id: b' });
    expect(twice.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});

it.each([
  ['short', 'only-thirty-one-characters-long'],
  ['well known', 'changeme'],
  ['one of two', `${key},changeme`],
])('B07: a key that is %s stops the start, without being repeated', async (_what, keys) => {
  const app = await Application.spawn({ ADMIN_API_KEYS: keys });
  expect(await app.exited).toMatchObject({ code: 1 });
  expect(app.output).toContain('ADMIN_API_KEYS must be');
  for (const one of keys.split(',')) expect(app.output).not.toContain(one);
});
