import { Application, type Answer } from './harness/application';
import { metricsOf, queriesOf } from './harness/metrics';
import { expectProblem } from './harness/problem';

interface Agent {
  id: string;
  status: string;
  version: number;
  token: string;
  last_seen_at: string | null;
  updated_at: string;
}

const adminKey = 'an-admin-key-of-the-environment-0123456789';
const asAdmin = { 'X-API-Key': adminKey };
const path = '/api/v1/agents';

let app: Application;
beforeAll(async () => {
  app = await Application.start({ ADMIN_API_KEYS: adminKey });
});
afterAll(() => app.stop());

let serial = 0;
const create = async (more: object = {}): Promise<Agent> =>
  (await app.post<Agent>(path, { name: `Beating ${(serial += 1)}`, type: 'test', ...more }, asAdmin)).body;
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
const beat = (id: string, headers: Record<string, string>, body?: unknown): Promise<Answer<Agent>> =>
  app.post<Agent>(`${path}/${id}/heartbeat`, body, headers);
const read = async (id: string): Promise<Agent> => (await app.get<Agent>(`${path}/${id}`)).body;
const statusOf = async (url: string): Promise<string> =>
  ((await app.get(url)).headers.get('cache-status') ?? '').split(';')[1]!.trim();

describe('a heartbeat', () => {
  it('of the agent itself makes it healthy and seen, in the next read of it and of the list', async () => {
    const { id, token, version } = await create();
    expect((await read(id)).status).toBe('unknown');
    const answer = await beat(id, bearer(token));
    expect([answer.status, answer.body]).toEqual([
      200,
      expect.objectContaining({ id, status: 'healthy', last_seen_at: expect.stringMatching(/Z$/) }),
    ]);
    expect(answer.body.version).toBeGreaterThan(version);
    expect(answer.body.token).toBeUndefined();
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await read(id)).toEqual(answer.body);
    const { agents } = (await app.get<{ agents: Agent[] }>(`${path}?status=healthy&limit=200`)).body;
    expect(agents.find(agent => agent.id === id)).toEqual(answer.body);
  });

  it('says what the agent thinks of itself', async () => {
    const { id, token } = await create();
    expect((await beat(id, bearer(token), { status: 'unhealthy' })).body.status).toBe('unhealthy');
    expect((await read(id)).status).toBe('unhealthy');
    expect((await beat(id, bearer(token), {})).body.status).toBe('healthy');
    expect((await read(id)).status).toBe('healthy');
  });

  it('may be sent by an administrator, also with the token as X-API-Key', async () => {
    const { id, token } = await create();
    expect((await beat(id, asAdmin)).status).toBe(200);
    expect((await beat(id, { 'X-API-Key': token })).status).toBe(200);
  });

  it('that changes no status drops nothing that is cached, makes no new version and costs one query', async () => {
    const { id, token } = await create();
    const first = (await beat(id, bearer(token))).body;
    const urls = [`${path}?limit=200`, `${path}?status=healthy`, `${path}/${id}`];
    for (const url of urls) await app.get(url);
    const before = await metricsOf(app);
    for (let n = 0; n < 5; n += 1) {
      const { version, updated_at, last_seen_at } = (await beat(id, bearer(token))).body;
      expect({ version, updated_at }).toEqual({ version: first.version, updated_at: first.updated_at });
      expect(Date.parse(last_seen_at!)).toBeGreaterThanOrEqual(Date.parse(first.last_seen_at!));
      for (const url of urls) expect([url, await statusOf(url)]).toEqual([url, 'hit']);
    }
    const after = await metricsOf(app);
    const added = (series: string): number => after(series) - before(series);
    // The digest of the token comes from the cache.
    expect(added('database_queries_total')).toBe(5);
    expect(added('cache_invalidations_total{kind="tags"}')).toBe(0);
    // What is cached may be behind in this one field, and catches up when its life is over.
    expect((await read(id)).last_seen_at).toBe(first.last_seen_at);
    await beat(id, bearer(token), { status: 'unhealthy' });
    for (const url of urls) expect([url, await statusOf(url)]).toEqual([url, 'fwd=uri-miss']);
  });

  it('leaves other agents cached', async () => {
    const [one, other] = [await create(), await create()];
    await read(other.id);
    await beat(one.id, bearer(one.token));
    expect(await statusOf(`${path}/${other.id}`)).toBe('hit');
  });

  it('is a 404 for an administrator where there is no agent', async () => {
    for (const id of ['nobody', 'NOT-LOWER', 'x'.repeat(64)])
      expectProblem(await beat(id, asAdmin), 404, 'AGENT_NOT_FOUND');
  });

  it.each([
    [{ status: 'offline' }, 'VALIDATION_FAILED', 'status'],
    [{ status: null }, 'VALIDATION_FAILED', 'status'],
    [{ status: ['healthy'] }, 'VALIDATION_FAILED', 'status'],
    [{ state: 'healthy' }, 'UNKNOWN_FIELD', 'state'],
    [[], 'BODY_INVALID', '$'],
    ['"x"', 'BODY_INVALID', '$'],
  ])('is refused with %j', async (body, code, where) => {
    const { id, token } = await create();
    const problem = expectProblem(await beat(id, bearer(token), body), 400, code);
    expect(problem.errors?.[0]?.path).toBe(where);
    expect((await read(id)).last_seen_at).toBeNull();
  });
});

