import { Application } from '../harness/application';
import { eventually } from '../harness/eventually';
import { expectProblem } from '../harness/problem';
import { RedisServer } from '../harness/redis-server';

interface Statistics {
  redis: { status: string };
  gets: number;
}
const password = 'hunter2-Secret.of~Redis';

describe('with Redis, and without', () => {
  let redis: RedisServer;
  let app: Application;
  const stats = () => app.get<Statistics>('/api/v1/cache/stats');
  const redisIs = (status: string): Promise<void> =>
    eventually(async () => expect((await stats()).body.redis.status).toBe(status));
  const internal = /ECONN|WRONGPASS|NOAUTH|127\.0\.0\.1:\d|redis:\/\/|ioredis|hunter2|unlink|evalsha/i;

  beforeAll(async () => {
    redis = await RedisServer.start(['--requirepass', password]);
    app = await Application.start({
      REDIS_URL: redis.url.replace('redis://', `redis://:${encodeURIComponent(password)}@`),
      REDIS_COMMAND_TIMEOUT_MS: '5000',
      LOG_LEVEL: 'trace',
    });
    await redisIs('up');
  }, 60_000);
  afterAll(async () => {
    await app.stop();
    await redis.stop();
  });

  it('B53: a thousand invalidations of one tag at once are all made, without an error', async () => {
    await app.get('/api/v1/agents');
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, () => app.post('/api/v1/cache/invalidate', ['agents'])),
    );
    expect(new Set(answers.map(answer => answer.status))).toEqual(new Set([200]));
    expect(answers.every(answer => answer.body['applied'] === true)).toBe(true);
    expect((await app.get('/api/v1/agents')).headers.get('cache-status')).toMatch(/fwd=uri-miss/);
  }, 60_000);

  it('B47: a great number of tags leaves nothing behind: invalidating one creates none', async () => {
    const client = redis.client();
    const before = await client.dbsize();
    for (let n = 0; n < 10; n += 1) {
      const tags = Array.from({ length: 100 }, (_, m) => `invented-${n}-${m}`);
      expect((await app.post('/api/v1/cache/invalidate', tags)).status).toBe(200);
    }
    expect((await client.dbsize()) - before).toBeLessThan(10);
    // Those that entries carry end with them.
    for (const token of await client.keys('sutazai:1:t:*'))
      expect(await client.pttl(token)).toBeGreaterThan(0);
    client.disconnect();
  });

  it('B55: neither the statistics, the metrics nor the log hold a password or a command', async () => {
    for (const path of [
      '/api/v1/cache/stats',
      '/api/v1/cache/policies',
      '/metrics',
      '/',
      '/health/ready',
      '/api/v1/health/detailed',
    ])
      expect((await app.get(path)).text).not.toContain(password);
    expect(app.output).not.toContain(password);
  });

  it('B37, B38, B54: when Redis is gone invalidations are queued, statistics are there at once, and nobody reads why', async () => {
    await app.get('/api/v1/settings');
    await redis.kill();
    await redisIs('down');
    const report = await stats();
    expect([report.status, report.body.redis.status]).toEqual([200, 'down']);
    expect(report.body.gets).toBeGreaterThan(0);
    const queued = await app.post('/api/v1/cache/invalidate', { tags: ['agents'], keys: ['a'] });
    expect([queued.status, queued.body]).toMatchObject([202, { applied: false, queued: true }]);
    const cleared = await app.post('/api/v1/cache/clear?confirm=true');
    expect([cleared.status, cleared.body]).toMatchObject([202, { applied: false, queued: true }]);
    expectProblem(await app.post('/api/v1/cache/clear?pattern=agents*'), 503, 'CACHE_UNAVAILABLE');
    for (const path of [
      '/api/v1/cache/entries/agents',
      '/api/v1/cache/stats',
      '/api/v1/agents',
      '/health/ready',
      '/api/v1/health/detailed',
      '/api/v1/settings',
    ]) {
      const { status, text } = await app.get(path);
      expect([path, status]).toEqual([path, 200]);
      expect(text).not.toMatch(internal);
    }
    expect((await app.post('/api/v1/cache/warm')).text).not.toMatch(internal);
    expect(app.output).not.toContain(password);
  });

  it('B37: more invalidations than the queue holds become one of everything, and none is lost or answered with 200', async () => {
    for (let n = 0; n < 12; n += 1) {
      const keys = Array.from({ length: 1_000 }, (_, m) => `queued-${n}-${m}`);
      const { status, body } = await app.post('/api/v1/cache/invalidate', { keys });
      expect([status, body['queued']]).toEqual([202, true]);
    }
    await redis.up();
    await redisIs('up');
    expect((await app.get('/api/v1/settings')).headers.get('cache-status')).toMatch(/fwd=uri-miss/);
  });
});

it('B54, B55: a password that Redis does not take is in no answer and in no log', async () => {
  const redis = await RedisServer.start();
  const client = redis.client();
  const app = await Application.start({
    REDIS_URL: redis.url.replace('redis://', `redis://default:${encodeURIComponent(password)}@`),
    LOG_LEVEL: 'trace',
  });
  try {
    await client.config('SET', 'requirepass', 'another one');
    await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await eventually(async () => {
      expect((await app.get<Statistics>('/api/v1/cache/stats')).body.redis.status).toBe('down');
    });
    for (const path of [
      '/api/v1/cache/stats',
      '/api/v1/agents',
      '/health/ready',
      '/api/v1/health/detailed',
      '/metrics',
    ]) {
      const { status, text } = await app.get(path);
      expect([path, status]).toEqual([path, 200]);
      expect(text).not.toMatch(/WRONGPASS|NOAUTH|hunter2/);
    }
    expect(app.output).not.toMatch(/hunter2/);
  } finally {
    client.disconnect();
    await app.stop();
    await redis.stop();
  }
}, 60_000);
