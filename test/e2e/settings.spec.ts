import { Application } from './harness/application';
import { expectUntouched, lookupsOf } from './harness/counts';
import { eventually } from './harness/eventually';
import { expectProblem } from './harness/problem';
import { type TwoInstances, twoInstances } from './harness/two-instances';

interface PolicySettings {
  ttl_seconds: number | null;
  stale_seconds: number | null;
}
interface Settings {
  environment: string;
  features: Record<string, boolean>;
  performance: Record<string, number>;
  logging: { level: string | null };
  cache: { policies: Record<string, PolicySettings> };
  health: Record<string, number>;
  version: number;
}
interface Policy {
  name: string;
  ttl_ms: number;
  stale_ms: number;
  overridden: boolean;
  places: { total: number; own_ttl: number; own_stale: number };
}

const policyNames = ['model', 'session', 'api', 'db', 'compute', 'static'];
const notOverridden = { ttl_seconds: null, stale_seconds: null };

/** Queries of the database, and whatever the cache did. */
async function measure(of: Application): Promise<Record<string, number>> {
  const queries = /^database_queries_total (\d+)$/m.exec((await of.get('/metrics')).text)?.[1];
  const { gets, sets, misses } = (await of.get<Record<string, number>>('/api/v1/cache/stats')).body;
  return { queries: Number(queries), gets: gets!, sets: sets!, misses: misses! };
}

/** What a request cost of that. */
async function costOf(of: Application, run: () => Promise<unknown>): Promise<object> {
  const before = await measure(of);
  await run();
  const after = await measure(of);
  return Object.fromEntries(Object.entries(after).map(([name, count]) => [name, count - before[name]!]));
}

let app: Application;
beforeAll(async () => {
  app = await Application.start();
});
afterAll(() => app.stop());

const path = '/api/v1/settings';
const read = () => app.get<Settings>(path);
const change = (body: unknown, version: string) =>
  app.patch<Settings & { code: string; errors?: object[] }>(path, body, { 'If-Match': version });

