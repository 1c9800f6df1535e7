import { Application, type Answer } from './harness/application';
import { expectUntouched } from './harness/counts';
import { CountingProxy } from './harness/counting-proxy';
import { eventually } from './harness/eventually';
import { PostgresServer } from './harness/postgres-server';
import { expectProblem } from './harness/problem';
import { RedisServer } from './harness/redis-server';

interface Probe {
  status: string;
  details: Record<string, { status: string; mode?: string; message?: string }>;
}
interface Detailed {
  status: string;
  services: Record<string, Record<string, unknown>>;
  system_resources: Record<string, number | null>;
  alerts: { level: string; source: string; message: string }[];
  recommendations: string[];
}
interface Breakers {
  circuit_breakers: {
    name: string;
    state: string;
    failures: number;
    successes: number;
    opened_at: string | null;
    next_probe_at: string | null;
  }[];
  timestamp: string;
  reset?: string[];
}

const detailedPath = '/api/v1/health/detailed';
const breakersPath = '/api/v1/health/circuit-breakers';
const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string;
const number = expect.any(Number) as number;

/** Checks are made every five seconds at most. */
const nextCheckMs = 15_000;

describe('on memory alone', () => {
  let app: Application;
  beforeAll(async () => {
    app = await Application.start();
  });
  afterAll(() => app.stop());

  it.each(['/health', '/health/live', '/health/ready'])('%s is ok, and nobody may keep it', async path => {
    const { status, body, headers } = await app.get<Probe>(path);
    expect([status, body.status, headers.get('cache-control')]).toEqual([200, 'ok', 'no-store']);
  });

  it('ready says that there is no Redis', async () => {
    const { details } = (await app.get<Probe>('/health/ready')).body;
    expect(details['redis']).toMatchObject({
      status: 'up',
      mode: 'off',
      message: expect.stringContaining('memory of this process alone'),
    });
  });

  it('the probes are outside of the prefix, and the details inside', async () => {
    expect((await app.get('/api/v1/health')).status).toBe(404);
    expect((await app.get('/health/detailed')).status).toBe(404);
    expect((await app.get('/api/v1/health/detailed')).status).toBe(200);
  });

  it('the details have history where there was a check, and null where there is nothing to check', async () => {
    const { body, headers } = await app.get<Detailed>(detailedPath);
    expect(headers.get('cache-control')).toBe('public, max-age=30');
    const disabled = {
      status: 'disabled',
      response_time_ms: null,
      last_check: time,
      last_success: null,
      last_failure: null,
      error: null,
      consecutive_failures: 0,
      circuit_breaker_state: null,
      uptime_percentage: null,
    };
    expect(body).toEqual({
      status: 'healthy',
      timestamp: time,
      version: '2.0.0',
      uptime_seconds: number,
      uptime_window_seconds: 3_600,
      services: {
        database: {
          status: 'up',
          response_time_ms: number,
          last_check: time,
          last_success: time,
          last_failure: null,
          error: null,
          consecutive_failures: 0,
          circuit_breaker_state: null,
          uptime_percentage: 100,
        },
        redis: disabled,
        models: disabled,
      },
      system_resources: {
        cpu_percent: body.system_resources['cpu_percent'],
        load_per_core: number,
        memory_percent: number,
        swap_percent: body.system_resources['swap_percent'],
        disk_percent: number,
        process_memory_bytes: number,
        score: number,
      },
      alerts: expect.any(Array),
      recommendations: expect.any(Array),
    });
    expect(body.recommendations.join()).toContain('REDIS_URL');
    const second = await app.get(detailedPath);
    expect(second.headers.get('cache-status')).toMatch(/^sutazai; hit/);
    expect(second.body).toEqual(body);
    expect(second.headers.get('age')).toMatch(/^\d+$/);
    const revalidated = await app.get(detailedPath, { 'If-None-Match': second.headers.get('etag') ?? '' });
    expect(revalidated.status).toBe(304);
  });

  it('the thresholds of the settings say what is an alert, from the next look on', async () => {
    const change = (health: object) =>
      app.patch('/api/v1/settings', { health }, { 'If-Match': '*' }).then(({ status }) => status);
    // No check takes less than nothing, and none more than this.
    expect(await change({ response_time_ms: 60_000, uptime_percent: 100 })).toBe(200);
    const sources = async (): Promise<string[]> =>
      (await app.get<Detailed>(detailedPath)).body.alerts.map(({ source }) => source);
    expect(await sources()).not.toContain('database');
    expect(await change({ response_time_ms: 1_000, uptime_percent: 99 })).toBe(200);
  });

  it('there is no breaker where there is no Redis, and a reset of all resets none', async () => {
    const { status, body, headers } = await app.get<Breakers>(breakersPath);
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(body).toEqual({ circuit_breakers: [], timestamp: time });
    for (const empty of [undefined, {}]) {
      const reset = await app.post<Breakers>(`${breakersPath}/reset`, empty);
      expect([reset.status, reset.body.reset]).toEqual([200, []]);
    }
    expectProblem(await app.post(`${breakersPath}/reset`, { name: 'redis' }), 404, 'BREAKER_NOT_FOUND');
    // What is written down behind the answers is written before this one is.
    expect((await app.get('/api/v1/cache/audit')).status).toBe(200);
  });

  it.each([
    [{ name: '' }, 'VALIDATION_FAILED'],
    [{ name: 'x'.repeat(257) }, 'VALIDATION_FAILED'],
    [{ name: 7 }, 'VALIDATION_FAILED'],
    [{ name: null }, 'VALIDATION_FAILED'],
    [{ name: ['redis'] }, 'VALIDATION_FAILED'],
    [{ names: ['redis'] }, 'UNKNOWN_FIELD'],
    [[], 'BODY_INVALID'],
    ['null', 'BODY_INVALID'],
    ['{', 'BODY_INVALID_JSON'],
  ])('a reset of %j is refused: %s, and asks neither database nor cache', async (body, code) => {
    const cost = async (): Promise<unknown[]> => [
      /^database_queries_total \d+$/m.exec((await app.get('/metrics')).text)?.[0],
      (await app.get<{ gets: number }>('/api/v1/cache/stats')).body.gets,
    ];
    await expectUntouched(cost, async () => {
      expectProblem(await app.post(`${breakersPath}/reset`, body), 400, code);
    });
  });

  it('breakers answer to their methods alone, and a reset to JSON', async () => {
    expectProblem(await app.post(breakersPath, {}), 405, 'METHOD_NOT_ALLOWED');
    expectProblem(await app.get(`${breakersPath}/reset`), 405, 'METHOD_NOT_ALLOWED');
    const text = { 'Content-Type': 'text/plain' };
    const refused = await app.post(`${breakersPath}/reset`, 'name=redis', text);
    expectProblem(refused, 415, 'UNSUPPORTED_MEDIA_TYPE');
  });

  it('probes are not counted in the statistics', async () => {
    const gets = async () => (await app.get<{ gets: number }>('/api/v1/cache/stats')).body.gets;
    const before = await gets();
    await Promise.all(Array.from({ length: 20 }, () => app.get('/health/ready')));
    expect(await gets()).toBe(before);
  });
});