describe('the token of an agent', () => {
  it('is shown when the agent is made, and nowhere else', async () => {
    const { id, token } = await create();
    expect(token).toMatch(/^sutazai_agent_[A-Za-z0-9_-]{43}[0-9a-f]{6}$/);
    for (const url of [`${path}/${id}`, `${path}?limit=200`])
      expect((await app.get(url)).text).not.toMatch(/token|sha256|sutazai_agent_/);
  });

  it('is of no use for another agent, for other routes, or when it is not quite right', async () => {
    const [one, other] = [await create(), await create()];
    const flipped = one.token.replace(/.$/, digit => (digit === '0' ? '1' : '0'));
    expectProblem(await beat(other.id, bearer(one.token)), 401, 'AUTH_INVALID');
    expectProblem(await beat(one.id, bearer(flipped)), 401, 'AUTH_INVALID');
    expectProblem(await beat(one.id, bearer(`${one.token}x`)), 401, 'AUTH_INVALID');
    expectProblem(await beat('nobody', bearer(one.token)), 401, 'AUTH_INVALID');
    expectProblem(await beat(one.id, {}), 401, 'AUTH_REQUIRED');
    expectProblem(await beat(one.id, { ...asAdmin, ...bearer(one.token) }), 400, 'HEADER_DUPLICATE');
    const patch = await app.patch(
      `${path}/${one.id}`,
      { type: 'x' },
      { ...bearer(one.token), 'If-Match': '*' },
    );
    expectProblem(patch, 401, 'AUTH_INVALID');
    expectProblem(
      await app.post(`${path}/${one.id}/token`, undefined, bearer(one.token)),
      401,
      'AUTH_INVALID',
    );
  });

  it('is replaced by an administrator: the old one ends at once', async () => {
    const { id, token } = await create();
    await beat(id, bearer(token));
    const answer = await app.post<{ id: string; token: string }>(`${path}/${id}/token`, undefined, asAdmin);
    expect([answer.status, Object.keys(answer.body)]).toEqual([201, ['id', 'token']]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expectProblem(await beat(id, bearer(token)), 401, 'AUTH_INVALID');
    expect((await beat(id, bearer(answer.body.token))).status).toBe(200);
    for (const nobody of ['nobody', 'NOT-LOWER'])
      expectProblem(await app.post(`${path}/${nobody}/token`, undefined, asAdmin), 404, 'AGENT_NOT_FOUND');
    expectProblem(await app.post(`${path}/${id}/token`), 401, 'AUTH_REQUIRED');
  });

  it('ends with the agent', async () => {
    const { id, token } = await create({ id: 'ends-here' });
    await beat(id, bearer(token));
    await app.delete(`${path}/${id}`, asAdmin);
    expectProblem(await beat(id, bearer(token)), 401, 'AUTH_INVALID');
    await create({ id });
    expectProblem(await beat(id, bearer(token)), 401, 'AUTH_INVALID');
  });

  it('that the agents of a fresh installation lack is given to them the same way', async () => {
    const id = 'security-scanner';
    const { token } = (await app.post<{ token: string }>(`${path}/${id}/token`, undefined, asAdmin)).body;
    expect((await beat(id, bearer(token))).status).toBe(200);
  });

  it('is looked for only where it can be one: guesses cost no query', async () => {
    const { id } = await create();
    const before = await queriesOf(app);
    for (const guess of ['', 'x', adminKey.slice(1), `sutazai_agent_${'A'.repeat(43)}000000`])
      expect((await beat(id, bearer(guess))).status).toBe(401);
    expect(await queriesOf(app)).toBe(before);
  });
});

describe('the limits of heartbeats', () => {
  let limited: Application;
  beforeAll(async () => {
    limited = await Application.start({ ADMIN_API_KEYS: adminKey, RATE_LIMIT: '20' });
  });
  afterAll(() => limited.stop());
  const newAgent = async (name: string): Promise<Agent> =>
    (await limited.post<Agent>(path, { name, type: 'test' }, asAdmin)).body;
  const post = ({ id }: Agent, token: string) =>
    limited.post(`${path}/${id}/heartbeat`, undefined, bearer(token));

  it('are counted for each agent, and wrong tokens as failed logins', async () => {
    const [one, other] = [await newAgent('one'), await newAgent('other')];
    const answers = [];
    for (let n = 0; n < 21; n += 1) answers.push(await post(one, one.token));
    expect(answers.map(({ status }) => status)).toEqual([...Array<number>(20).fill(200), 429]);
    expectProblem(answers.at(-1)!, 429, 'RATE_LIMITED');
    expect((await post(other, other.token)).status).toBe(200);
    const guesses = [];
    for (let n = 0; n < 3; n += 1) guesses.push((await post(one, other.token)).status);
    expect(guesses).toEqual([401, 401, 429]);
    expect((await post(other, other.token)).status).toBe(200);
  });
});
