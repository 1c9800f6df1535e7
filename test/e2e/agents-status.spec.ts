import { AgentServer } from './harness/agent-server';
import { Application } from './harness/application';
import { eventually } from './harness/eventually';
import { freePort } from './harness/free-port';
import { metricsOf, queriesOf } from './harness/metrics';
import { PostgresServer } from './harness/postgres-server';
import { RedisServer } from './harness/redis-server';

interface BreakerList {
  circuit_breakers: { name: string; state: string; opened_at: string | null }[];
}

interface Agent {
  id: string;
  status: string;
  version: number;
  last_seen_at: string | null;
}

const path = '/api/v1/agents';
const watched = { AGENTS_WATCH_INTERVAL_MS: '100', AGENTS_OFFLINE_AFTER_MS: '1500' };
let serial = 0;
const create = async (app: Application, more: object = {}): Promise<Agent> =>
  (await app.post<Agent>(path, { name: `Watched ${(serial += 1)}`, type: 'test', ...more })).body;
const beat = (app: Application, id: string, status = 'healthy') =>
  app.post<Agent>(`${path}/${id}/heartbeat`, { status });
const read = async (app: Application, id: string): Promise<Agent> =>
  (await app.get<Agent>(`${path}/${id}`)).body;
const becomes = (app: Application, id: string, status: string): Promise<void> =>
  eventually(async () => expect((await read(app, id)).status).toBe(status));
/** Waits for so many further rounds of the watch, so that what the next one has not changed it does not change. */
const rounds = async (app: Application, count: number): Promise<void> => {
  const ended = async (): Promise<number> =>
    (await metricsOf(app))('agents_watch_rounds_total{outcome="ended"}');
  const before = await ended();
  await eventually(async () => expect(await ended()).toBeGreaterThanOrEqual(before + count));
};

