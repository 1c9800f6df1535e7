import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Application } from './harness/application';

interface Agent {
  id: string;
  name: string;
  type: string;
  status: string;
  capabilities: string[];
  url: string | null;
  description: string | null;
  version: number;
  last_seen_at: string | null;
}
interface Page {
  agents: Agent[];
  count: number;
  next_cursor: string | null;
}

let app: Application;
beforeAll(async () => {
  app = await Application.start();
});
afterAll(() => app.stop());

const path = '/api/v1/agents';
const list = async (query = ''): Promise<Page> => (await app.get<Page>(path + query)).body;
let serial = 0;
const fresh = (more: object = {}): Record<string, unknown> => ({
  name: `Test Agent ${(serial += 1)}`,
  type: 'test',
  ...more,
});
const anyVersion = { 'If-Match': '*' };
const create = async (more: object = {}): Promise<Agent> => (await app.post<Agent>(path, fresh(more))).body;

describe('the list of agents', () => {
  it('is filled once from config/agents.yaml, in the order of the names', async () => {
    const { agents, count, next_cursor } = await list();
    expect(agents).toHaveLength(8);
    expect(count).toBe(8);
    expect(next_cursor).toBeNull();
    expect(agents.map(agent => agent.name)).toEqual(agents.map(agent => agent.name).sort());
    expect(agents[0]).toEqual({
      id: 'ai-agent-orchestrator',
      name: 'AI Agent Orchestrator',
      type: 'orchestrator',
      status: 'unknown',
      capabilities: ['orchestration', 'task-routing', 'load-balancing', 'agent-discovery'],
      url: 'http://ai-agent-orchestrator:8589',
      description: 'Routes tasks to the agents that can do them and follows them to their end.',
      version: expect.any(Number),
      last_seen_at: null,
      created_at: expect.stringMatching(/Z$/),
      updated_at: expect.stringMatching(/Z$/),
    });
  });

  it('is served the second time without the controller and without the database', async () => {
    await list('?limit=7');
    const again = await app.get(`${path}?limit=7`);
    expect(again.headers.get('cache-status')).toMatch(/^sutazai; hit/);
    expect(Number(again.headers.get('age'))).toBeGreaterThanOrEqual(0);
  });

  it('comes in pages that hold every agent once', async () => {
    const all = (await list('?limit=200')).agents.map(agent => agent.id);
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Page = await list(`?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`);
      expect(page.count).toBeLessThanOrEqual(3);
      seen.push(...page.agents.map(agent => agent.id));
      cursor = page.next_cursor;
    }
    expect(seen).toEqual(all);
  });

  it('keeps its place when agents come and go between two pages', async () => {
    const first = await list('?limit=2');
    const inserted = await create({ name: '!! sorts before everything' });
    const second = await list(`?limit=2&cursor=${first.next_cursor}`);
    const names = [...first.agents, ...second.agents].map(agent => agent.name);
    expect(new Set(names).size).toBe(4);
    expect(names).not.toContain(inserted.name);
    await app.delete(`${path}/${inserted.id}`);
  });

  it('can be narrowed to a status and a capability', async () => {
    const agent = await create({ status: 'offline', capabilities: ['monitoring', 'only-here'] });
    expect((await list('?status=offline')).agents.map(({ id }) => id)).toEqual([agent.id]);
    expect((await list('?capability=only-here')).agents.map(({ id }) => id)).toEqual([agent.id]);
    expect((await list('?capability=monitoring')).count).toBe(4);
    expect((await list('?capability=monitoring&status=unknown')).count).toBe(3);
    expect((await list('?capability=nobody-has-it')).agents).toEqual([]);
    await app.delete(`${path}/${agent.id}`);
  });

  it.each([
    ['status=dead', 'status', /healthy, unhealthy, offline, unknown/],
    ['capability=%00', 'capability', /1 to 64/],
    [`capability=${'x'.repeat(65)}`, 'capability', /1 to 64/],
    ['limit=201', 'limit', /from 1 to 200/],
    ['cursor=%20', 'cursor', /next_cursor/],
  ])('refuses %s, naming the field and the limit', async (query, field, message) => {
    const answer = await app.get<{ errors: object[] }>(`${path}?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0]).toMatchObject({ path: field, message: expect.stringMatching(message) });
  });

  it.each([
    'aaaa',
    'bnVsbA',
    Buffer.from('["a","b"]').toString('base64url'),
    Buffer.from('["a\\u0000"]').toString('base64url'),
  ])('refuses the cursor %s', async cursor => {
    const answer = await app.get(`${path}?cursor=${cursor}`);
    expect([answer.status, answer.body['code']]).toEqual([400, 'CURSOR_INVALID']);
  });
});

describe('one agent', () => {
  it('is found by its id', async () => {
    expect((await app.get<Agent>(`${path}/security-scanner`)).body.name).toBe('Security Scanner');
  });

  it.each(['nobody', 'NOT-LOWER', 'a%20b', 'x'.repeat(300), '..%2fsettings', '%00'])(
    'is a 404 for %s',
    async id => {
      const answer = await app.get(`${path}/${id}`);
      expect([answer.status, answer.body['code']]).toEqual([404, 'AGENT_NOT_FOUND']);
    },
  );
});

describe('a new agent', () => {
  it('gets an id and defaults, is where Location says, and is in the list at once', async () => {
    await list('?limit=200');
    const answer = await app.post<Agent & { token: string }>(path, fresh());
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ status: 'unknown', capabilities: [], url: null, description: null });
    expect(answer.headers.get('location')).toBe(`${path}/${answer.body.id}`);
    const { token, ...agent } = answer.body;
    expect(token).toMatch(/^sutazai_agent_/);
    expect((await app.get<Agent>(answer.headers.get('location') ?? '')).body).toEqual(agent);
    expect((await list('?limit=200')).agents.map(({ id }) => id)).toContain(answer.body.id);
  });

  it('is seen under an id that was just asked for in vain', async () => {
    expect((await app.get(`${path}/soon-here`)).status).toBe(404);
    await create({ id: 'soon-here' });
    expect((await app.get(`${path}/soon-here`)).status).toBe(200);
  });

  it('is refused when its id or name is taken', async () => {
    const agent = await create();
    const sameId = await app.post(path, fresh({ id: agent.id }));
    expect([sameId.status, sameId.body['code']]).toEqual([409, 'AGENT_EXISTS']);
    const sameName = await app.post(path, { name: agent.name, type: 'test' });
    expect([sameName.status, sameName.body['code']]).toEqual([409, 'AGENT_NAME_TAKEN']);
  });

  it.each([
    ['name', ''],
    ['name', ' '],
    ['name', 'x'.repeat(101)],
    ['name', 'two\nlines'],
    ['name', null],
    ['name', 5],
    ['type', 'With Space'],
    ['type', 'x'.repeat(51)],
    ['id', 'Upper'],
    ['id', '-a'],
    ['id', 'x'.repeat(64)],
    ['id', null],
    ['status', 'dead'],
    ['capabilities', 'a'],
    ['capabilities', ['a', 'a']],
    ['capabilities', ['A']],
    ['capabilities', [1]],
    ['capabilities', Array.from({ length: 65 }, (_, index) => `c${index}`)],
    ['url', 'ftp://a'],
    ['url', 'javascript:alert(1)'],
    ['url', 'http://user:pass@a/'],
    ['url', 5],
    ['description', 'x'.repeat(2_001)],
    ['description', 'nul \u0000'],
    ['description', {}],
  ])('is refused with %s = %j', async (field, value) => {
    const answer = await app.post<{ code: string; errors: { path: string; message: string }[] }>(
      path,
      fresh({ [field]: value }),
    );
    expect([answer.status, answer.body.code]).toEqual([400, 'VALIDATION_FAILED']);
    expect(answer.body.errors.map(error => error.path)).toContain(field);
  });
});

describe('a changed agent', () => {
  it('is seen by the next read, alone and in the list; what was not given stays', async () => {
    const agent = await create({ url: 'http://a:1', description: 'before' });
    await app.get(`${path}/${agent.id}`);
    await list('?limit=200');
    const answer = await app.patch<Agent>(
      `${path}/${agent.id}`,
      { description: 'after', url: null },
      anyVersion,
    );
    expect([answer.status, answer.body]).toEqual([
      200,
      expect.objectContaining({ name: agent.name, description: 'after', url: null }),
    ]);
    expect((await app.get<Agent>(`${path}/${agent.id}`)).body).toEqual(answer.body);
    expect((await list('?limit=200')).agents.find(({ id }) => id === agent.id)).toEqual(answer.body);
  });

  it('is a 404 for an unknown id, a 409 for a taken name, a 400 for nothing or null', async () => {
    const agent = await create();
    expect((await app.patch(`${path}/nobody`, { type: 'x' }, anyVersion)).status).toBe(404);
    expect(
      (await app.patch(`${path}/${agent.id}`, { name: 'Security Scanner' }, anyVersion)).body['code'],
    ).toBe('AGENT_NAME_TAKEN');
    expect((await app.patch(`${path}/${agent.id}`, {}, anyVersion)).status).toBe(400);
    expect((await app.patch(`${path}/${agent.id}`, undefined, anyVersion)).status).toBe(400);
    expect((await app.patch(`${path}/${agent.id}`, { name: null }, anyVersion)).status).toBe(400);
    expect((await app.patch(`${path}/${agent.id}`, { id: 'other' }, anyVersion)).body['code']).toBe(
      'UNKNOWN_FIELD',
    );
  });
});

describe('a removed agent', () => {
  it('is gone at once, and a 404 the second time', async () => {
    const agent = await create();
    await app.get(`${path}/${agent.id}`);
    await list('?limit=200');
    const answer = await app.delete(`${path}/${agent.id}`);
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect((await app.get(`${path}/${agent.id}`)).status).toBe(404);
    expect((await list('?limit=200')).agents.map(({ id }) => id)).not.toContain(agent.id);
    expect((await app.delete(`${path}/${agent.id}`)).status).toBe(404);
  });
});

describe('the first agents', () => {
  it('are written once: those that were removed do not come back with a restart', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'sutazai-agents-'));
    const first = await Application.start({ DATA_DIR: dataDir });
    const { agents } = (await first.get<Page>('/api/v1/agents?limit=200')).body;
    expect(agents.length).toBeGreaterThan(0);
    for (const { id } of agents) await first.delete(`/api/v1/agents/${id}`);
    await first.stop();
    const second = await Application.start({ DATA_DIR: dataDir });
    expect((await second.get<Page>('/api/v1/agents')).body).toMatchObject({ agents: [], count: 0 });
    await second.stop();
    rmSync(dataDir, { recursive: true });
  });
});
