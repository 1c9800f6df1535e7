import { OllamaServer } from '../fakes/ollama-server';
import { type Answer, Application } from './harness/application';
import { metricOf } from './harness/counts';
import { eventually } from './harness/eventually';
import { PostgresServer } from './harness/postgres-server';
import { RedisServer } from './harness/redis-server';
import { coherent } from './harness/two-instances';

/**
 * What each route asks the database for: nothing at the second read, and after a change no more than what has changed. The numbers are
 * those of the counter in /metrics, which counts each statement and neither pings nor migrations. One that grows is a regression.
 */
const api = '/api/v1';
const hardware = `${api}/hardware`;
const shortest = { parts: ['cpu'], duration_ms: 100 };
const key = 'e2e-key-of-query-counts-0123456789abcdef';
const admin = { 'X-API-Key': key };
let [app, redis, ollama]: [Application?, RedisServer?, OllamaServer?] = [];

beforeAll(async () => {
  [redis, ollama] = await Promise.all([RedisServer.start(), OllamaServer.start()]);
  app = await Application.start({
    ...{ REDIS_URL: redis.url, OLLAMA_URL: ollama.url, ADMIN_API_KEYS: key },
    // Nothing is there before somebody reads it, and nobody reads in the background.
    CACHE_WARMING: 'off',
  });
  await coherent(app);
  await settingsRead();
}, 90_000);
afterAll(async () => {
  await app?.stop();
  await Promise.all([redis?.stop(), ollama?.stop()]);
});

const running = (): Application => app!;
const queries = async (): Promise<number> => {
  return metricOf((await running().get('/metrics')).text, 'database_queries_total');
};
/** Queries that a request costs, which has to succeed. */
const cost = async (ask: () => Promise<Answer>): Promise<number> => {
  const before = await queries();
  const { status, text } = await ask();
  if (status >= 300) throw new Error(`${status}: ${text}`);
  return (await queries()) - before;
};
const read = (path: string) => (): Promise<Answer> => running().get(path);
const changeAgent = (id: string) => (): Promise<Answer> =>
  running().patch(
    `${api}/agents/${id}`,
    { description: `at ${performance.now()}` },
    { ...admin, 'If-Match': '*' },
  );
/** The instance reads the row again by its schedule: that query is waited for, because it is no request's. */
const settingsRead = (): Promise<void> =>
  eventually(async () => {
    const { body } = await running().get<{ entries: { served: boolean }[] }>(
      `${api}/cache/entries/settings:row`,
      admin,
    );
    expect(body.entries.some(({ served }) => served)).toBe(true);
  });
const changeSettings = async (): Promise<Answer> => {
  const answer = await running().patch(
    `${api}/settings`,
    { performance: { agents_page_size: 40 } },
    { ...admin, 'If-Match': '*' },
  );
  await settingsRead();
  return answer;
};

const changeMonitoring = (): Promise<Answer> =>
  running().post(`${hardware}/monitoring/config`, { retention_days: 5 }, admin);
/** A task, begun and waited for, when nothing of it is written any more. */
const ended = async (kind: string, body: object): Promise<Answer<{ id: string; status: string }>> => {
  const { body: task } = await running().post<{ id: string }>(`${hardware}/${kind}`, body, admin);
  const answer = await eventually(async () => {
    const found = await running().get<{ id: string; status: string }>(`${hardware}/${kind}/${task.id}`);
    expect(found.body.status).toBe('done');
    return found;
  });
  await eventually(async () => {
    const { body: log } = await running().get<{ entries: { job_id: string | null }[] }>(
      `${api}/cache/audit`,
      admin,
    );
    expect(log.entries.filter(({ job_id }) => job_id === task.id)).toHaveLength(2);
  });
  return answer;
};

const agent = 'ai-agent-orchestrator';
const other = 'security-scanner';