describe('the watch over agents', () => {
  let app: Application;
  let server: AgentServer;
  beforeAll(async () => {
    [app, server] = await Promise.all([
      Application.start({ ...watched, AGENTS_PROBE_PRIVATE: 'on', AGENTS_PROBE_CONCURRENCY: '4' }),
      AgentServer.start(),
    ]);
    // Those of a fresh installation have names that lead nowhere here.
    const { agents } = (await app.get<{ agents: Agent[] }>(`${path}?limit=200`)).body;
    for (const { id } of agents) await app.delete(`${path}/${id}`);
  });
  afterAll(() => Promise.all([app.stop(), server.stop()]));
  beforeEach(() => (server.behaviour = 200));

  it('finds agents offline that have fallen silent, and they are back with the next heartbeat', async () => {
    const { id } = await create(app);
    expect((await beat(app, id)).body.status).toBe('healthy');
    await becomes(app, id, 'offline');
    expect((await beat(app, id)).body.status).toBe('healthy');
    expect((await read(app, id)).status).toBe('healthy');
  });

  it('leaves alone what nothing is known of: a status that was set by hand, and unknown', async () => {
    const set = await create(app, { status: 'healthy' });
    const unknown = await create(app);
    await rounds(app, 2);
    expect(await read(app, set.id)).toMatchObject({ status: 'healthy', version: set.version });
    expect(await read(app, unknown.id)).toMatchObject({ status: 'unknown', version: unknown.version });
  });

  it('lets a status that is set by hand stand until a sign says otherwise', async () => {
    const { id } = await create(app);
    const patched = await app.patch<Agent>(`${path}/${id}`, { status: 'unhealthy' }, { 'If-Match': '*' });
    expect(patched.body.status).toBe('unhealthy');
    await rounds(app, 2);
    expect((await read(app, id)).status).toBe('unhealthy');
    expect((await beat(app, id)).body.status).toBe('healthy');
  });

  it('probes {url}/health: by its answers agents are healthy, unhealthy and healthy again', async () => {
    const { id } = await create(app, { url: `${server.url}/base/` });
    await becomes(app, id, 'healthy');
    expect(server.asked.at(-1)).toBe('/base/health');
    for (const [behaviour, status] of [
      [503, 'unhealthy'],
      [204, 'healthy'],
      ['redirect', 'unhealthy'],
      [200, 'healthy'],
    ] as const) {
      server.behaviour = behaviour;
      await becomes(app, id, status);
    }
    expect(server.asked).not.toContain('/elsewhere');
    await app.delete(`${path}/${id}`);
  });

  it('finds agents offline that do not answer, unhealthy when they send heartbeats all the same', async () => {
    const { id } = await create(app, { url: `http://127.0.0.1:${await freePort()}` });
    await becomes(app, id, 'offline');
    expect((await beat(app, id)).body.status).toBe('unhealthy');
    await becomes(app, id, 'offline');
    await app.delete(`${path}/${id}`);
  });

  it('believes an agent that calls itself unhealthy more than its probe, while it is heard of', async () => {
    const { id } = await create(app, { url: server.url });
    await becomes(app, id, 'healthy');
    expect((await beat(app, id, 'unhealthy')).body.status).toBe('unhealthy');
    await becomes(app, id, 'healthy');
    await app.delete(`${path}/${id}`);
  });

  it('forgets what it found at a URL when the agent gets another one', async () => {
    const { id } = await create(app, { url: `http://127.0.0.1:${await freePort()}` });
    await becomes(app, id, 'offline');
    await app.patch(`${path}/${id}`, { url: null }, { 'If-Match': '*' });
    expect((await beat(app, id)).body.status).toBe('healthy');
    await app.patch(`${path}/${id}`, { url: server.url }, { 'If-Match': '*' });
    await rounds(app, 2);
    expect((await read(app, id)).status).toBe('healthy');
    await app.delete(`${path}/${id}`);
  });

  it('waits 2 s for an answer, and for four at once', async () => {
    const slow = await AgentServer.start();
    const made = await Promise.all(Array.from({ length: 6 }, () => create(app, { url: slow.url })));
    for (const { id } of made) await becomes(app, id, 'healthy');
    slow.mostOpen = 0;
    slow.behaviour = 'silent';
    const startedAt = performance.now();
    for (const { id } of made) await becomes(app, id, 'offline');
    expect(performance.now() - startedAt).toBeGreaterThan(1_900);
    expect(slow.mostOpen).toBe(4);
    for (const { id } of made) await app.delete(`${path}/${id}`);
    await slow.stop();
  }, 30_000);

  it('asks a host no more after three failures, and says so; another one goes on being asked', async () => {
    const dead = await freePort();
    const value = async (series: string): Promise<number> => (await metricsOf(app))(series);
    const failed = await value('agents_probes_total{outcome="unreachable"}');
    const skipped = await value('agents_probes_total{outcome="skipped"}');
    const lost = await create(app, { url: `http://127.0.0.1:${dead}` });
    const alive = await AgentServer.start();
    const well = await create(app, { url: alive.url });
    await becomes(app, lost.id, 'offline');
    await eventually(async () =>
      expect(await value('agents_probes_total{outcome="skipped"}')).toBeGreaterThan(skipped),
    );
    expect(await value('agents_probes_total{outcome="unreachable"}')).toBe(failed + 3);
    expect(await value('agents_probe_breakers{state="open"}')).toBeGreaterThanOrEqual(1);
    const breakers = '/api/v1/health/circuit-breakers';
    const name = `agents:127.0.0.1:${dead}`;
    const listed = (await app.get<BreakerList>(breakers)).body.circuit_breakers.find(
      each => each.name === name,
    );
    expect(listed).toMatchObject({ state: 'open', opened_at: expect.any(String) });
    expect((await app.post<BreakerList>(`${breakers}/reset`, { name })).status).toBe(200);
    // The next rounds ask the host again, and open it once more.
    await eventually(async () =>
      expect(await value('agents_probes_total{outcome="unreachable"}')).toBeGreaterThan(failed + 3),
    );
    const asked = alive.asked.length;
    await rounds(app, 2);
    expect(alive.asked.length).toBeGreaterThan(asked);
    expect((await read(app, well.id)).status).toBe('healthy');
    await alive.stop();
  });

  it('costs two queries a round and drops nothing while nothing changes', async () => {
    for (const { id } of (await app.get<{ agents: Agent[] }>(`${path}?limit=200`)).body.agents)
      await app.delete(`${path}/${id}`);
    const well = await AgentServer.start();
    const { id } = await create(app, { url: well.url });
    await becomes(app, id, 'healthy');
    const ended = (read: (series: string) => number): number =>
      read('agents_watch_rounds_total{outcome="ended"}');
    const before = await metricsOf(app);
    await rounds(app, 5);
    const after = await metricsOf(app);
    const count = ended(after) - ended(before);
    const queries = after('database_queries_total') - before('database_queries_total');
    expect(Math.abs(queries - 2 * count)).toBeLessThanOrEqual(2); // a round may be under way at either end
    expect(after('cache_invalidations_total{kind="tags"}')).toBe(
      before('cache_invalidations_total{kind="tags"}'),
    );
    expect((await app.get(`${path}/${id}`)).headers.get('cache-status')).toMatch(/hit/);
    await well.stop();
  });
});

