import { Application } from './harness/application';
import { countsOf, expectUntouched } from './harness/counts';
import { eventually } from './harness/eventually';
import { PostgresServer } from './harness/postgres-server';
import { expectProblem } from './harness/problem';
import { RedisServer } from './harness/redis-server';
import { coherent } from './harness/two-instances';

interface Analysis {
  status: string;
  host: string;
  computed_at: string;
  window_hours: number;
  samples: { count: number; needed: number; hours: number; needed_hours: number };
  unknown: string[];
  resources: {
    resource: string;
    samples: number;
    p50: number;
    p95: number;
    p99: number;
    max: number;
    trend: { direction: string; per_hour: number };
  }[];
  forecasts: {
    resource: string;
    outlook: string;
    limit_percent: number;
    percent_per_day: number;
    reached_at: string | null;
    earliest_at: string | null;
    latest_at: string | null;
    confidence: { rating: string; statement: string };
  }[];
  recommendations: {
    kind: string;
    resource: string | null;
    message: string;
    evidence: Record<string, number>;
  }[];
}

const path = '/api/v1/hardware';
const routes = ['analyze/performance', 'analyze/capacity', 'recommendations'];
/** The staleness bound Δ: a write is seen everywhere at most so much later. */
const boundMs = 2_000;

describe('what the recorded history tells', () => {
  let redis: RedisServer;
  let postgres: PostgresServer;
  let url: string;
  let a: Application;
  let b: Application;
  let other: Application;
  const read = (app: Application, route: string) => app.get<Analysis>(`${path}/${route}`);
  /** A sample a minute up to now; `n` is how many minutes ago. */
  const record = (host: string, minutes: number, cpu: string, disk: string): Promise<unknown> =>
    postgres.query(
      `INSERT INTO hardware_samples (host, tick, cpu_percent, load_per_core, memory_percent, disk_percent)
       SELECT '${host}', floor(extract(epoch FROM now()))::bigint - 60 * n, ${cpu}, 0.5, 50 + 2 * sin(n), ${disk} FROM generate_series(0, ${minutes - 1}) AS n`,
      [],
      url,
    );
  const forget = (): Promise<unknown> => a.post('/api/v1/cache/invalidate', ['hardware']);

  beforeAll(async () => {
    [redis, postgres] = await Promise.all([RedisServer.start(), PostgresServer.start()]);
    url = await postgres.createDatabase('analysis');
    const env = { REDIS_URL: redis.url, DATABASE_URL: url };
    [a, b, other] = await Promise.all([
      Application.start({ ...env, HARDWARE_HOST_ID: 'one' }),
      Application.start({ ...env, HARDWARE_HOST_ID: 'one' }),
      Application.start({ ...env, HARDWARE_HOST_ID: 'other' }),
    ]);
    await coherent(a, b, other);
  }, 60_000);
  afterAll(async () => {
    await Promise.all([a, b, other].map(app => app.stop()));
    await Promise.all([redis.stop(), postgres.stop()]);
  });

  it.each([
    ['analyze/performance', { count: 5, needed: 30, hours: 0.07, needed_hours: 0 }],
    ['analyze/capacity', { count: 5, needed: 120, hours: 0.07, needed_hours: 1 }],
    ['recommendations', { count: 5, needed: 30, hours: 0.07, needed_hours: 0 }],
  ])(
    'is too little for %s after five samples, and the answer says what is missing',
    async (route, samples) => {
      if ((await postgres.query('SELECT 1 FROM hardware_samples', [], url)).length === 0)
        await record('one', 5, '50', '50');
      const first = await read(a, route);
      expect(first.body).toMatchObject({ status: 'insufficient_data', host: 'one', samples });
      for (const list of ['resources', 'forecasts', 'recommendations'] as const)
        expect(first.body[list] ?? []).toEqual([]);
      // Kept for a moment only: it should not take half an hour to notice that there is enough.
      expect(first.headers.get('cache-control')).toMatch(/^public, max-age=10\b/);
      expect((await read(a, route)).headers.get('cache-status')).toMatch(/^sutazai; hit/);
    },
  );

  it('is percentiles and trends of the last day, older samples left out', async () => {
    await postgres.query('TRUNCATE hardware_samples', [], url);
    // CPU 100 an hour and 40 minutes ago, 0 now; of the day before nothing.
    await record('one', 101, 'n', '40');
    await postgres.query(`INSERT INTO hardware_samples (host, tick, cpu_percent) VALUES ('one', floor(extract(epoch FROM now()))::bigint - 90000, 1e6)`, [], url); // prettier-ignore
    await forget();
    const { body } = await read(a, 'analyze/performance');
    expect(body).toMatchObject({ status: 'ok', host: 'one', window_hours: 24, unknown: ['swap'] });
    expect(body.samples.count).toBe(101);
    expect(body.resources.map(({ resource }) => resource)).toEqual(['cpu', 'load', 'memory', 'disk']);
    expect(body.resources[0]).toMatchObject({ samples: 101, p50: 50, p95: 95, p99: 99, max: 100 });
    expect(body.resources[0]!.trend).toMatchObject({ direction: 'falling', per_hour: -60 });
    expect(body.resources[3]!.trend).toMatchObject({ direction: 'steady', per_hour: 0 });
  });

  it('is when the disk will reach its limit, with how sure that is, and advice with its numbers', async () => {
    await postgres.query('TRUNCATE hardware_samples', [], url);
    // 3,000 minutes: more than are read, so that they are thinned. The disk grows by half a point an hour, 70 % now.
    await record('one', 3_000, '95', '70 - n / 120.0');
    await forget();
    const { body } = await read(a, 'analyze/capacity');
    expect(body).toMatchObject({ status: 'ok', unknown: ['swap'], samples: { count: 3_000 } });
    const disk = body.forecasts.find(({ resource }) => resource === 'disk')!;
    expect(disk).toMatchObject({ outlook: 'growing', limit_percent: 90, percent_per_day: 12 });
    const hours = (Date.parse(disk.reached_at!) - Date.parse(body.computed_at)) / 3_600_000;
    expect(hours).toBeGreaterThan(39.5);
    expect(hours).toBeLessThan(40.5);
    expect(disk.confidence).toMatchObject({
      rating: 'high',
      statement: expect.stringContaining('With 95 % confidence'),
    });
    expect(body.forecasts.find(({ resource }) => resource === 'memory')!.outlook).toBe('steady');

    const advice = (await read(a, 'recommendations')).body.recommendations;
    expect(advice.map(({ kind, resource }) => [kind, resource])).toEqual([
      ['sustained_load', 'cpu'],
      ['running_full', 'disk'],
      ['gaps_in_history', null],
    ]);
    expect(advice[0]!.evidence).toMatchObject({ p50: 95, p95: 95, threshold: 90 });
    expect(advice[1]!.evidence).toMatchObject({ limit_percent: 90, percent_per_day: 12 });
    expect(advice[2]!.evidence).toMatchObject({ recorded: expect.any(Number), missing: expect.any(Number) }); // one a minute, where two are expected
  });

  it.each(routes)('is served for %s from the cache the second time, for 1,800 s', async route => {
    await forget();
    const first = await read(a, route);
    expect(first.headers.get('cache-control')).toBe(
      'public, max-age=1800, stale-while-revalidate=3600, stale-if-error=3600',
    );
    const queries = async (): Promise<number> => (await countsOf(a)).queries;
    await expectUntouched(queries, async () => {
      const second = await read(a, route);
      expect(second.headers.get('cache-status')).toMatch(/^sutazai; hit/);
      expect(second.body).toEqual(first.body);
    });
  });

  it.each(routes)(
    'is computed for %s once for the instances of a host, and apart for another host',
    async route => {
      await forget();
      const { body } = await read(a, route);
      const before = await countsOf(b);
      const shared = await read(b, route);
      expect(shared.body).toEqual(body);
      expect((await countsOf(b)).queries).toBe(before.queries);
      expect((await read(other, route)).body).toMatchObject({
        status: 'insufficient_data',
        host: 'other',
        samples: { count: 0 },
      });
      const client = redis.client();
      const keys = (await client.keys('*:d:{hardware:*')).map(decodeURIComponent);
      client.disconnect();
      const heads = keys.map(key => /\{(hardware:\w+\|!host=.*)\}$/.exec(key)?.[1]).filter(Boolean);
      const head = `hardware:${route.split('/').at(-1)!}`;
      expect(heads).toEqual(expect.arrayContaining([`${head}|!host=3:one`, `${head}|!host=5:other`]));
    },
  );

  it('follows a change of the thresholds: at once on the instance, within the bound on the other', async () => {
    const limit = async (app: Application): Promise<number> =>
      (await read(app, 'analyze/capacity')).body.forecasts.find(({ resource }) => resource === 'disk')!
        .limit_percent;
    for (const app of [a, b]) expect([await limit(app), await limit(app)]).toEqual([90, 90]);
    const disk = { raise: 80, clear: 70, samples: 1 };
    expect((await a.post(`${path}/monitoring/config`, { thresholds: { disk } })).status).toBe(200);
    expect(await limit(a)).toBe(80);
    await eventually(async () => expect(await limit(b)).toBe(80), boundMs, 1);
  });

  it('follows alerts that come too often', async () => {
    await postgres.query(
      `INSERT INTO hardware_alerts (host, resource, raised_at, raised_value, raise_threshold, clear_threshold, samples, cleared_at)
       SELECT 'one', 'cpu', now() - interval '1 hour', 95, 90, 75, 4, now() FROM generate_series(1, 6)`,
      [],
      url,
    );
    await a.post('/api/v1/cache/invalidate', ['hardware:alerts']);
    const { recommendations } = (await read(a, 'recommendations')).body;
    expect(recommendations).toContainEqual(
      expect.objectContaining({
        kind: 'alert_flood',
        evidence: { alerts: 6, raise: 90, clear: 75, samples: 4 },
      }),
    );
  });

  it.each(routes)('is refused for %s with a parameter, which would be a way past the cache', async route => {
    const before = await countsOf(a);
    const problem = expectProblem(await a.get(`${path}/${route}?host=other&fresh=1`), 400, 'UNKNOWN_FIELD');
    expect(problem.errors!.map(({ path: name }) => name)).toEqual(['host', 'fresh']);
    const { queries, entries } = await countsOf(a);
    expect({ queries, entries }).toEqual({ queries: before.queries, entries: before.entries });
  });

  it.each(routes)('answers other methods of %s with 405', async route => {
    expectProblem(await a.post(`${path}/${route}`, {}), 405, 'METHOD_NOT_ALLOWED');
  });

  it('is told from memory while the database is away, and what is not there is a 503', async () => {
    await read(a, 'analyze/performance');
    await a.post('/api/v1/cache/invalidate', { keys: ['hardware:capacity|!host=3:one'] });
    await postgres.kill();
    expect((await read(a, 'analyze/performance')).status).toBe(200);
    expectProblem(await a.get(`${path}/analyze/capacity`), 503, 'DATABASE_UNAVAILABLE');
    await postgres.up();
    expect((await read(a, 'analyze/capacity')).status).toBe(200);
  });
});