describe('queries of the database for', () => {
  it.each<[route: string, path: string, cold: number, write: () => Promise<Answer>, afterWrite: number]>([
    // The size of a page is a setting, which the cache has.
    ['a page of agents', `${api}/agents`, 1, changeAgent(agent), 1],
    [
      'a page of agents with filters',
      `${api}/agents?status=unknown&capability=orchestration&limit=5`,
      1,
      changeAgent(agent),
      1,
    ],
    ['a page of agents after a change of settings', `${api}/agents?limit=6`, 1, changeSettings, 0],
    ['an agent', `${api}/agents/${agent}`, 1, changeAgent(agent), 1],
    ['an agent after a change of another', `${api}/agents/${other}`, 1, changeAgent(agent), 0],
    ['the settings', `${api}/settings`, 1, changeSettings, 1],
    ['one setting', `${api}/settings/performance`, 1, changeSettings, 1],
    ['the models', `${api}/models`, 0, changeSettings, 0],
    ['a model', `${api}/models/tiny:latest`, 0, changeSettings, 0],
    ['the status', `${api}/status`, 0, changeSettings, 0],
    ['the metrics', `${api}/metrics`, 0, changeSettings, 0],
    ['the health in detail', `${api}/health/detailed`, 0, changeSettings, 0],
    ['the readiness', '/health/ready', 0, changeSettings, 0],
    ['the health of the hardware', `${api}/hardware/health`, 0, changeSettings, 0],
    ['the status of the hardware', `${api}/hardware/status`, 0, changeSettings, 0],
    ['the metrics of the hardware', `${api}/hardware/metrics`, 0, changeSettings, 0],
    ['the statistics', `${api}/cache/stats`, 0, changeSettings, 0],
    ['the processes', `${hardware}/processes`, 0, changeSettings, 0],
    ['the alerts', `${hardware}/alerts`, 1, changeMonitoring, 0],
    // Whether there is a first sample: there is none.
    ['an analysis without a history', `${hardware}/analyze/performance`, 1, changeSettings, 0],
    ['the monitoring', `${hardware}/monitoring/config`, 1, changeMonitoring, 1],
    [
      'a forecast, under the configuration that is cached',
      `${hardware}/analyze/capacity`,
      1,
      changeSettings,
      0,
    ],
    ['a forecast after a change of the monitoring', `${hardware}/recommendations`, 1, changeMonitoring, 2],
    ['the optimisations', `${hardware}/optimize`, 1, () => ended('optimize', { actions: ['memory'] }), 1],
  ])('%s', async (_route, path, cold, write, afterWrite) => {
    const counts = [await cost(read(path)), await cost(read(path))];
    await cost(write);
    expect([...counts, await cost(read(path))]).toEqual([cold, 0, afterWrite]);
  });

  it.each([
    ['benchmark', shortest],
    ['optimize', { actions: ['memory'], dry_run: true }],
  ])('a task that has ended (%s): one, and then none', async (kind, body) => {
    const { id } = (await ended(kind, body)).body;
    const one = read(`${hardware}/${kind}/${id}`);
    await running().post(`${api}/cache/invalidate`, [`task:${id}`], admin);
    expect([await cost(one), await cost(one)]).toEqual([1, 0]);
  });

  it('tasks, agents and alerts whose ids nothing can have: none', async () => {
    const before = await queries();
    for (const path of ['benchmark/nothing', 'optimize/nothing'])
      expect((await running().get(`${hardware}/${path}`)).status).toBe(404);
    for (const path of ['benchmark/nothing', 'optimize/nothing'])
      expect((await running().delete(`${hardware}/${path}`, admin)).status).toBe(404);
    expect((await running().post(`${hardware}/alerts/nothing/acknowledge`, undefined, admin)).status).toBe(
      404,
    );
    expect((await queries()) - before).toBe(0);
  });

  it('an agent that is not there: once in a while, however often it is asked for', async () => {
    const before = await queries();
    for (let round = 0; round < 5; round += 1)
      expect((await running().get(`${api}/agents/nobody`)).status).toBe(404);
    expect((await queries()) - before).toBe(1);
  });

  it('fifty readers of one agent at once: one', async () => {
    await cost(changeAgent(agent));
    const before = await queries();
    await Promise.all(Array.from({ length: 50 }, read(`${api}/agents/${agent}`)));
    expect((await queries()) - before).toBe(1);
  });

  it('requests that are refused: none', async () => {
    const before = await queries();
    for (const path of [
      'agents?limit=0',
      'agents?status=tired',
      'agents?nothing=1',
      'agents/Not_An_Id',
      'models/a%20b',
    ])
      expect([400, 404]).toContain((await running().get(`${api}/${path}`)).status);
    expect((await running().post(`${api}/agents`, { name: '' }, admin)).status).toBe(400);
    expect((await running().post(`${api}/models/pull`, { name: '' }, admin)).status).toBe(400);
    expect((await queries()) - before).toBe(0);
  });

  it('a key of the database: its lookup and the note that it was used, and then nothing for a minute', async () => {
    const { body } = await running().post<{ key: string }>(
      `${api}/admin/keys`,
      { name: 'counted', scopes: ['models:write'] },
      admin,
    );
    // The entry of the audit log is written behind the answer.
    await eventually(async () =>
      expect((await running().get('/metrics')).text).toMatch(/^audit_written_total [1-9]/m),
    );
    const before = await queries();
    const pulls = (): Promise<Answer> => running().get(`${api}/models/pulls`, { 'X-API-Key': body.key });
    expect((await pulls()).status).toBe(200);
    await eventually(async () => expect((await queries()) - before).toBe(2));
    expect([await cost(pulls), await cost(pulls)]).toEqual([0, 0]);
  });
});

