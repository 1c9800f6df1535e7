import { createHash } from 'node:crypto';
import { type Answer, Application } from './harness/application';
import { eventually } from './harness/eventually';
import { PostgresServer } from './harness/postgres-server';
import { expectProblem } from './harness/problem';
import { RedisServer } from './harness/redis-server';

interface Key {
  id: string;
  key: string;
  name: string;
  scopes: string[];
  revoked_at: string | null;
  last_used_at: string | null;
}
interface Statistics {
  redis: { status: string };
  policies: Record<string, { loads: { count: number } } | undefined>;
}

const root = 'env-Key.of_this~Test-0123456789!abc';
const keysPath = '/api/v1/admin/keys';
const audit = '/api/v1/cache/audit';
const of = (key: string): Record<string, string> => ({ 'X-API-Key': key });

describe('admin keys of the database, on two instances', () => {
  let redis: RedisServer;
  let postgres: PostgresServer;
  let database: string;
  let a: Application;
  let b: Application;

  const create = async (scopes: string[], app = a): Promise<Key> => {
    const answer = await app.post<Key>(keysPath, { name: 'a test', scopes }, of(root));
    expect(answer.status).toBe(201);
    return answer.body;
  };
  const revoke = (id: string, app = a): Promise<Answer<{ applied: boolean; queued: boolean }>> =>
    app.request('DELETE', `${keysPath}/${id}`, undefined, of(root));
  const redisIs = (app: Application, status: string): Promise<void> =>
    eventually(async () => {
      expect((await app.get<Statistics>('/api/v1/cache/stats')).body.redis.status).toBe(status);
    });
  const lookups = async (app: Application): Promise<number> =>
    (await app.get<Statistics>('/api/v1/cache/stats')).body.policies['session']?.loads.count ?? 0;

  beforeAll(async () => {
    [redis, postgres] = await Promise.all([RedisServer.start(), PostgresServer.start()]);
    database = await postgres.createDatabase('keys');
    const env = {
      REDIS_URL: redis.url,
      DATABASE_URL: database,
      ADMIN_API_KEYS: root,
      REDIS_COMMAND_TIMEOUT_MS: '5000',
    };
    [a, b] = await Promise.all([Application.start(env), Application.start(env)]);
  }, 90_000);
  afterAll(async () => {
    await Promise.all([a, b].map(app => app.stop()));
    await Promise.all([redis.stop(), postgres.stop()]);
  });

  it('are shown once, and work at once on every instance', async () => {
    const answer = await a.post<Key>(
      keysPath,
      { name: 'deploy', scopes: ['cache:write', 'cache:read'] },
      of(root),
    );
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{16}$/),
      name: 'deploy',
      scopes: ['cache:read', 'cache:write'],
      created_at: expect.any(String),
      created_by: expect.stringMatching(/^env:[0-9a-f]{8}$/),
      revoked_at: null,
      revoked_by: null,
      last_used_at: null,
      key: expect.stringMatching(/^sutazai_[A-Za-z0-9_-]{43}[0-9a-f]{6}$/),
    });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('location')).toBe(`${keysPath}/${answer.body.id}`);
    for (const app of [a, b]) expect((await app.get(audit, of(answer.body.key))).status).toBe(200);
    expect((await b.get(audit, { Authorization: `Bearer ${answer.body.key}` })).status).toBe(200);
  });

  it('are listed by id: neither a key nor a digest, nor a part of one, is anywhere but in the answer that made it', async () => {
    const made = await create(['cache:read']);
    const digest = createHash('sha256').update(made.key).digest('hex');
    const list = await b.get<{ keys: Key[]; count: number }>(keysPath, of(root));
    expect(list.body.keys.find(key => key.id === made.id)).toMatchObject({
      name: 'a test',
      revoked_at: null,
    });
    expect(list.body.count).toBe(list.body.keys.length);
    await a.get(audit, of(made.key));
    const client = redis.client();
    const redisKeys = (await client.keys('*')).join('\n');
    client.disconnect();
    const rows = await postgres.query('SELECT * FROM admin_keys', [], database);
    const everywhere = [list.text, JSON.stringify(rows), redisKeys, a.output, b.output].join('\n');
    expect(everywhere).not.toContain(made.key);
    expect(everywhere).not.toContain(made.key.slice(8, 51));
    expect([list.text, redisKeys, a.output, b.output].join('\n')).not.toContain(digest.slice(0, 8));
    expect(rows.map(row => row['sha256'])).toContain(digest);
  });

  it('once looked up are found in Redis, by other instances too, and held by no process', async () => {
    const { key } = await create(['cache:read']);
    expect((await a.get(audit, of(key))).status).toBe(200);
    const before = [await lookups(a), await lookups(b)];
    for (const app of [a, b, a, b]) expect((await app.get(audit, of(key))).status).toBe(200);
    expect([await lookups(a), await lookups(b)]).toEqual(before);
    const client = redis.client();
    const names = await client.keys('sutazai:1:x:{auth:admin-key*');
    client.disconnect();
    expect(names.length).toBeGreaterThan(0);
    for (const app of [a, b]) {
      for (const name of names) {
        const cacheKey = encodeURIComponent(decodeURIComponent(/\{(.*)\}/.exec(name)![1]!));
        const explained = await app.get<{ entries: unknown[] }>(
          `/api/v1/cache/entries/${cacheKey}`,
          of(root),
        );
        expect(explained.body.entries).toEqual([expect.objectContaining({ tier: 'l2', home: 'redis' })]);
      }
    }
  });

  it('once revoked are refused by the next request on every instance, whoever used them before', async () => {
    for (const [revoking, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const { id, key } = await create(['cache:read']);
      for (const app of [a, b, a, b]) expect((await app.get(audit, of(key))).status).toBe(200);
      const revoked = await revoke(id, revoking);
      expect([revoked.status, revoked.body]).toMatchObject([200, { applied: true, queued: false }]);
      expectProblem(await other.get(audit, of(key)), 401, 'AUTH_INVALID');
      expectProblem(await revoking.get(audit, of(key)), 401, 'AUTH_INVALID');
    }
  });

  it('stay revoked when revoked again, with the time and the name of the first', async () => {
    const { id } = await create(['cache:read']);
    const first = await revoke(id);
    const second = await revoke(id, b);
    expect(second.status).toBe(200);
    expect(second.body).toEqual(first.body);
    expectProblem(await revoke('0123456789abcdef'), 404, 'ADMIN_KEY_NOT_FOUND');
    expectProblem(await revoke('no-id'), 404, 'ADMIN_KEY_NOT_FOUND');
  });

  it('that nobody made leave nothing behind in Redis, and do not keep out what is made later', async () => {
    const client = redis.client();
    const before = await client.dbsize();
    for (let n = 0; n < 20; n += 1) {
      const body = `sutazai_${createHash('sha256').update(String(n)).digest('base64url')}`;
      const guess = body + createHash('sha256').update(body).digest('hex').slice(0, 6);
      expect((await a.get(audit, of(guess))).status).toBe(401);
    }
    const left = (await client.dbsize()) - before;
    client.disconnect();
    expect(left).toBeLessThanOrEqual(3); // canaries and tokens that all lookups share
  });

  it.each([
    ['cache:read', 'GET', '/api/v1/cache/audit', 200],
    ['cache:read', 'GET', '/api/v1/cache/entries/nobody', 200],
    ['cache:write', 'POST', '/api/v1/cache/invalidate', 400],
    ['settings:write', 'GET', '/api/v1/settings/history', 200],
    ['settings:write', 'PATCH', '/api/v1/settings', 400],
    ['agents:write', 'DELETE', '/api/v1/agents/nobody', 404],
    ['models:write', 'POST', '/api/v1/models/pull', 400],
    ['health:write', 'POST', '/api/v1/health/circuit-breakers/reset', 200],
    ['keys:write', 'GET', keysPath, 200],
  ])('B06: the scope %s opens %s %s and the other scopes do not', async (scope, method, path, status) => {
    const all = [
      'cache:read',
      'cache:write',
      'settings:write',
      'agents:write',
      'models:write',
      'hardware:write',
      'health:write',
      'keys:write',
    ];
    const body = method === 'POST' || method === 'PATCH' ? {} : undefined;
    const [right, wrong] = [await create([scope]), await create(all.filter(name => name !== scope))];
    const open = await b.request(method, path, body, { ...of(right.key), 'If-Match': '"1"' });
    expect(open.status).toBe(status);
    const shut = await b.request(method, path, body, { ...of(wrong.key), 'If-Match': '"1"' });
    expectProblem(shut, 403, 'FORBIDDEN_SCOPE');
  });

  it('B06: a key that may only read neither warms, invalidates nor clears', async () => {
    const { key } = await create(['cache:read']);
    for (const path of ['warm', 'invalidate', 'clear?pattern=a*', 'clear?confirm=true'])
      expectProblem(await a.post(`/api/v1/cache/${path}`, undefined, of(key)), 403, 'FORBIDDEN_SCOPE');
    const job = '/api/v1/cache/clear/7b2f9f9e-1111-4222-8333-444455556666';
    expectProblem(await a.delete(job, of(key)), 403, 'FORBIDDEN_SCOPE');
    expect((await a.get(job, of(key))).status).toBe(404);
  });

  it('hand on only scopes that they have', async () => {
    const { key } = await create(['keys:write']);
    const more = await a.post(keysPath, { name: 'more', scopes: ['keys:write', 'cache:write'] }, of(key));
    expectProblem(more, 403, 'FORBIDDEN_SCOPE');
    expect((await a.post(keysPath, { name: 'same', scopes: ['keys:write'] }, of(key))).status).toBe(201);
  });

  it.each([
    [{ scopes: ['cache:read'] }, 'VALIDATION_FAILED'],
    [{ name: '', scopes: ['cache:read'] }, 'VALIDATION_FAILED'],
    [{ name: '  ', scopes: ['cache:read'] }, 'VALIDATION_FAILED'],
    [{ name: '\u3164\u2800', scopes: ['cache:read'] }, 'VALIDATION_FAILED'],
    [{ name: 'a\nb', scopes: ['cache:read'] }, 'VALIDATION_FAILED'],
    [{ name: 'x'.repeat(65), scopes: ['cache:read'] }, 'VALIDATION_FAILED'],
    [{ name: 'a', scopes: [] }, 'VALIDATION_FAILED'],
    [{ name: 'a', scopes: ['all'] }, 'VALIDATION_FAILED'],
    [{ name: 'a', scopes: 'cache:read' }, 'VALIDATION_FAILED'],
    [{ name: 'a', scopes: ['cache:read'], key: 'my-own' }, 'UNKNOWN_FIELD'],
  ])('are not made of %j', async (body, code) => {
    expectProblem(await a.post(keysPath, body, of(root)), 400, code);
  });

  it('tell when they were used, in at most one write a minute', async () => {
    const { id, key } = await create(['cache:read']);
    const row = async (): Promise<Record<string, unknown> | undefined> =>
      (
        await postgres.query('SELECT xmin::text, last_used_at FROM admin_keys WHERE id = $1', [id], database)
      )[0];
    await a.get(audit, of(key));
    await eventually(async () => expect((await row())?.['last_used_at']).not.toBeNull());
    const before = await row();
    for (let n = 0; n < 20; n += 1) await (n % 2 === 0 ? a : b).get(audit, of(key));
    expect(await row()).toEqual(before);
    const list = await a.get<{ keys: Key[] }>(keysPath, of(root));
    expect(list.body.keys.find(found => found.id === id)?.last_used_at).toMatch(/^\d{4}-.*Z$/);
  });

  it('work in production where the environment has none, and nothing else does', async () => {
    const { key } = await create(['cache:read']);
    const production = await Application.start({
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      REDIS_URL: redis.url,
      DATABASE_URL: database,
    });
    try {
      expect((await production.get(audit, of(key))).status).toBe(200);
      expectProblem(await production.get(audit), 503, 'ADMIN_DISABLED');
      expectProblem(await production.get(audit, of(root)), 503, 'ADMIN_DISABLED');
    } finally {
      await production.stop();
    }
  }, 60_000);

  it('without Redis are looked up in the database, and revoked there', async () => {
    const [known, fresh] = [await create(['cache:read']), await create(['cache:read'])];
    for (const app of [a, b]) expect((await app.get(audit, of(known.key))).status).toBe(200);
    await redis.kill();
    await Promise.all([a, b].map(app => redisIs(app, 'down')));
    for (const app of [a, b]) {
      expect((await app.get(audit, of(known.key))).status).toBe(200);
      expect((await app.get(audit, of(fresh.key))).status).toBe(200);
    }
    const revoked = await revoke(known.id);
    expect([revoked.status, revoked.body]).toMatchObject([202, { applied: false, queued: true }]);
    for (const app of [a, b]) expectProblem(await app.get(audit, of(known.key)), 401, 'AUTH_INVALID');
    await redis.up();
    await Promise.all([a, b].map(app => redisIs(app, 'up')));
    for (const app of [a, b]) expectProblem(await app.get(audit, of(known.key)), 401, 'AUTH_INVALID');
  });

  it('without the database are neither refused nor let in: 503, while keys of the environment work on', async () => {
    const [known, fresh] = [await create(['cache:read']), await create(['cache:read'])];
    const path = '/api/v1/cache/entries/nobody';
    expect((await a.get(path, of(known.key))).status).toBe(200);
    await postgres.kill();
    expectProblem(await b.get(path, of(fresh.key)), 503, 'DATABASE_UNAVAILABLE');
    expect((await b.get(path, of(known.key))).status).toBe(200); // Redis knows it for a minute
    expect((await b.get(path, of(root))).status).toBe(200);
    expectProblem(await b.get(path, of('x'.repeat(40))), 401, 'AUTH_INVALID');
    // What cannot be written down now is written later: the request does not wait for it.
    expect((await a.post('/api/v1/cache/invalidate', ['outage'], of(root))).status).toBe(200);
    expectProblem(
      await a.post(keysPath, { name: 'a', scopes: ['cache:read'] }, of(root)),
      503,
      'DATABASE_UNAVAILABLE',
    );
    await postgres.up();
    await eventually(async () => {
      const page = await b.get<{ entries: { target: unknown }[] }>(audit, of(root));
      expect(page.body.entries.map(entry => entry.target)).toContainEqual({ tags: ['outage'] });
    }, 20_000);
  }, 60_000);
});
