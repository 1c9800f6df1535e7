import { Application } from './harness/application';

interface Settings {
  environment: string;
  features: Record<string, boolean>;
  performance: Record<string, number>;
  version: number;
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
  ])('are read one by one: %s', async (key, value) => {
    expect((await app.get(`${path}/${key}`)).body).toEqual({ key, value, version: 1 });
  });

  it.each([
    'nothing',
    'features.nothing',
    'version',
    '__proto__',
    'constructor',
    'features.constructor',
    'environment.length',
    '%00',
  ])('have no %s: 404', async key => {
    const answer = await app.get(`${path}/${key}`);
    expect([answer.status, answer.body['code']]).toEqual([404, 'SETTING_NOT_FOUND']);
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
    [{ environment: 'production' }, 'environment'],
    [{ version: 7 }, 'version'],
  ])('refuse %j, naming %s', async (body, where) => {
    const answer = await change(body, '*');
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toContainEqual(expect.objectContaining({ path: where }));
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
