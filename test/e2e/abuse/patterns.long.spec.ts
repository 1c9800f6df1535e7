import { Application } from '../harness/application';
import { eventually } from '../harness/eventually';
import { RedisServer } from '../harness/redis-server';
import { fillNamespace } from './namespace';

interface Job {
  job_id: string;
  status: string;
  removed: number;
}
const million = 1_000_000;

describe('a million keys', () => {
  let redis: RedisServer;
  let app: Application;
  beforeAll(async () => {
    redis = await RedisServer.start();
    app = await Application.start({ REDIS_URL: redis.url, REDIS_COMMAND_TIMEOUT_MS: '10000' });
    await fillNamespace(redis, million, 'million');
  }, 120_000);
  afterAll(async () => {
    await app.stop();
    await redis.stop();
  });

  /** The 99th of a hundred durations of a request, in milliseconds. */
  const p99 = async (path: string, goOn: () => boolean): Promise<number> => {
    const durations: number[] = [];
    while (durations.length < 500 && goOn()) {
      const begin = performance.now();
      expect((await app.get(path)).status).toBe(200);
      durations.push(performance.now() - begin);
    }
    return durations.sort((a, b) => a - b)[Math.floor(durations.length * 0.99)] ?? 0;
  };

  it('B39: the statistics answer as fast as without', async () => {
    await app.get('/api/v1/cache/stats');
    expect(await p99('/api/v1/cache/stats', () => true)).toBeLessThan(500);
  }, 120_000);

  it('B32: are cleared behind the answer while other requests take at most twice as long', async () => {
    await app.get('/api/v1/settings');
    const alone = await p99('/api/v1/settings', () => true);
    let job = (await app.post<Job>('/api/v1/cache/clear?pattern=million*')).body;
    const beside = await p99('/api/v1/settings', () => job.status === 'running');
    job = await eventually(async () => {
      const { body } = await app.get<Job>(`/api/v1/cache/clear/${job.job_id}`);
      if (body.status === 'running') throw new Error('still running');
      return body;
    }, 300_000);
    expect(job).toMatchObject({ status: 'done', removed: million });
    expect({ alone, beside, within: beside <= Math.max(2 * alone, 20) }).toMatchObject({ within: true });
  }, 400_000);
});
