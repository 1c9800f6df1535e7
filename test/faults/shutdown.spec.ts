import { Application } from '../e2e/harness/application';
import { eventually } from '../e2e/harness/eventually';
import { RedisServer } from '../e2e/harness/redis-server';
import { OllamaServer } from '../fakes/ollama-server';

describe('the end of the application under requests', () => {
  let redis: RedisServer;
  let ollama: OllamaServer;
  let app: Application;

  beforeAll(async () => {
    [redis, ollama] = await Promise.all([RedisServer.start(), OllamaServer.start()]);
    app = await Application.start({ REDIS_URL: redis.url, OLLAMA_URL: ollama.url });
  });
  afterAll(async () => {
    await app.stop('SIGKILL');
    await Promise.all([redis.stop(), ollama.stop()]);
  });

  test('F59: SIGTERM: what is under way ends in time, leases are given back, and the code is 0', async () => {
    const admin = redis.client();
    try {
      const statuses = new Set<number>();
      let going = true;
      let answered = 0;
      const client = async (): Promise<void> => {
        while (going) {
          try {
            statuses.add((await app.get('/api/v1/agents')).status);
            answered += 1;
          } catch {
            return; // the connection was closed or refused: the end has come
          }
        }
      };
      const clients = Array.from({ length: 8 }, client);
      // One that waits for a source that never answers, under a lease.
      ollama.mood = 'hang';
      const slow = app.get('/api/v1/models').then(
        ({ status }) => status,
        () => 'closed',
      );
      await eventually(async () => expect((await admin.keys('sutazai:1:l:*')).length).toBe(1));
      await eventually(() => expect(answered).toBeGreaterThan(100));
      const beganMs = performance.now();
      expect(await app.stop('SIGTERM')).toEqual({ code: 0, signal: null });
      expect(performance.now() - beganMs).toBeLessThan(5_000 + 2_000);
      expect(await admin.keys('sutazai:1:l:*')).toEqual([]);
      going = false;
      await Promise.all(clients);
      // One that is told that the application is leaving may try elsewhere; nobody is told that something broke.
      for (const status of statuses) expect([200, 503]).toContain(status);
      expect(['closed', 200, 503]).toContain(await slow);
      expect(app.output).not.toMatch(/unhandled|uncaught/i);
    } finally {
      admin.disconnect();
    }
  });
});
