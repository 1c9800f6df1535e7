import { Application, type Answer } from './harness/application';
import { eventually } from './harness/eventually';
import { PostgresServer } from './harness/postgres-server';
import { RedisServer } from './harness/redis-server';

interface Probe {
  status: string;
  details: Record<string, { status: string; mode?: string; message?: string }>;
}
interface Detailed {
  status: string;
  services: Record<string, Record<string, unknown>>;
  alerts: { source: string }[];
  recommendations: string[];
}

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
    const { body, headers } = await app.get<Detailed>('/api/v1/health/detailed');
    expect(headers.get('cache-control')).toBe('public, max-age=30');
    expect(body.services['database']).toMatchObject({
      status: 'up',
      consecutive_failures: 0,
      uptime_percentage: 100,
      last_failure: null,
      error: null,
    });
    expect(body.services['models']).toMatchObject({
      status: 'disabled',
      uptime_percentage: null,
      last_success: null,
      circuit_breaker_state: null,
    });
    expect(body.recommendations.join()).toContain('REDIS_URL');
    expect((await app.get('/api/v1/health/detailed')).headers.get('cache-status')).toMatch(/^sutazai; hit/);
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
    expect(detailed.alerts.map(({ source }) => source)).toContain('database');
    await postgres.up();
    await becomes(200, 'ok');
  }, 60_000);
});