describe('queries of a database with a history for', () => {
  let postgres: PostgresServer;
  let url: string;
  let watching: Application;
  beforeAll(async () => {
    postgres = await PostgresServer.start();
    url = await postgres.createDatabase('history');
    watching = await Application.start({
      ...{ DATABASE_URL: url, HARDWARE_HOST_ID: 'one', ADMIN_API_KEYS: key, CACHE_WARMING: 'off' },
    });
    await postgres.query(
      `INSERT INTO hardware_samples (host, tick, cpu_percent, load_per_core, memory_percent, disk_percent)
       SELECT 'one', floor(extract(epoch FROM now()))::bigint - 30 * n, 50, 0.5, 50, 60 FROM generate_series(0, 20159) AS n`,
      [],
      url,
    );
    await postgres.query(
      `INSERT INTO hardware_alerts (host, resource, raised_at, raised_value, raise_threshold, clear_threshold, samples)
       VALUES ('one', 'cpu', now(), 95, 90, 75, 4)`,
      [],
      url,
    );
  }, 60_000);
  afterAll(async () => {
    await watching?.stop();
    await postgres?.stop();
  });
  const askedBy = async (ask: () => Promise<Answer>): Promise<number> => {
    const asked = async (): Promise<number> =>
      metricOf((await watching.get('/metrics')).text, 'database_queries_total');
    const before = await asked();
    expect((await ask()).status).toBe(200);
    return (await asked()) - before;
  };
  const from = (path: string) => (): Promise<Answer> => watching.get(`${hardware}/${path}`);

  // A history: its first sample, and in 24 pieces the samples and how many there are.
  const history = 1 + 2 * 24;
  it.each([
    ['analyze/performance', history],
    ['analyze/capacity', history + 1],
    // The configuration is cached; the last day and the whole history, and the alerts of the day.
    ['recommendations', 2 * history + 1],
  ])('%s: that of the history in pieces, and then none', async (path, cold) => {
    expect([await askedBy(from(path)), await askedBy(from(path))]).toEqual([cold, 0]);
  });

  it('an alert that is acknowledged: one and those of the audit log, and one for the next list', async () => {
    const list = from('alerts');
    expect([await askedBy(list), await askedBy(list)]).toEqual([1, 0]);
    const seen = async (): Promise<Answer> => {
      const answer = await watching.post(`${hardware}/alerts/1/acknowledge`, undefined, admin);
      // Written behind the answer; the first entry of an instance also drops those that are too many.
      await eventually(async () =>
        expect((await watching.get('/metrics')).text).toMatch(/^audit_written_total 1$/m),
      );
      return answer;
    };
    expect([await askedBy(seen), await askedBy(list), await askedBy(list)]).toEqual([1 + 2, 1, 0]);
  });
});