describe('the settings', () => {
  it('begin with the defaults at version 1, which is the ETag', async () => {
    const { body, headers } = await read();
    expect(body).toEqual({
      environment: 'test',
      features: { agent_registration: true, agent_removal: true },
      performance: { agents_page_size: 50, agents_max_page_size: 200 },
      logging: { level: null },
      cache: { policies: Object.fromEntries(policyNames.map(name => [name, notOverridden])) },
      health: { consecutive_failures: 1, response_time_ms: 1_000, uptime_percent: 99 },
      version: 1,
    });
    expect(headers.get('etag')).toBe('"1"');
  });

  it('are answered from the cache the second time, with the same ETag', async () => {
    await read();
    const { headers } = await read();
    expect(headers.get('cache-status')).toMatch(/^sutazai; hit/);
    expect(headers.get('etag')).toBe('"1"');
  });

  it.each([
    ['environment', 'test'],
    ['features', { agent_registration: true, agent_removal: true }],
    ['performance.agents_page_size', 50],
    ['logging.level', null],
    ['cache.policies.api', notOverridden],
    ['cache.policies.session.ttl_seconds', null],
    ['health.uptime_percent', 99],
  ])('are read one by one: %s', async (key, value) => {
    expect((await app.get(`${path}/${key}`)).body).toEqual({ key, value, version: 1 });
  });

  it.each([
    'nothing',
    'features.nothing',
    'version',
    'NOT-A-KEY!',
    'environment.',
    'cache.policies.default',
    '__proto__',
    'constructor',
    'features.constructor',
    'environment.length',
    'logging.level.length',
    'cache.policies.nothing',
    'features..agent_removal',
    'x'.repeat(2_000),
    '%00',
  ])('have no %s: 404, for which neither database nor cache is asked', async key => {
    await expectUntouched(
      () => lookupsOf(app),
      async () => {
        const answer = await app.get(`${path}/${key}`);
        expect([answer.status, answer.body['code']]).toEqual([404, 'SETTING_NOT_FOUND']);
      },
    );
  });

  it('are all read one by one, whatever is in the whole answer', async () => {
    const { version, ...sections } = (await read()).body;
    const expectOne = async (key: string, value: unknown): Promise<void> => {
      expect((await app.get(`${path}/${key}`)).body).toEqual({ key, value, version });
      if (typeof value !== 'object' || value === null) return;
      for (const [name, each] of Object.entries(value)) await expectOne(`${key}.${name}`, each);
    };
    for (const [name, section] of Object.entries(sections)) await expectOne(name, section);
  });

  it('change under their version, are seen by the next read, and keep a history', async () => {
    const before = (await read()).body;
    const answer = await change({ performance: { agents_page_size: 3 } }, `"${before.version}"`);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      ...before,
      performance: { ...before.performance, agents_page_size: 3 },
      version: before.version + 1,
    });
    expect(answer.headers.get('etag')).toBe(`"${before.version + 1}"`);
    expect((await read()).body).toEqual(answer.body);
    expect((await app.get(`${path}/performance.agents_page_size`)).body).toMatchObject({ value: 3 });
    const history = await app.get<{ history: object[]; next_before: number | null }>(
      `${path}/history?limit=1`,
    );
    expect(history.body.history[0]).toEqual({
      version: before.version + 1,
      change: { performance: { agents_page_size: 3 } },
      changed_by: 'loopback',
      changed_at: expect.stringMatching(/Z$/),
    });
  });

  it('take effect: the page size of the agents, cached pages included', async () => {
    const agents = () => app.get<{ count: number }>('/api/v1/agents');
    await agents();
    await change({ performance: { agents_page_size: 5 } }, '*');
    expect((await agents()).body.count).toBe(5);
    await change({ features: { agent_registration: false, agent_removal: false } }, '*');
    expect((await app.post('/api/v1/agents', { name: 'a', type: 'b' })).body['code']).toBe('FEATURE_OFF');
    expect((await app.delete('/api/v1/agents/a')).status).toBe(403);
    await change({ features: { agent_registration: true, agent_removal: true } }, '*');
  });

  it('are not changed without If-Match (428), with another version or a weak tag (412), or with nonsense (400)', async () => {
    const { version } = (await read()).body;
    const body = { performance: { agents_page_size: 9 } };
    expect((await app.patch(path, body)).body['code']).toBe('PRECONDITION_REQUIRED');
    for (const tag of ['"999"', `W/"${version}"`, '"abc"', `"${version - 1}"`]) {
      expect(await change(body, tag)).toMatchObject({ status: 412, body: { code: 'PRECONDITION_FAILED' } });
    }
    for (const tag of ['abc', '"1', `${version}`])
      expect(await change(body, tag)).toMatchObject({ status: 400, body: { code: 'IF_MATCH_INVALID' } });
    expect((await read()).body.version).toBe(version);
    expect((await change(body, `"999", "${version}"`)).status).toBe(200);
  });

  it('lose no update: of twenty changes of one version, one succeeds', async () => {
    const { version } = (await read()).body;
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        change({ performance: { agents_page_size: 10 + index } }, `"${version}"`),
      ),
    );
    expect(answers.map(answer => answer.status).sort()).toEqual([200, ...Array<number>(19).fill(412)]);
    const winner = answers.find(answer => answer.status === 200);
    expect((await read()).body).toEqual(winner?.body);
  });

  it.each([
    [{}, '$'],
    [{ features: {} }, '$'],
    [{ features: { agent_registration: 'yes' } }, 'features.agent_registration'],
    [{ features: { agent_registration: null } }, 'features.agent_registration'],
    [{ features: { other: true } }, 'features.other'],
    [{ features: [] }, 'features'],
    [{ features: null }, 'features'],
    [{ performance: 5 }, 'performance'],
    [{ performance: { agents_page_size: 0 } }, 'performance.agents_page_size'],
    [{ performance: { agents_page_size: 1.5 } }, 'performance.agents_page_size'],
    [{ performance: { agents_max_page_size: 1_001 } }, 'performance.agents_max_page_size'],
    [{ performance: { agents_page_size: 201 } }, 'performance.agents_page_size'],
    [{ logging: { level: 'loud' } }, 'logging.level'],
    [{ logging: { level: 3 } }, 'logging.level'],
    [{ logging: { level: ['info'] } }, 'logging.level'],
    [{ logging: null }, 'logging'],
    [{ cache: { policies: {} } }, '$'],
    [{ cache: { policies: { api: {} } } }, '$'],
    [{ cache: { policies: [] } }, 'cache.policies'],
    [{ cache: { policies: null } }, 'cache.policies'],
    [{ cache: { other: 1 } }, 'cache.other'],
    [{ cache: { policies: { nothing: { ttl_seconds: 1 } } } }, 'cache.policies.nothing'],
    [{ cache: { policies: { api: null } } }, 'cache.policies.api'],
    [{ cache: { policies: { api: 60 } } }, 'cache.policies.api'],
    [{ cache: { policies: { api: { tags: [] } } } }, 'cache.policies.api.tags'],
    [{ cache: { policies: { api: { stale_seconds: -1 } } } }, 'cache.policies.api.stale_seconds'],
    [{ cache: { policies: { api: { stale_seconds: 2_592_001 } } } }, 'cache.policies.api.stale_seconds'],
    [{ cache: { policies: { api: { stale_seconds: 2_592_000 } } } }, 'cache.policies.api.stale_seconds'],
    [{ cache: { policies: { session: { stale_seconds: 1 } } } }, 'cache.policies.session.stale_seconds'],
    [{ health: { consecutive_failures: 0 } }, 'health.consecutive_failures'],
    [{ health: { response_time_ms: 60_001 } }, 'health.response_time_ms'],
    [{ health: { uptime_percent: 101 } }, 'health.uptime_percent'],
    [{ health: { uptime_percent: null } }, 'health.uptime_percent'],
    [{ environment: 'production' }, 'environment'],
    [{ version: 7 }, 'version'],
  ])('refuse %j, naming %s', async (body, where) => {
    const answer = await change(body, '*');
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toContainEqual(expect.objectContaining({ path: where }));
  });

  it.each([
    { health: null },
    { health: 5 },
    { features: [] },
    { logging: null },
    { performance: 'x' },
    { cache: null },
  ])('say once what is wrong with %j', async body => {
    const [section] = Object.keys(body);
    const problem = expectProblem(await change(body, '*'), 400, 'VALIDATION_FAILED');
    expect(problem.errors).toEqual([{ path: section, code: 'IS_OBJECT', message: 'must be an object' }]);
    expect(problem.detail).toBe(`${section}: must be an object`);
  });

  it.each([0, -1, 1.5, '60', 1e21, 2 ** 53, 2_592_001, true, [60]])(
    'refuse %j seconds as a TTL: TTL_INVALID',
    async ttl_seconds => {
      const answer = await change({ cache: { policies: { api: { ttl_seconds } } } }, '*');
      const { errors } = expectProblem(answer, 400, 'TTL_INVALID');
      expect(errors?.map(({ path: where }) => where)).toEqual(['cache.policies.api.ttl_seconds']);
    },
  );

  it('refuse a number beyond all numbers, and reset nothing', async () => {
    const { version } = (await read()).body;
    const text = '{"cache":{"policies":{"api":{"ttl_seconds":1e400}}}}';
    const answer = await app.patch(path, Buffer.from(text), {
      'If-Match': '*',
      'Content-Type': 'application/json',
    });
    expectProblem(answer, 400, 'TTL_INVALID');
    expect((await read()).body.version).toBe(version);
  });

  it('name every bad override at once, and change none of the good ones', async () => {
    const { version } = (await read()).body;
    const answer = await change(
      { cache: { policies: { api: { ttl_seconds: 0, stale_seconds: 5 }, db: { ttl_seconds: 9 }, x: {} } } },
      '*',
    );
    expect(expectProblem(answer, 400, 'VALIDATION_FAILED').errors?.map(({ path: at }) => at)).toEqual([
      'cache.policies.api.ttl_seconds',
      'cache.policies.x',
    ]);
    expect((await read()).body.version).toBe(version);
  });

  it.each([
    ['a bad field', () => change({ features: { agent_removal: 1 } }, '*')],
    ['a bad override', () => change({ cache: { policies: { api: { ttl_seconds: 0 } } } }, '*')],
    [
      'a contradiction',
      () => change({ performance: { agents_page_size: 900, agents_max_page_size: 100 } }, '*'),
    ],
    [
      'an override that contradicts itself',
      () => change({ cache: { policies: { api: { ttl_seconds: 60, stale_seconds: 2_592_000 } } } }, '*'),
    ],
    ['an unknown section', () => change({ other: {} }, '*')],
    ['no body', () => app.patch(path, undefined, { 'If-Match': '*' })],
    ['no If-Match', () => app.patch(path, { features: { agent_removal: true } })],
    ['a bad If-Match', () => change({ features: { agent_removal: true } }, 'x')],
    ['a bad limit', () => app.get(`${path}/history?limit=0`)],
    ['a repeated limit', () => app.get(`${path}/history?limit=1&limit=2`)],
    ['a bad version', () => app.get(`${path}/history?before=x`)],
    ['an unknown parameter', () => app.get(`${path}/history?page=1`)],
  ])('touch neither database nor cache for %s', async (_what, run) => {
    await expectUntouched(
      () => measure(app),
      async () => {
        const { status } = await run();
        expect(status === 400 || status === 428).toBe(true);
      },
    );
  });

  it('cost those who depend on them no query: a page of agents is one', async () => {
    await app.get('/api/v1/agents?limit=7');
    // The audit of the invalidation is written behind its answer, and may fall between.
    await eventually(async () => {
      await app.post('/api/v1/cache/invalidate', ['agents']);
      expect(await costOf(app, () => app.get('/api/v1/agents?limit=7'))).toMatchObject({ queries: 1 });
    });
  });

  const policiesInForce = async (): Promise<Record<string, Policy>> => {
    const { policies } = (await app.get<{ policies: Policy[] }>('/api/v1/cache/policies')).body;
    return Object.fromEntries(policies.map(policy => [policy.name, policy]));
  };

  it('override TTL and stale window of a policy at once, and null takes it back', async () => {
    expect((await policiesInForce())['model']).toMatchObject({ ttl_ms: 3_600_000, overridden: false });
    const changed = await change(
      { cache: { policies: { model: { ttl_seconds: 20, stale_seconds: 5 } } } },
      '*',
    );
    expect(changed.body.cache.policies).toMatchObject({ model: { ttl_seconds: 20, stale_seconds: 5 } });
    expect((await policiesInForce())['model']).toMatchObject({
      ttl_ms: 20_000,
      stale_ms: 5_000,
      overridden: true,
    });
    expect((await policiesInForce())['api']).toMatchObject({ ttl_ms: 300_000, overridden: false });
    // No TTL of its own: it follows, and the empty list that says so for 30 s is shortened. The agents have one.
    const models = await app.get('/api/v1/models');
    expect(models.headers.get('cache-control')).toContain('max-age=20, stale-while-revalidate=5');
    expect((await app.get('/api/v1/agents')).headers.get('cache-control')).toContain('max-age=30');
    await change({ cache: { policies: { model: { ttl_seconds: null, stale_seconds: null } } } }, '*');
    expect((await policiesInForce())['model']).toMatchObject({ ttl_ms: 3_600_000, overridden: false });
    expect((await read()).body.cache.policies['model']).toEqual(notOverridden);
    expect((await app.get('/api/v1/models')).headers.get('cache-control')).toContain('max-age=30,');
  });

  it('override the stale window also where a route has a TTL of its own, which it keeps', async () => {
    const life = async (path: string): Promise<string | null> =>
      (await app.get(path)).headers.get('cache-control');
    expect(await life('/api/v1/settings/features')).toContain('max-age=60, stale-while-revalidate=60');
    await change({ cache: { policies: { static: { ttl_seconds: 20, stale_seconds: 0 } } } }, '*');
    expect(await life('/api/v1/settings/features')).toBe('public, max-age=60');
    const { places } = (await policiesInForce())['static']!;
    expect(places.total).toBeGreaterThanOrEqual(places.own_ttl);
    expect(places.own_ttl).toBeGreaterThan(places.own_stale);
    await change({ cache: { policies: { static: notOverridden } } }, '*');
    expect(await life('/api/v1/settings/features')).toContain('max-age=60, stale-while-revalidate=60');
  });

  it('leave what must never be stale as it is', async () => {
    await change({ cache: { policies: { api: { ttl_seconds: 1_000, stale_seconds: 1_000 } } } }, '*');
    for (const never of ['/api/v1/health/detailed', '/api/v1/status', '/api/v1/metrics'])
      expect((await app.get(never)).headers.get('cache-control')).toMatch(/^public, max-age=\d\d$/);
    expect((await change({ cache: { policies: { session: { stale_seconds: 0 } } } }, '*')).status).toBe(200);
    await change({ cache: { policies: { api: notOverridden, session: notOverridden } } }, '*');
  });

  it('set the level of the log at once, and null brings LOG_LEVEL back', async () => {
    const quiet = '/api/v1/cache/policies';
    const isLogged = (what: string): Promise<void> =>
      eventually(() => expect(app.output).toContain(`"path":"${what}"`));
    await app.get(quiet);
    await change({ logging: { level: 'debug' } }, '*');
    await app.get('/health/live');
    // Lines come in their order: what was asked before would be there by now.
    await isLogged('/health/live');
    await change({ logging: { level: null } }, '*');
    await app.get(quiet);
    await change({ logging: { level: 'debug' } }, '*');
    await app.get('/health/ready');
    await isLogged('/health/ready');
    expect(app.output).not.toContain(`"path":"${quiet}"`);
    await change({ logging: { level: null } }, '*');
  });

  it('page through the history', async () => {
    type History = { history: { version: number }[]; next_before: number | null };
    const versions: number[] = [];
    for (let before: number | null = 1_000_000; before !== null;) {
      const page: History = (await app.get<History>(`${path}/history?limit=2&before=${before}`)).body;
      versions.push(...page.history.map(entry => entry.version));
      before = page.next_before;
    }
    const { version } = (await read()).body;
    expect(versions).toEqual(Array.from({ length: version - 1 }, (_, index) => version - index));
    expect((await app.get(`${path}/history?limit=101`)).status).toBe(400);
  });
});