describe('on servers', () => {
  let redis: RedisServer;
  let postgres: PostgresServer;
  let app: Application;
  beforeAll(async () => {
    [redis, postgres] = await Promise.all([RedisServer.start(), PostgresServer.start()]);
    app = await Application.start({ REDIS_URL: redis.url, DATABASE_URL: postgres.url });
  }, 60_000);
  afterAll(async () => {
    await app.stop();
    await Promise.all([redis.stop(), postgres.stop()]);
  });
  const ready = (): Promise<Answer<Probe>> => app.get<Probe>('/health/ready');
  const becomes = (code: number, status: string) =>
    eventually(async () => {
      const answer = await ready();
      expect([answer.status, answer.body.status]).toEqual([code, status]);
      return answer;
    }, nextCheckMs);

  it('without Redis ready is degraded (200), live is ok, and it heals', async () => {
    await becomes(200, 'ok');
    await redis.kill();
    const { text } = await becomes(200, 'degraded');
    expect(text).not.toMatch(/ECONN|127\.0\.0\.1/);
    expect((await app.get<Probe>('/health/live')).body.status).toBe('ok');
    await redis.up();
    await becomes(200, 'ok');
  }, 60_000);

  it('while Redis hangs no probe takes a second', async () => {
    redis.freeze();
    for (let count = 0; count < 5; count += 1) {
      const startedAt = performance.now();
      expect((await ready()).status).toBe(200);
      expect(performance.now() - startedAt).toBeLessThan(1_000);
    }
    redis.thaw();
    await becomes(200, 'ok');
  }, 60_000);

  it('a breaker that has opened says since when, and a reset closes it at once', async () => {
    const breaker = async (): Promise<Breakers['circuit_breakers'][number]> =>
      (await app.get<Breakers>(breakersPath)).body.circuit_breakers[0]!;
    const closed = { name: 'redis', state: 'closed', opened_at: null, next_probe_at: null };
    await eventually(async () => expect(await breaker()).toMatchObject(closed));
    expect((await breaker()).successes).toBeGreaterThan(0);
    redis.freeze();
    try {
      // Each finds Redis silent; together they are enough failures, before its socket is given up.
      await Promise.all(Array.from({ length: 20 }, (_, at) => app.get(`/api/v1/agents?capability=c${at}`)));
      const opened = await eventually(async () => {
        const report = await breaker();
        expect(report).toMatchObject({ name: 'redis', state: 'open', opened_at: time, next_probe_at: time });
        return report;
      }, nextCheckMs);
      expect(opened.failures).toBeGreaterThanOrEqual(5);
      expect(Date.parse(opened.next_probe_at!) - Date.parse(opened.opened_at!)).toBe(500);
      const reset = await app.post<Breakers>(`${breakersPath}/reset`, { name: 'redis' });
      expect(reset.status).toBe(200);
      expect(reset.body).toEqual({
        reset: ['redis'],
        circuit_breakers: [{ ...closed, failures: 0, successes: 0 }],
        timestamp: time,
      });
    } finally {
      redis.thaw();
    }
    await eventually(async () => {
      const report = await breaker();
      expect(report).toMatchObject(closed);
      expect(report.successes).toBeGreaterThan(0);
    }, nextCheckMs);
    const audit = await app.get('/api/v1/cache/audit');
    expect(audit.text).toContain('"action":"breakers_reset"');
  }, 60_000);

  it('without the database ready is an error (503), live is ok, the details say it, and it heals', async () => {
    await postgres.kill();
    const { body, text } = await becomes(503, 'error');
    expect(body.details['database']).toMatchObject({ status: 'down' });
    expect(text).not.toMatch(/ECONN|127\.0\.0\.1|postgres:/);
    expect((await app.get<Probe>('/health/live')).body.status).toBe('ok');
    await app.post('/api/v1/cache/invalidate', ['health']);
    const detailed = (await app.get<Detailed>('/api/v1/health/detailed')).body;
    expect(detailed.status).toBe('unhealthy');
    expect(detailed.services['database']).toMatchObject({
      status: 'down',
      error: 'The database does not answer.',
      last_failure: expect.any(String),
    });
    expect(detailed.services['database']!['uptime_percentage']).toBeLessThan(100);
    expect(detailed.alerts).toContainEqual(
      expect.objectContaining({ level: 'critical', source: 'database' }),
    );
    await postgres.up();
    await becomes(200, 'ok');
  }, 60_000);
});

