import { Application } from './harness/application';
import { eventually } from './harness/eventually';
import { RedisServer } from './harness/redis-server';

interface Statistics {
  gets: number;
  hits: number;
  hit_rate: number;
  outcomes: Record<string, number>;
  redis: { status: string };
  redis_server: Record<string, number | null>;
  policies: Record<string, { outcomes: Record<string, number>; loads: { count: number } }>;
}
interface Diagnosis {
  advice: unknown[];
  families: { head: string; life_curve: { ttl_ms: number }[] }[];
  l1_size_curve: unknown[];
}
interface WarmRun {
  run_id: string;
  state: string;
  trigger: string;
}
interface Job {
  job_id: string;
  status: string;
  matched: number;
  removed: number;
}

describe('administration of the cache', () => {
  let redis: RedisServer;
  let app: Application;
  const stats = async (): Promise<Statistics> => (await app.get<Statistics>('/api/v1/cache/stats')).body;
  const jobDone = (id: string): Promise<Job> =>
    eventually(async () => {
      const { body } = await app.get<Job>(`/api/v1/cache/clear/${id}`);
      if (body.status === 'running') throw new Error('still running');
      return body;
    });

  beforeAll(async () => {
    redis = await RedisServer.start();
    app = await Application.start({ REDIS_URL: redis.url });
  });
  afterAll(async () => {
    await app.stop();
    await redis.stop();
  });

  test('an entry is explained: where it lives, how long, and by which tags', async () => {
    await app.get('/api/v1/agents?limit=3');
    const client = redis.client();
    const keys = await client.keys('*:d:{agents:*limit=*');
    client.disconnect();
    const key = decodeURIComponent(/\{(.*)\}/.exec(keys[0]!)![1]!);
    const { status, body } = await app.get<{ entries: unknown[] }>(
      `/api/v1/cache/entries/${encodeURIComponent(key)}`,
    );
    expect(status).toBe(200);
    expect(body.entries).toContainEqual(
      expect.objectContaining({
        tier: 'l2',
        home: 'shared',
        served: true,
        why: null,
        fresh_ms: expect.any(Number),
        depends_on: expect.arrayContaining([{ kind: 'tag', name: 'agents', valid: true }]),
      }),
    );
    expect((await app.get('/api/v1/cache/entries/%00')).body).toMatchObject({ code: 'CACHE_KEY_INVALID' });
    expect((await app.get('/api/v1/cache/entries/nobody')).body).toMatchObject({ entries: [], lease: null });
  });

  test('the three curl lines of the report work as written', async () => {
    const report = await app.get('/api/v1/cache/stats');
    expect(report.status).toBe(200);
    expect(report.headers.get('cache-control')).toBe('no-store');
    expect(Object.keys(report.body)).toEqual(
      expect.arrayContaining([
        ...['gets', 'sets', 'hits', 'misses', 'evictions', 'compressions', 'hit_rate', 'hit_rate_percent'],
        ...['local_cache_size', 'compression_ratio', 'cache_efficiency', 'redis_server'],
      ]),
    );
    const warm = await app.post('/api/v1/cache/warm');
    expect(warm.status).toBe(200);
    expect(warm.body).toEqual({
      message: expect.any(String),
      timestamp: expect.any(String),
      warmed_categories: expect.arrayContaining(['agents', 'settings', 'api_endpoints']),
      run_id: expect.any(String),
      warmed: expect.any(Number),
      failed: 0,
      skipped: expect.any(Number),
      duration_ms: expect.any(Number),
    });
    const invalidate = await app.request('POST', '/api/v1/cache/invalidate', '["api","models"]');
    expect([invalidate.status, invalidate.body]).toEqual([
      200,
      {
        message: '2 tags invalidated',
        tags: ['api', 'models'],
        keys: [],
        applied: true,
        queued: false,
        timestamp: expect.any(String),
      },
    ]);
  });

  test('a second identical GET is served without the controller and without the database, and says so', async () => {
    await app.post('/api/v1/cache/clear?confirm=true');
    const first = await app.get('/api/v1/agents?limit=3');
    expect(first.headers.get('cache-status')).toBe('sutazai; fwd=uri-miss; stored');
    const before = await stats();
    const second = await app.get('/api/v1/agents?limit=3');
    const after = await stats();
    expect(second.text).toBe(first.text);
    expect(second.headers.get('cache-status')).toMatch(/^sutazai; hit; ttl=\d+; detail=l[12]$/);
    expect(after.gets - before.gets).toBe(1);
    expect(after.hits - before.hits).toBe(1);
    expect(after.policies['db']!.loads.count - before.policies['db']!.loads.count).toBe(0);
    expect(after.policies['api']!.loads.count - before.policies['api']!.loads.count).toBe(0);
  });

  test('warmed keys are the keys that requests read, and warming is not counted', async () => {
    await app.post('/api/v1/cache/clear?confirm=true');
    const before = await stats();
    expect((await app.post('/api/v1/cache/warm', { categories: ['agents'] })).body).toMatchObject({
      failed: 0,
      warmed: 1,
    });
    expect((await stats()).gets).toBe(before.gets);
    expect((await app.get('/api/v1/agents')).headers.get('cache-status')).toMatch(/^sutazai; hit/);
    expect((await app.post('/api/v1/cache/warm', { categories: ['agents'] })).body).toMatchObject({
      warmed: 0,
      skipped: 1,
    });
  });

  test('a warming can be tried without a load, begun without waiting, and watched', async () => {
    await app.post('/api/v1/cache/clear?confirm=true');
    const dry = await app.post('/api/v1/cache/warm', { jobs: ['agents:list'], dry_run: true });
    expect([dry.status, dry.body]).toEqual([
      200,
      {
        message: '1 entry would be looked at; nothing was loaded',
        timestamp: expect.any(String),
        total: 1,
        jobs: [{ job: 'agents:list', units: ['/api/v1/agents'] }],
        failed_jobs: [],
      },
    ]);
    expect((await app.get('/api/v1/agents')).headers.get('cache-status')).toMatch(/fwd=uri-miss/);
    await app.post('/api/v1/cache/clear?confirm=true');
    const begun = await app.post<WarmRun>('/api/v1/cache/warm', { jobs: ['agents:list'], wait: false });
    const path = `/api/v1/cache/warm/runs/${begun.body.run_id}`;
    expect([begun.status, begun.headers.get('location')]).toEqual([202, path]);
    const run = await eventually(async () => {
      const { body } = await app.get<WarmRun>(path);
      if (body.state === 'running') throw new Error('still running');
      return body;
    });
    expect(run).toMatchObject({
      state: 'done',
      trigger: 'request',
      jobs: ['agents:list'],
      total: 1,
      warmed: 1,
      skipped: 0,
      unread: 0,
      resumed: 0,
      failed: 0,
      left: 0,
      failed_jobs: [],
      failures: [],
    });
    expect((await app.get('/api/v1/agents')).headers.get('cache-status')).toMatch(/hit/);
    const { runs } = (await app.get<{ runs: WarmRun[] }>('/api/v1/cache/warm/runs')).body;
    expect(runs[0]).toEqual(run);
    expect(runs.length).toBeGreaterThan(1);
  });

  test('what users read is warmed first, and nobody has declared it', async () => {
    await app.get('/api/v1/agents?limit=11');
    await app.get('/api/v1/agents/security-scanner');
    await app.post('/api/v1/cache/clear?confirm=true');
    const { status, body } = await app.post('/api/v1/cache/warm', { jobs: ['hot'] });
    expect([status, body]).toEqual([200, expect.objectContaining({ failed: 0 })]);
    for (const path of ['/api/v1/agents?limit=11', '/api/v1/agents/security-scanner'])
      expect((await app.get(path)).headers.get('cache-status')).toMatch(/hit/);
  });

  test('the doctor names the part of a key that should not be in it, and what would be without', async () => {
    for (let limit = 1; limit <= 120; limit += 1) await app.get(`/api/v1/agents?limit=${1 + (limit % 100)}`);
    const { status, headers, body } = await app.get<Diagnosis>('/api/v1/cache/doctor');
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(body.advice).toContainEqual(
      expect.objectContaining({
        kind: 'narrower_key',
        policy: 'api',
        head: 'agents:list',
        evidence: expect.objectContaining({ varying_part: 'limit' }),
        prediction: expect.objectContaining({ measure: 'keys' }),
      }),
    );
    const family = body.families.find(({ head }) => head === 'agents:list')!;
    expect(family).toMatchObject({
      policy: 'api',
      ttl_ms: 30_000,
      miss_causes: { cold: expect.any(Number) },
    });
    expect(family.life_curve.map(({ ttl_ms }) => ttl_ms)).toContain(30_000);
    expect(body.l1_size_curve.length).toBeGreaterThan(3);
  });

  test.each([
    [{ jobs: ['nonsense'] }, 404, 'WARM_JOB_UNKNOWN'],
    [{ jobs: 'agents:list' }, 400, 'VALIDATION_FAILED'],
    [{ wait: 'no' }, 400, 'VALIDATION_FAILED'],
    [{ dry_run: 1 }, 400, 'VALIDATION_FAILED'],
    [{ url: 'http://127.0.0.1/' }, 400, 'UNKNOWN_FIELD'],
  ])('a warming of %j is a %i %s', async (body, status, code) => {
    const answer = await app.post<{ code: string }>('/api/v1/cache/warm', body);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  test('a tag reaches what carries it: policy, feature and record', async () => {
    for (const tag of ['api', 'agents', 'agent:security-scanner']) {
      await app.get('/api/v1/agents/security-scanner');
      expect((await app.get('/api/v1/agents/security-scanner')).headers.get('cache-status')).toMatch(/hit/);
      await app.post('/api/v1/cache/invalidate', [tag]);
      expect((await app.get('/api/v1/agents/security-scanner')).headers.get('cache-status')).toMatch(
        /fwd=uri-miss/,
      );
    }
  });

  test('a clear by pattern runs as a job, and touches no key of others', async () => {
    const client = redis.client();
    await client.set('celery-task-meta-1', 'task');
    await app.get('/api/v1/agents?limit=1');
    await app.get('/api/v1/settings');
    const dry = await app.post<Job>('/api/v1/cache/clear?pattern=agents:*&dry_run=true');
    expect(dry.status).toBe(202);
    expect(await jobDone(dry.body.job_id)).toMatchObject({ status: 'done', removed: 0 });
    expect((await app.get('/api/v1/agents?limit=1')).headers.get('cache-status')).toMatch(/hit/);
    const clear = await app.post<Job>('/api/v1/cache/clear?pattern=agents:*');
    const done = await jobDone(clear.body.job_id);
    expect(done.removed).toBeGreaterThan(0);
    expect((await app.get('/api/v1/agents?limit=1')).headers.get('cache-status')).toMatch(/fwd=uri-miss/);
    expect((await app.get('/api/v1/settings')).headers.get('cache-status')).toMatch(/hit/);
    expect((await app.post('/api/v1/cache/clear?confirm=true')).status).toBe(200);
    expect(await client.get('celery-task-meta-1')).toBe('task');
    client.disconnect();
  });

  test.each([
    ['POST', '/api/v1/cache/clear', 400, 'PATTERN_TOO_BROAD'],
    ['POST', '/api/v1/cache/clear?pattern=*', 400, 'PATTERN_TOO_BROAD'],
    ['POST', '/api/v1/cache/clear?pattern=a**', 400, 'PATTERN_INVALID'],
    ['POST', '/api/v1/cache/clear?pattern=%5Ba-', 400, 'PATTERN_INVALID'],
    ['POST', '/api/v1/cache/clear?pattern=a&pattern=b', 400, 'QUERY_DUPLICATE'],
    ['POST', '/api/v1/cache/clear?confirm=yes', 400, 'VALIDATION_FAILED'],
    ['GET', '/api/v1/cache/stats?window=5y', 400, 'VALIDATION_FAILED'],
    ['GET', '/api/v1/cache/clear/7b2f9f9e-1111-4222-8333-444455556666', 404, 'CLEAR_JOB_NOT_FOUND'],
    ['GET', '/api/v1/cache/warm/runs/7b2f9f9e-1111-4222-8333-444455556666', 404, 'WARM_RUN_NOT_FOUND'],
  ])('%s %s is a %i %s', async (method, path, status, code) => {
    const answer = await app.request<{ code: string }>(method, path);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  test('B35: warming something unknown is a 404, and nothing from outside is ever fetched', async () => {
    const answer = await app.post<{ code: string }>('/api/v1/cache/warm', { categories: ['nonsense'] });
    expect([answer.status, answer.body.code]).toEqual([404, 'WARM_JOB_UNKNOWN']);
    expect((await app.post('/api/v1/cache/warm', { categories: ['http://127.0.0.1/'] })).status).toBe(400);
  });

  test('B37, B38: with Redis away: stats answer at once, invalidations are queued and said so, a clear by pattern is refused', async () => {
    await redis.kill();
    await eventually(async () => {
      if ((await stats()).redis.status !== 'down') throw new Error('not noticed yet');
    });
    const begin = performance.now();
    const report = await stats();
    expect(performance.now() - begin).toBeLessThan(500);
    expect(new Set(Object.values(report.redis_server))).toEqual(new Set([null]));
    const queued = await app.post('/api/v1/cache/invalidate', ['agents']);
    expect([queued.status, queued.body]).toEqual([
      202,
      expect.objectContaining({ applied: false, queued: true }),
    ]);
    const clear = await app.post<{ code: string }>('/api/v1/cache/clear?pattern=agents:*');
    expect([clear.status, clear.body.code, clear.headers.get('retry-after')]).toEqual([
      503,
      'CACHE_UNAVAILABLE',
      '1',
    ]);
    await redis.up();
    await eventually(async () => {
      if ((await stats()).redis.status !== 'up') throw new Error('not back yet');
    });
  });
});
