import { createHash } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { Application } from './harness/application';

const key = 'first-Key.of_this~Test-0123456789!';
const other = 'second-Key.of_this~Test-9876543210!';
const otherDigest = createHash('sha256').update(other).digest('hex');
/** A write that is admitted finds nothing to do: what it answers then is not about access. */
const path = '/api/v1/agents/no-such-agent';

describe('with keys configured', () => {
  let app: Application;
  beforeAll(async () => {
    app = await Application.start({ ADMIN_API_KEYS: `${key},${otherDigest}`, RATE_LIMIT: '1000' });
  });
  afterAll(() => app.stop());

  it.each([
    ['X-API-Key', { 'X-API-Key': key }],
    ['a bearer token', { Authorization: `Bearer ${key}` }],
    ['a key that is configured as its digest', { 'X-API-Key': other }],
    ['the same key in both headers', { 'X-API-Key': key, Authorization: `bearer ${key}` }],
  ])('admits %s', async (_what, headers) => {
    expect((await app.delete(path, headers as Record<string, string>)).status).toBe(404);
  });

  it('B01: asks for a key, and says how', async () => {
    const answer = await app.delete(path);
    expect([answer.status, answer.body['code']]).toEqual([401, 'AUTH_REQUIRED']);
    expect(answer.headers.get('www-authenticate')).toBe('ApiKey realm="cache-admin"');
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it.each([
    ['a wrong key', { 'X-API-Key': 'x'.repeat(34) }],
    ['a short one', { 'X-API-Key': 'x' }],
    ['the digest instead of the key', { 'X-API-Key': otherDigest }],
    ['an empty one', { 'X-API-Key': '' }],
    ['10 KB', { 'X-API-Key': 'k'.repeat(10_000) }],
    ['a non-ASCII one', { 'X-API-Key': 'ÿ'.repeat(40) }],
    ['another scheme', { Authorization: `Basic ${Buffer.from(key).toString('base64')}` }],
    ['a prefix', { Authorization: `Bearer ${key.slice(0, -1)}` }],
  ])('B02, B03: refuses %s', async (_what, headers) => {
    const answer = await app.delete(path, headers);
    expect([answer.status, answer.body['code']]).toEqual([401, 'AUTH_INVALID']);
    expect(answer.text).not.toContain(key);
  });

  it('B03: refuses two different keys as ambiguous', async () => {
    const answer = await app.delete(path, { 'X-API-Key': key, Authorization: `Bearer ${other}` });
    expect([answer.status, answer.body['code']]).toEqual([400, 'HEADER_DUPLICATE']);
    const raw = await app.raw(
      `DELETE ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-API-Key: ${key}\r\nX-API-Key: ${other}\r\n\r\n`,
    );
    expect(raw).toMatch(/^HTTP\/1\.1 400 [\s\S]*HEADER_DUPLICATE/);
  });

  it('B03: refuses a header that is sent twice', async () => {
    const raw = await app.raw(
      `DELETE ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-API-Key: ${key}\r\nX-API-Key: ${key}\r\n\r\n`,
    );
    expect(raw).toMatch(/^HTTP\/1\.1 401 [\s\S]*AUTH_INVALID/);
  });

  it('B04: does not read keys from the query, and logs neither them nor a key', async () => {
    expect((await app.delete(`${path}?api_key=${key}`)).body['code']).toBe('AUTH_REQUIRED');
    expect(app.output).not.toContain(key);
  });

  it('leaves reads open to everybody', async () => {
    expect((await app.get('/api/v1/agents')).status).toBe(200);
  });
});

describe('limits', () => {
  it('B08: slow down guessing after a tenth of the limit, and leave another client’s key alone', async () => {
    const app = await Application.start({ ADMIN_API_KEYS: key, RATE_LIMIT: '30' });
    try {
      for (let attempt = 0; attempt < 3; attempt += 1)
        expect((await app.delete(path, { 'X-API-Key': 'wrong' })).status).toBe(401);
      const blocked = await app.delete(path, { 'X-API-Key': 'wrong', 'X-Forwarded-For': '10.9.9.9' });
      expect([blocked.status, blocked.body['code']]).toEqual([429, 'RATE_LIMITED']);
      expect(Number(blocked.headers.get('retry-after'))).toBeGreaterThan(0);
    } finally {
      await app.stop();
    }
  });

  it('B08: end the requests of one credential past the limit', async () => {
    const app = await Application.start({ ADMIN_API_KEYS: `${key},${other}`, RATE_LIMIT: '10' });
    try {
      for (let request = 0; request < 10; request += 1)
        expect((await app.delete(path, { 'X-API-Key': key })).status).toBe(404);
      expect((await app.delete(path, { 'X-API-Key': key })).status).toBe(429);
      expect((await app.delete(path, { 'X-API-Key': other })).status).toBe(404);
    } finally {
      await app.stop();
    }
  });
});

describe('without keys', () => {
  let app: Application;
  beforeAll(async () => {
    app = await Application.start({ HOST: '0.0.0.0' });
  });
  afterAll(() => app.stop());

  it.each(['localhost', '127.0.0.1', 'localhost:10010', '[::1]:10010'])(
    'admits this machine under the name %s',
    async host => {
      expect(await app.raw(`DELETE ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)).toMatch(
        /^HTTP\/1\.1 404 [\s\S]*AGENT_NOT_FOUND/,
      );
    },
  );

  it('decides by a key that is shown, also for this machine', async () => {
    const answer = await app.delete(path, { 'X-API-Key': key });
    expect([answer.status, answer.body['code']]).toEqual([401, 'AUTH_INVALID']);
  });

  it('admits a page of its own in a browser here', async () => {
    expect((await app.delete(path, { Origin: app.url, 'Sec-Fetch-Site': 'same-origin' })).status).toBe(404);
  });

  it.each([
    ['X-Forwarded-For: 127.0.0.1'],
    ['X-Forwarded-Proto: https'],
    ['Forwarded: for=127.0.0.1'],
    ['Via: 1.1 proxy'],
    ['X-Real-IP: 127.0.0.1'],
    ['CF-Connecting-IP: 127.0.0.1'],
    ['Origin: https://evil.example'],
    ['Origin: null'],
    ['Sec-Fetch-Site: cross-site'],
    ['Sec-Fetch-Site: same-site'],
  ])('refuses what came with %s', async header => {
    const raw = await app.raw(
      `DELETE ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${header}\r\n\r\n`,
    );
    expect(raw).toMatch(/^HTTP\/1\.1 403 [\s\S]*"code":"ADMIN_LOOPBACK_ONLY"/);
  });

  it.each(['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '10.0.0.1'])(
    'refuses the Host %s',
    async host => {
      expect(await app.raw(`DELETE ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)).toMatch(
        /^HTTP\/1\.1 403 /,
      );
    },
  );

  const outside = Object.values(networkInterfaces())
    .flat()
    .find(address => address && !address.internal && address.family === 'IPv4')?.address;
  (outside === undefined ? it.skip : it)('refuses a peer that is not this machine’s loopback', async () => {
    const response = await fetch(`http://${outside}:${app.port}${path}`, {
      method: 'DELETE',
      headers: { 'X-Forwarded-For': '127.0.0.1' },
    });
    expect(response.status).toBe(403);
  });
});

it('B07: in production without keys, admin routes are off', async () => {
  const app = await Application.start({ NODE_ENV: 'production', HOST: '127.0.0.1' });
  try {
    const answer = await app.delete(path);
    expect([answer.status, answer.body['code']]).toEqual([503, 'ADMIN_DISABLED']);
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    expect((await app.get('/api/v1/agents')).status).toBe(200);
  } finally {
    await app.stop();
  }
});
