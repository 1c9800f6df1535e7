import { join } from 'node:path';
import { Client } from 'pg';
import { OllamaServer } from '../fakes/ollama-server';
import { type Answer, Application } from './harness/application';
import { eventually } from './harness/eventually';
import { PostgresServer } from './harness/postgres-server';
import { expectProblem } from './harness/problem';
import { type TwoInstances, twoInstances } from './harness/two-instances';

interface Probe {
  status: string;
  details: Record<string, { status: string; message?: string }>;
}
interface Detailed {
  status: string;
  services: Record<string, { status: string; error: string | null; consecutive_failures: number }>;
  alerts: { source: string }[];
}

const key = 'e2e-key-of-the-outage-0123456789abcdef';
const admin = { 'X-API-Key': key };
const anyVersion = { ...admin, 'If-Match': '*' };

const agents = '/api/v1/agents';
const agent = `${agents}/security-scanner`;
const settings = '/api/v1/settings';
const setting = `${settings}/performance`;
const monitoring = '/api/v1/hardware/monitoring/config';
const alerts = '/api/v1/hardware/alerts';
const benchmarks = '/api/v1/hardware/benchmark';
const models = '/api/v1/models';

/** What is read before the database goes. */
const known = [agents, agent, settings, setting, monitoring, models] as const;
/** What nobody has read before it goes; these need it. */
const unknown = [
  `${agents}?limit=7`,
  `${agents}/code-review-assistant`,
  `${settings}/features`,
  `${alerts}?limit=7`,
  '/api/v1/hardware/optimize',
] as const;

const writes: [string, (app: Application) => Promise<Answer>][] = [
  ['an agent is made', app => app.post(agents, { id: 'half', name: 'Half', type: 'test' }, admin)],
  ['an agent is changed', app => app.patch(agent, { description: 'half' }, anyVersion)],
  ['an agent is removed', app => app.delete(`${agents}/code-review-assistant`, anyVersion)],
  ['a setting is changed', app => app.patch(settings, { performance: { agents_page_size: 3 } }, anyVersion)],
  ['the monitoring is changed', app => app.post(monitoring, { interval_seconds: 77 }, admin)],
  ['a task is begun', app => app.post(benchmarks, { parts: ['cpu'], duration_ms: 100 }, admin)],
];

/** Checks of health are made every five seconds at most. */
const nextCheckMs = 15_000;
/** The staleness bound Δ: a write is seen everywhere at most so much later. */
const boundMs = 2_000;

/** What lets a signal put the clocks of an instance on by so long. */
const clocks = (laterMs: number): Record<string, string> => ({
  NODE_OPTIONS: `--require ${join(__dirname, 'harness', 'an-hour-later.cjs')}`,
  LATER_MS: String(laterMs),
});

const statusOf = ({ headers }: Answer): string => headers.get('cache-status') ?? '';

/** A refusal for the time of the outage: says when to come again, and is kept by nobody. */
const expectAway = (answer: Answer): void => {
  expectProblem(answer, 503, 'DATABASE_UNAVAILABLE');
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(statusOf(answer)).toBe('');
};

/** Reads until the next read is a hit in the memory of the instance; that one's answer. */
const warm = (app: Application, path: string): Promise<Answer> =>
  eventually(async () => {
    const answer = await app.get(path);
    expect([answer.status, statusOf(answer)]).toEqual([200, expect.stringMatching(/; hit; .*detail=l1$/)]);
    return answer;
  });

const failedLoads = async (app: Application): Promise<number> =>
  (await app.get<{ loads: { errors: number } }>('/api/v1/cache/stats')).body.loads.errors;

const becomes = (app: Application, code: number, status: string): Promise<Answer<Probe>> =>
  eventually(async () => {
    const answer = await app.get<Probe>('/health/ready');
    expect([answer.status, answer.body.status]).toEqual([code, status]);
    return answer;
  }, nextCheckMs);

/** All that the writes of this file could have left behind, row by row. */
const contentOf = async (postgres: PostgresServer): Promise<unknown> => ({
  agents: await postgres.query('SELECT id, name, description FROM agents ORDER BY id'),
  settings: await postgres.query('SELECT version, document FROM settings'),
  history: await postgres.query('SELECT version FROM settings_history ORDER BY version'),
  monitoring: await postgres.query('SELECT document FROM hardware_monitoring'),
  tasks: await postgres.query('SELECT id, status FROM hardware_tasks ORDER BY id'),
});