describe('probes and checks, as the servers see them', () => {
  let redis: RedisServer;
  let postgres: PostgresServer;
  let toRedis: CountingProxy;
  let toPostgres: CountingProxy;
  let app: Application;
  beforeAll(async () => {
    [redis, postgres] = await Promise.all([RedisServer.start(), PostgresServer.start()]);
    [toRedis, toPostgres] = await Promise.all([
      CountingProxy.start(redis.port),
      CountingProxy.start(postgres.port),
    ]);
    app = await Application.start({
      REDIS_URL: `redis://127.0.0.1:${toRedis.port}`,
      DATABASE_URL: `postgres://postgres@127.0.0.1:${toPostgres.port}/postgres`,
    });
  }, 60_000);
  afterAll(async () => {
    await app.stop();
    await Promise.all([toRedis.stop(), toPostgres.stop()]);
    await Promise.all([redis.stop(), postgres.stop()]);
  });

  const pings = /SELECT 1/;
  const infos = /\$4\r\ninfo\r\n/i;

  it('two hundred at once are one check of each at most, and those of five seconds as well', async () => {
    await eventually(async () => expect((await app.get('/health/ready')).status).toBe(200));
    toRedis.forget();
    toPostgres.forget();
    const startedAt = performance.now();
    for (const path of ['/health/ready', '/health', '/health/live', '/'])
      await Promise.all(
        Array.from({ length: 200 }, async () => expect((await app.get(path)).status).toBe(200)),
      );
    // One for each five seconds that this took, and one for those that had begun.
    const checks = 1 + Math.ceil((performance.now() - startedAt) / 5_000);
    expect(toPostgres.count(pings)).toBeLessThanOrEqual(checks);
    // The connection itself asks who is there; a check asks for everything.
    expect(toRedis.count(infos)).toBeLessThanOrEqual(2 * checks);
    // Nothing but checks: no query, no read or write of the cache.
    expect(toPostgres.count(/SELECT|INSERT|UPDATE/i)).toBe(toPostgres.count(pings));
    expect(toRedis.count(/\$4\r\nmget\r\n|\$3\r\nget\r\n/i)).toBeLessThanOrEqual(checks);
  });

  it('are made when nobody asks, and a change is told in the log', async () => {
    toPostgres.forget();
    await eventually(() => expect(toPostgres.count(pings)).toBeGreaterThan(0), 15_000);
    expect(app.output).not.toContain('database is down');
    await postgres.kill();
    await eventually(() => expect(app.output).toContain('database is down'), 20_000);
    expect((await app.get('/')).body).toMatchObject({ status: 'degraded' });
    await postgres.up();
    const { services } = (await app.get<Detailed>(detailedPath)).body;
    expect(services['database']).toMatchObject({ status: 'down', last_failure: time, last_success: time });
    await eventually(async () => {
      expect((await app.get('/health/ready')).status).toBe(200);
    }, nextCheckMs);
    expect((await app.get('/')).body).toMatchObject({ status: 'running' });
  }, 60_000);
});
