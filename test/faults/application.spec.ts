import { Application } from '../e2e/harness/application';
import { eventually } from '../e2e/harness/eventually';
import { RedisServer } from '../e2e/harness/redis-server';

const password = 'correct-horse-battery';
/** Long enough for a health check and a slow machine. */
const patienceMs = 30_000;

/** What operators see of a Redis that is missing or does not let the application in. */
describe('the application and its Redis', () => {
  let redis: RedisServer;
  let app: Application;

  beforeEach(async () => {
    redis = await RedisServer.start();
  });
  afterEach(async () => {
    await app.stop();
    await redis.stop();
  });

  const readyIs = (status: string): Promise<void> =>
    eventually(async () => {
      const answer = await app.get<{ status: string }>('/health/ready');
      expect([answer.status, answer.body.status]).toEqual([200, status]);
    }, patienceMs);
  const works = async (): Promise<void> => {
    expect((await app.get('/health/live')).status).toBe(200);
    for (const path of ['/api/v1/agents', '/api/v1/agents?limit=2', '/api/v1/settings']) {
      expect((await app.get(path)).status).toBe(200);
    }
  };
  const l1 = (): Promise<void> =>
    eventually(async () => {
      expect((await app.get('/api/v1/agents')).headers.get('cache-status')).toMatch(/detail=l1/);
    }, patienceMs);

  test('F01: without Redis at the start it starts, works, says that it is degraded, and connects when there is one', async () => {
    await redis.kill();
    app = await Application.start({ REDIS_URL: redis.url });
    await works();
    await readyIs('degraded');
    await redis.up();
    await readyIs('ok');
    await l1();
    expect(app.output).not.toMatch(/unhandled|uncaught/i);
  }, 90_000);

  test('F27: locked out by a new password: it works, says so once and without the password, and heals', async () => {
    const admin = redis.client();
    await admin.acl('SETUSER', 'app', 'on', `>${password}`, '~*', '&*', '+@all');
    app = await Application.start({
      REDIS_URL: redis.url.replace('redis://', `redis://app:${password}@`),
    });
    await l1();
    const linesBefore = app.output.split('\n').length;
    await admin.acl('SETUSER', 'app', 'resetpass', '>another');
    await admin.call('CLIENT', 'KILL', 'USER', 'app');
    await readyIs('degraded');
    for (let n = 0; n < 20; n += 1) await works();
    const said = app.output.split('\n').slice(linesBefore - 1);
    // One for each connection and one for the cache, however often it has tried since.
    expect(said.length).toBeLessThan(12);
    expect(app.output).not.toContain(password);
    await admin.acl('SETUSER', 'app', 'resetpass', `>${password}`);
    await readyIs('ok');
    await l1();
    expect(app.output).not.toContain(password);
    expect(app.output).not.toMatch(/unhandled|uncaught/i);
    admin.disconnect();
  }, 90_000);
});