describe('the settings of two instances on one Redis and one PostgreSQL server', () => {
  let two: TwoInstances | undefined;
  let a: Application;
  let b: Application;
  beforeAll(async () => {
    two = await twoInstances();
    ({ a, b } = two);
  }, 60_000);
  afterAll(() => two?.stop());

  /** Δ, and the time between two looks. */
  const boundMs = 2_000 + 500;
  const settingsOf = async (of: Application): Promise<Settings> => (await of.get<Settings>(path)).body;
  const changeOn = (of: Application, body: object, version = '*') =>
    of.patch<Settings>(path, body, { 'If-Match': version });

  it('are seen by the next read where they were changed, and within Δ on the other', async () => {
    for (let round = 0; round < 4; round += 1) {
      await Promise.all([a, b].flatMap(each => [settingsOf(each), settingsOf(each)]));
      const [writer, other] = round % 2 === 0 ? [a, b] : [b, a];
      const { body } = await changeOn(writer, { performance: { agents_page_size: 2 + round } });
      expect(await settingsOf(writer)).toEqual(body);
      await eventually(async () => expect(await settingsOf(other)).toEqual(body), 2_000, 1);
      const page = await other.get<{ count: number }>('/api/v1/agents');
      expect(page.body.count).toBe(2 + round);
    }
  });

  it('are in force on both: an override of a policy', async () => {
    const model = async (of: Application): Promise<Policy | undefined> =>
      (await of.get<{ policies: Policy[] }>('/api/v1/cache/policies')).body.policies.find(
        ({ name }) => name === 'model',
      );
    await Promise.all([a, b].map(each => each.get('/api/v1/models')));
    await changeOn(a, { cache: { policies: { model: { ttl_seconds: 20 } } } });
    const inForce = { ttl_ms: 20_000, stale_ms: 20_000, overridden: true };
    expect(await model(a)).toMatchObject(inForce);
    await eventually(async () => expect(await model(b)).toMatchObject(inForce), boundMs);
    for (const each of [a, b])
      expect((await each.get('/api/v1/models')).headers.get('cache-control')).toContain('max-age=20,');
    await changeOn(b, { cache: { policies: { model: { ttl_seconds: null } } } });
    expect(await model(b)).toMatchObject({ ttl_ms: 3_600_000, overridden: false });
    await eventually(async () => expect(await model(a)).toMatchObject({ overridden: false }), boundMs);
  });

  it('are in force on both: the level of the log', async () => {
    await changeOn(a, { logging: { level: 'debug' } });
    const isLoud = async (of: Application): Promise<void> => {
      const before = of.output.length;
      await of.get('/api/v1/cache/policies');
      await eventually(
        () => expect(of.output.slice(before)).toContain('"path":"/api/v1/cache/policies"'),
        100,
      );
    };
    await isLoud(a);
    await eventually(() => isLoud(b), boundMs);
    await changeOn(b, { logging: { level: null } });
  });

  it('are not lost: of fifty changes under one version on two instances one is made, and both show it', async () => {
    const { version } = await settingsOf(a);
    await eventually(async () => expect((await settingsOf(b)).version).toBe(version), 2_000);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        changeOn(index % 2 === 0 ? a : b, { performance: { agents_page_size: 50 + index } }, `"${version}"`),
      ),
    );
    const winners = answers.filter(({ status }) => status === 200);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(49).fill(412)]);
    await eventually(async () => {
      for (const each of [a, b]) expect(await settingsOf(each)).toEqual(winners[0]!.body);
    }, 2_000);
  });

  it('are read from the cache while the database is away, and changed again when it is back', async () => {
    // A change of the other instance that is heard of only now would keep what is loaded here out of the cache.
    const { version } = await eventually(async () => {
      const { body, headers } = await b.get<Settings>(path);
      expect(headers.get('cache-status')).toMatch(/^sutazai; hit/);
      return body;
    });
    await two!.postgres.kill();
    expect(await settingsOf(b)).toMatchObject({ version });
    const refused = await changeOn(b, { features: { agent_removal: true } });
    expectProblem(refused, 503, 'DATABASE_UNAVAILABLE');
    await two!.postgres.up();
    await eventually(async () => {
      const { status } = await changeOn(b, { features: { agent_removal: true } });
      expect(status).toBe(200);
    });
    expect((await settingsOf(b)).version).toBe(version + 1);
  }, 60_000);
});
