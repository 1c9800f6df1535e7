import { type Application } from './harness/application';
import { eventually } from './harness/eventually';
import { type TwoInstances, twoInstances } from './harness/two-instances';

interface Statistics {
  policies: Record<string, { loads: { count: number } } | undefined>;
}
interface Agent {
  id: string;
  description: string | null;
}

/** The staleness bound Δ: a write is seen everywhere at most so much later. */
const boundMs = 2_000;

describe('two instances on one Redis and one PostgreSQL server', () => {
  let two: TwoInstances | undefined;
  let a: Application;
  let b: Application;
  const statsOf = async (app: Application): Promise<Statistics> =>
    (await app.get<Statistics>('/api/v1/cache/stats')).body;
  const loads = async (policy: string): Promise<number> => {
    const all = await Promise.all([a, b].map(statsOf));
    return all.reduce((sum, stats) => sum + (stats.policies[policy]?.loads.count ?? 0), 0);
  };
  const agent = async (app: Application): Promise<Agent> =>
    (await app.get<Agent>('/api/v1/agents/security-scanner')).body;

  beforeAll(async () => {
    // An instance whose command Redis has not answered in time loads for itself, as it should: with 300 ms that can be a busy machine.
    two = await twoInstances({ REDIS_COMMAND_TIMEOUT_MS: '20000' });
    ({ a, b } = two);
  }, 60_000);
  afterAll(() => two?.stop());

  test('what one has loaded the other serves from Redis, and then from its own memory', async () => {
    const path = '/api/v1/agents?limit=2';
    expect((await a.get(path)).headers.get('cache-status')).toBe('sutazai; fwd=uri-miss; stored');
    expect((await b.get(path)).headers.get('cache-status')).toMatch(/hit; ttl=\d+; detail=l2$/);
    expect((await b.get(path)).headers.get('cache-status')).toMatch(/hit; ttl=\d+; detail=l1$/);
  });

  test('a PATCH is seen by the next read on its instance, and on the other within the bound', async () => {
    for (let round = 0; round < 5; round += 1) {
      await Promise.all([a, b].flatMap(app => [agent(app), agent(app)]));
      const [writer, other] = round % 2 === 0 ? [a, b] : [b, a];
      const description = `round ${round}`;
      const patched = await writer.patch<Agent>(
        '/api/v1/agents/security-scanner',
        { description },
        { 'If-Match': '*' },
      );
      expect([patched.status, patched.body.description]).toEqual([200, description]);
      expect((await agent(writer)).description).toBe(description);
      await eventually(async () => expect((await agent(other)).description).toBe(description), boundMs, 1);
      expect((await agent(writer)).description).toBe(description);
    }
  });

  test('a change of the settings reaches both', async () => {
    const version = async (app: Application): Promise<number> =>
      (await app.get<{ version: number }>('/api/v1/settings')).body.version;
    const before = await version(b);
    expect(await version(a)).toBe(before);
    const etag = (await a.get('/api/v1/settings')).headers.get('etag') ?? '';
    const patched = await a.patch(
      '/api/v1/settings',
      { performance: { agents_page_size: 20 } },
      { 'If-Match': etag },
    );
    expect(patched.status).toBe(200);
    expect(await version(a)).toBe(before + 1);
    await eventually(async () => expect(await version(b)).toBe(before + 1), boundMs, 1);
  });

  test('2 × 50 callers of a cold key make one load: one controller call, one query', async () => {
    await a.post('/api/v1/cache/clear?confirm=true');
    const before = { api: await loads('api'), db: await loads('db') };
    const answers = await Promise.all(
      [a, b].flatMap(app => Array.from({ length: 50 }, () => app.get('/api/v1/agents?limit=5'))),
    );
    expect(new Set(answers.map(answer => answer.status))).toEqual(new Set([200]));
    expect(new Set(answers.map(answer => answer.text)).size).toBe(1);
    expect({ api: (await loads('api')) - before.api, db: (await loads('db')) - before.db }).toEqual({
      api: 1,
      db: 1,
    });
  });

  test('an invalidation by tag on one is a miss on the other', async () => {
    await Promise.all([a, b].map(agent));
    await a.post('/api/v1/cache/invalidate', ['agents']);
    await eventually(async () => {
      const status = (await b.get('/api/v1/agents/security-scanner')).headers.get('cache-status');
      expect(status).toMatch(/fwd=uri-miss/);
    }, boundMs);
  });
});
