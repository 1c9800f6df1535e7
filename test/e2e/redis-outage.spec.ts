import { Application } from './harness/application';
import { eventually } from './harness/eventually';
import { RedisServer } from './harness/redis-server';

interface Statistics {
  redis: { status: string };
}

describe('Redis killed under requests', () => {
  let redis: RedisServer;
  let app: Application;

  beforeAll(async () => {
    redis = await RedisServer.start();
    app = await Application.start({ REDIS_URL: redis.url });
  });
  afterAll(async () => {
    await app.stop();
    await redis.stop();
  });

  test('kill -9: no 5xx, no answer over a second, health says degraded, and it heals without a restart', async () => {
    const paths = [
      '/api/v1/agents',
      '/api/v1/agents?limit=1',
      '/api/v1/agents/security-scanner',
      '/api/v1/settings',
    ];
    const statuses = new Map<number, number>();
    let slowestMs = 0;
    let answered = 0;
    let going = true;
    const client = async (n: number): Promise<void> => {
      for (let turn = n; going; turn += 1) {
        const begin = performance.now();
        const { status } = await app.get(paths[turn % paths.length]!);
        slowestMs = Math.max(slowestMs, performance.now() - begin);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        answered += 1;
        if (turn % 20 === 0) await app.post('/api/v1/cache/invalidate', ['agents']);
      }
    };
    const more = async (count: number): Promise<void> => {
      const target = answered + count;
      await eventually(() => {
        if (answered < target) throw new Error('not yet');
      });
    };
    const redisIs = (status: string): Promise<void> =>
      eventually(async () => {
        expect((await app.get<Statistics>('/api/v1/cache/stats')).body.redis.status).toBe(status);
      });
    const readiness = async (): Promise<unknown> => {
      const { status, body } = await app.get<{ status: string }>('/health/ready');
      return [status, body.status];
    };
    const clients = Array.from({ length: 8 }, (_, n) => client(n));
    try {
      await more(200);
      await redis.kill();
      await redisIs('down');
      await more(200);
      await eventually(async () => expect(await readiness()).toEqual([200, 'degraded']));
      expect((await app.get('/health/live')).status).toBe(200);
      await redis.up();
      await redisIs('up');
      await more(200);
    } finally {
      going = false;
    }
    await Promise.all(clients);
    expect([...statuses.keys()]).toEqual([200]);
    expect(slowestMs).toBeLessThan(1_000);
    await eventually(async () => expect(await readiness()).toEqual([200, 'ok']));
    await eventually(async () => {
      expect((await app.get('/api/v1/agents')).headers.get('cache-status')).toMatch(/detail=l1/);
    });
  });
});