describe('the watch without leave to ask private addresses', () => {
  it('sends nothing there, and leaves the status to heartbeats', async () => {
    const [app, server] = await Promise.all([Application.start(watched), AgentServer.start()]);
    const port = new URL(server.url).port;
    const refused = async (): Promise<number> =>
      (await metricsOf(app))('agents_probes_total{outcome="refused"}');
    const ids: string[] = [];
    for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '2130706433'])
      ids.push((await create(app, { url: `http://${host}:${port}` })).id ?? host);
    const made = ids.filter(id => /^[0-9a-f-]{36}$/.test(id));
    expect(made.length).toBeGreaterThanOrEqual(2);
    await eventually(async () => expect(await refused()).toBeGreaterThanOrEqual(2 * made.length));
    expect(server.asked).toEqual([]);
    for (const id of made) expect((await read(app, id)).status).toBe('unknown');
    expect((await beat(app, made[0]!)).body.status).toBe('healthy');
    await Promise.all([app.stop(), server.stop()]);
  });
});

describe('the watch of several instances', () => {
  let redis: RedisServer;
  let postgres: PostgresServer;
  let server: AgentServer;
  let env: Record<string, string>;
  beforeAll(async () => {
    [redis, postgres, server] = await Promise.all([
      RedisServer.start(),
      PostgresServer.start(),
      AgentServer.start(),
    ]);
    env = {
      AGENTS_WATCH_INTERVAL_MS: '500',
      AGENTS_PROBE_PRIVATE: 'on',
      REDIS_URL: redis.url,
      DATABASE_URL: await postgres.createDatabase('watch'),
    };
  });
  afterAll(() => Promise.all([redis.stop(), postgres.stop(), server.stop()]));

  it('is one: each round is led by one of them, and another goes on when it is gone', async () => {
    const [a, b] = await Promise.all([Application.start(env), Application.start(env)]);
    const { agents } = (await a.get<{ agents: Agent[] }>(`${path}?limit=200`)).body;
    for (const { id } of agents) await a.delete(`${path}/${id}`);
    const { id } = await create(a, { url: server.url });
    await Promise.all([becomes(a, id, 'healthy'), becomes(b, id, 'healthy')]);
    const led = async (app: Application): Promise<number> =>
      (await metricsOf(app))('agents_watch_rounds_total{outcome="ended"}');
    // Rounds are half a second: two instances that lead each of their own would make twice as many.
    const [before, startedAt] = [(await led(a)) + (await led(b)), performance.now()];
    await eventually(async () => expect((await led(a)) + (await led(b))).toBeGreaterThanOrEqual(before + 6));
    const passed = (performance.now() - startedAt) / 500;
    expect((await led(a)) + (await led(b)) - before).toBeLessThanOrEqual(passed + 2);
    await a.stop('SIGKILL');
    server.behaviour = 500;
    await eventually(async () => expect((await read(b, id)).status).toBe('unhealthy'), 30_000);
    expect(await queriesOf(b)).toBeGreaterThan(0);
    await b.stop();
  }, 60_000);

  it('is taken over in the middle of a round: the leader is killed while it probes', async () => {
    const slow = await AgentServer.start();
    slow.behaviour = 'silent';
    const a = await Application.start({ ...env, DATABASE_URL: await postgres.createDatabase('takeover') });
    const { agents } = (await a.get<{ agents: Agent[] }>(`${path}?limit=200`)).body;
    for (const { id } of agents) await a.delete(`${path}/${id}`);
    const { id } = await create(a, { url: slow.url });
    await eventually(() => expect(slow.asked.length).toBeGreaterThan(0));
    await a.stop('SIGKILL');
    slow.behaviour = 200;
    const b = await Application.start({
      ...env,
      DATABASE_URL: env['DATABASE_URL']!.replace(/watch$/, 'takeover'),
    });
    // The lead of the dead one ends after 20 s.
    await eventually(async () => expect((await read(b, id)).status).toBe('healthy'), 40_000);
    await Promise.all([b.stop(), slow.stop()]);
  }, 90_000);
});