/** Each write succeeds, and the next read sees it. */
const expectWritesToWork = async (app: Application): Promise<void> => {
  for (const [, write] of writes) expect((await write(app)).status).toBeLessThan(300);
  expect((await app.get(agent)).body).toMatchObject({ description: 'half' });
  expect((await app.get(`${agents}/half`)).status).toBe(200);
  expectProblem(await app.get(`${agents}/code-review-assistant`), 404, 'AGENT_NOT_FOUND');
  expect((await app.get(agents)).body).toMatchObject({ count: 3 });
  expect((await app.get(setting)).body).toMatchObject({ value: { agents_page_size: 3 } });
  expect((await app.get(monitoring)).body).toMatchObject({ interval_seconds: 77 });
};

describe('PostgreSQL killed under an instance', () => {
  let [postgres, ollama, app]: [PostgresServer?, OllamaServer?, Application?] = [];
  const at = (): { postgres: PostgresServer; app: Application } => ({ postgres: postgres!, app: app! });
  const before = new Map<string, Answer>();
  let content: unknown;
  /** Seventy seconds on: past the life of the settings, which is a minute, and then past their stale window of another one. */
  const later = (): void => at().app.signal('SIGUSR2');

  beforeAll(async () => {
    [postgres, ollama] = await Promise.all([PostgresServer.start(), OllamaServer.start()]);
    // Redis keeps time of its own: without it, all clocks are those of the process.
    app = await Application.start({
      ...{ DATABASE_URL: postgres.url, OLLAMA_URL: ollama.url, ADMIN_API_KEYS: key, CACHE_WARMING: 'off' },
      ...clocks(70_000),
    });
    content = await contentOf(postgres);
    for (const path of known) before.set(path, await warm(app, path));
    await postgres.kill();
  }, 60_000);
  afterAll(async () => {
    await app?.stop();
    await Promise.all([postgres?.stop(), ollama?.stop()]);
  });

  it.each(known)('what is fresh is answered as before, and revalidated: %s', async path => {
    const answer = await at().app.get(path);
    expect([answer.status, answer.text]).toEqual([200, before.get(path)!.text]);
    expect(statusOf(answer)).toMatch(/^sutazai; hit; ttl=\d+; detail=l1$/);
    const again = await at().app.get(path, { 'If-None-Match': answer.headers.get('etag')! });
    expect(again.status).toBe(304);
  });

  it.each(unknown)('what is not cached is 503, and no client may keep that: %s', async path => {
    expectAway(await at().app.get(path));
    expectAway(await at().app.get(path));
  });

  it('the history of the settings, which is never cached, is 503', async () => {
    expectAway(await at().app.get(`${settings}/history`, admin));
  });

  it('models need no database: they are loaded as ever', async () => {
    await at().app.post('/api/v1/cache/invalidate', ['models'], admin);
    const answer = await at().app.get(models);
    expect([answer.status, statusOf(answer)]).toEqual([200, 'sutazai; fwd=uri-miss; stored']);
  });

  it.each(writes)('503, and nothing is invalidated, when %s', async (_, write) => {
    expectAway(await write(at().app));
    for (const path of known) expect((await at().app.get(path)).text).toBe(before.get(path)!.text);
  });

  it('the log says why, and nothing of what was to be written', () => {
    const { output } = at().app;
    expect(output).toContain(`DATABASE_UNAVAILABLE on POST ${agents}: `);
    expect(output).not.toMatch(/Failed query|params:/);
  });

  it.each([
    [`${settings}/nothing`, 'SETTING_NOT_FOUND'],
    [`${agents}/NOT_LOWER`, 'AGENT_NOT_FOUND'],
    ['/api/v1/hardware/optimize/nothing', 'TASK_NOT_FOUND'],
  ])('what cannot be there is 404 as ever: %s', async (path, code) => {
    expectProblem(await at().app.get(path), 404, code);
  });

  it('a write that would be refused anyway is refused for its own reason', async () => {
    expectProblem(await at().app.patch(agent, { description: 'x' }), 401, 'AUTH_REQUIRED');
    expectProblem(await at().app.patch(agent, { colour: 'red' }, anyVersion), 400, 'UNKNOWN_FIELD');
  });

  it('live is ok, ready is an error, and the details tell the failed check', async () => {
    const ready = await becomes(at().app, 503, 'error');
    expect(ready.headers.get('cache-control')).toBe('no-store');
    expect(ready.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    expect(ready.body.details['database']).toMatchObject({
      status: 'down',
      message: 'The database does not answer.',
    });
    expect(await at().app.get('/health/live')).toMatchObject({ status: 200, body: { status: 'ok' } });
    await at().app.post('/api/v1/cache/invalidate', ['health'], admin);
    const { status, body } = await at().app.get<Detailed>('/api/v1/health/detailed');
    expect([status, body.status]).toEqual([200, 'unhealthy']);
    expect(body.services['database']).toMatchObject({
      status: 'down',
      error: 'The database does not answer.',
    });
    expect(body.services['database']!.consecutive_failures).toBeGreaterThan(0);
    expect(body.services['models']).toMatchObject({ status: 'up' });
    expect(body.alerts.map(({ source }) => source)).toContain('database');
  });

  it.each([settings, setting])(
    'past its life an answer is still there within its stale window, marked and with its age: %s',
    async path => {
      const failedBefore = await failedLoads(at().app);
      if (path === settings) later();
      const stale = await eventually(async () => {
        const answer = await at().app.get(path);
        expect(statusOf(answer)).toMatch(/stale/);
        return answer;
      });
      expect([stale.status, stale.text]).toEqual([200, before.get(path)!.text]);
      expect(statusOf(stale)).toMatch(/^sutazai; hit; ttl=-\d+; detail=stale$/);
      expect(Number(stale.headers.get('age'))).toBeGreaterThan(60);
      expect(stale.headers.get('cache-control')).toBe(
        'public, max-age=60, stale-while-revalidate=60, stale-if-error=60',
      );
      expect(stale.headers.get('etag')).toBe(before.get(path)!.headers.get('etag'));
      // The refresh behind it fails, and takes nothing away.
      await eventually(async () => {
        await at().app.get(path);
        expect(await failedLoads(at().app)).toBeGreaterThan(failedBefore);
      });
      expect(statusOf(await at().app.get(path))).toMatch(/detail=stale$/);
    },
  );

  it('past its stale window it is 503, while what lives longer goes on', async () => {
    later();
    await eventually(async () => expect((await at().app.get(settings)).status).toBe(503));
    for (const path of [settings, setting]) expectAway(await at().app.get(path));
    expect(statusOf(await at().app.get(monitoring))).toMatch(/^sutazai; hit; ttl=\d+; detail=l1$/);
  });

  it.each([agents, agent])(
    'agents are answered anew from their records, which are cached: %s',
    async path => {
      const answer = await at().app.get(path);
      expect([answer.status, answer.text]).toEqual([200, before.get(path)!.text]);
    },
  );

  it('with it everything is back: reads, ready, and the writes, of which none was half done', async () => {
    await at().postgres.up();
    expect(await contentOf(at().postgres)).toEqual(content);
    await eventually(async () => expect((await at().app.get(agents)).status).toBe(200));
    for (const path of [...known, ...unknown]) expect((await at().app.get(path)).status).toBe(200);
    for (const path of known) expect((await at().app.get(path)).text).toBe(before.get(path)!.text);
    await becomes(at().app, 200, 'ok');
    await at().app.post('/api/v1/cache/invalidate', ['health'], admin);
    expect((await at().app.get<Detailed>('/api/v1/health/detailed')).body.services['database']).toMatchObject(
      {
        status: 'up',
        consecutive_failures: 0,
      },
    );
    await expectWritesToWork(at().app);
  }, 60_000);
});

describe('PostgreSQL away for longer than records live', () => {
  it('no record that is past its life makes an answer that counts as fresh: 503', async () => {
    const postgres = await PostgresServer.start();
    // Eleven minutes: past the life of a record (ten) and all windows of the responses.
    const app = await Application.start({
      ...{ DATABASE_URL: postgres.url, CACHE_WARMING: 'off', ...clocks(660_000) },
    });
    for (const path of [agents, agent, monitoring]) await warm(app, path);
    await postgres.kill();
    app.signal('SIGUSR2');
    await eventually(async () => expect((await app.get(settings)).status).toBe(503));
    for (const path of [agents, agent, monitoring]) expectAway(await app.get(path));
    await app.stop();
    await postgres.stop();
  }, 60_000);
});

describe('PostgreSQL killed under writes', () => {
  let [postgres, app]: [PostgresServer?, Application?] = [];
  beforeAll(async () => {
    postgres = await PostgresServer.start();
    app = await Application.start({
      ...{ DATABASE_URL: postgres.url, ADMIN_API_KEYS: key, CACHE_WARMING: 'off' },
      ...{ DATABASE_STATEMENT_TIMEOUT_MS: '60000', HARDWARE_TASKS_KEPT: '1' },
    });
  }, 60_000);
  afterAll(async () => {
    await app?.stop();
    await postgres?.stop();
  });

  it('each of them is told so with 503, and none is half done', async () => {
    const [server, instance] = [postgres!, app!];
    // Two tasks that have ended, of which one is kept: the next one to begin drops the other.
    for (const [id, day] of [
      ['00000000-0000-4000-8000-000000000001', '2020-01-01'],
      ['00000000-0000-4000-8000-000000000002', '2020-01-02'],
    ])
      await server.query(
        `INSERT INTO hardware_tasks (id, kind, host, owner, status, parameters, created_at) VALUES ($1, 'benchmark', 'h', $1, 'done', '{}', $2)`,
        [id, day],
      );
    const content = await contentOf(server);
    const blocker = new Client({ connectionString: server.url });
    blocker.on('error', (error: Error) => error); // its server is killed below
    await blocker.connect();
    await blocker.query('BEGIN');
    // The settings wait with their new version written and its history not; the task where the old one is dropped.
    await blocker.query('LOCK TABLE agents, settings_history, hardware_monitoring IN SHARE MODE');
    await blocker.query(`SELECT 1 FROM hardware_tasks WHERE created_at = '2020-01-01' FOR UPDATE`);
    const answers = Promise.all(writes.map(([, write]) => write(instance)));
    await eventually(async () => {
      const waiting = await server.query(
        `SELECT query FROM pg_stat_activity WHERE application_name = 'sutazai-backend' AND wait_event_type = 'Lock'`,
      );
      expect(waiting).toHaveLength(writes.length);
    });
    await server.kill();
    for (const answer of await answers) expectAway(answer);
    await server.up();
    expect(await contentOf(server)).toEqual(content);
    await eventually(async () => expect((await instance.get(agents)).status).toBe(200));
    await expectWritesToWork(instance);
  }, 60_000);
});

/** On one Redis, and cold: nobody has asked the database for agents or settings. */
const coldInstances = (env: Record<string, string> = {}): Promise<TwoInstances> =>
  twoInstances({ ADMIN_API_KEYS: key, CACHE_WARMING: 'off', ...env });

describe('PostgreSQL killed under two instances on one Redis', () => {
  let two: TwoInstances;
  beforeAll(async () => {
    two = await coldInstances();
    await Promise.all([two.a, two.b].map(app => becomes(app, 200, 'ok')));
  }, 60_000);
  afterAll(() => two?.stop());

  it('one answers from what the other has read, a failed write drops nothing, and both heal', async () => {
    const { a, b, postgres } = two;
    const paths = [agents, agent, settings, setting, monitoring];
    // Only A has ever asked the database for these.
    const before = new Map<string, string>();
    for (const path of paths) before.set(path, (await a.get(path)).text);
    await postgres.kill();
    for (const path of paths) {
      const answer = await b.get(path);
      expect([answer.status, answer.text]).toEqual([200, before.get(path)]);
      expect(statusOf(answer)).toMatch(/^sutazai; hit; ttl=\d+; detail=l2$/);
    }
    for (const [, write] of writes) expectAway(await write(a));
    for (const app of [a, b])
      for (const path of paths) {
        const answer = await app.get(path);
        expect([answer.status, answer.text]).toEqual([200, before.get(path)]);
        expect(statusOf(answer)).toMatch(/^sutazai; hit; ttl=\d+; detail=l[12]$/);
      }
    for (const app of [a, b]) {
      for (const path of unknown) expectAway(await app.get(path));
      expect((await becomes(app, 503, 'error')).body.details['redis']).toMatchObject({ status: 'up' });
      expect((await app.get('/health/live')).status).toBe(200);
    }
    await postgres.up();
    for (const app of [a, b]) await becomes(app, 200, 'ok');
    await expectWritesToWork(a);
    await eventually(async () => {
      expect((await b.get(agent)).body).toMatchObject({ description: 'half' });
      expect((await b.get(agents)).body).toMatchObject({ count: 3 });
      expect((await b.get(monitoring)).body).toMatchObject({ interval_seconds: 77 });
    }, boundMs);
  }, 90_000);

  it('without Redis as well nothing hangs and nothing is made up: 503, live ok, and it heals in either order', async () => {
    const { a, postgres, redis } = two;
    await Promise.all([postgres.kill(), redis.kill()]);
    await becomes(a, 503, 'error');
    expect((await a.get('/health/live')).status).toBe(200);
    for (const path of unknown) expectAway(await a.get(path));
    for (const [, write] of writes) expectAway(await write(a));
    await postgres.up();
    await becomes(a, 200, 'degraded');
    for (const path of known) expect((await a.get(path)).status).toBe(200);
    await redis.up();
    await becomes(a, 200, 'ok');
  }, 90_000);
});

describe('PostgreSQL frozen while it is written to', () => {
  let two: TwoInstances;
  beforeAll(async () => {
    two = await coldInstances({
      ...{ DATABASE_STATEMENT_TIMEOUT_MS: '200', DATABASE_CONNECT_TIMEOUT_MS: '500', LOG_LEVEL: 'info' },
    });
  }, 60_000);
  afterAll(() => two?.stop());

  it('a write that was told as 503 and happens when the server goes on is seen by both, whatever they have read before that', async () => {
    const { a, b, postgres } = two;
    const before = (await warm(a, agent)).text;
    await warm(b, agent);
    postgres.freeze();
    expectAway(await a.patch(agent, { description: 'late' }, anyVersion));
    // What is cached goes on meanwhile.
    for (const app of [a, b]) expect((await app.get(agent)).text).toBe(before);
    // New connections find the old record, because the process that has the statement has not gone on yet.
    postgres.thawServer();
    for (const app of [a, b]) expect((await warm(app, agent)).text).toBe(before);
    postgres.thaw();
    for (const app of [a, b])
      await eventually(async () =>
        expect((await app.get(agent)).body).toMatchObject({ description: 'late' }),
      );
  }, 60_000);

  it('an entry of the audit log of which nobody knows whether it was written is there once', async () => {
    const { a, postgres } = two;
    postgres.freeze();
    const { headers } = await a.post('/api/v1/cache/invalidate', ['once'], admin);
    await eventually(() => expect(a.output).toContain('entries wait for the database'));
    postgres.thaw();
    const rows = await eventually(async () => {
      const found = await postgres.query(
        'SELECT id FROM audit_log WHERE request_id = $1',
        [headers.get('x-request-id')],
        two.url,
      );
      expect(a.output).toContain('entries are written again');
      return found;
    });
    expect(rows).toHaveLength(1);
  }, 60_000);

  it('a key whose revoking was told as 503 is refused when that has happened', async () => {
    const { a, b, postgres } = two;
    const made = { name: 'lost', scopes: ['cache:read'] };
    const { body } = await a.post<{ id: string; key: string }>('/api/v1/admin/keys', made, admin);
    const audit = (app: Application): Promise<Answer> =>
      app.get('/api/v1/cache/audit', { 'X-API-Key': body.key });
    for (const app of [a, b]) expect((await audit(app)).status).toBe(200);
    postgres.freeze();
    expectAway(await a.delete(`/api/v1/admin/keys/${body.id}`, admin));
    postgres.thaw();
    for (const app of [a, b])
      await eventually(async () => expectProblem(await audit(app), 401, 'AUTH_INVALID'));
  }, 60_000);
});
