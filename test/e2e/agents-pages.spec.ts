import { Application, type Answer } from './harness/application';
import { expectUntouched } from './harness/counts';
import { metricsOf } from './harness/metrics';
import { PostgresServer } from './harness/postgres-server';

interface Page {
  agents: { id: string; name: string }[];
  count: number;
  next_cursor: string | null;
}

const path = '/api/v1/agents';
const total = 10_000;

/** Names in an order that is not that of the ids; every tenth agent is unhealthy. */
const fill = `
  DELETE FROM agents;
  INSERT INTO agents (id, name, type, status, capabilities)
  SELECT 'agent-' || n, 'Agent ' || lpad(((n * 7919) % ${total})::text, 5, '0'), 'bulk',
    CASE WHEN n % 10 = 0 THEN 'unhealthy' ELSE 'healthy' END, ARRAY['bulk']
  FROM generate_series(1, ${total}) AS n;
  ANALYZE agents`;

let postgres: PostgresServer;
let database: string;
let app: Application;

beforeAll(async () => {
  postgres = await PostgresServer.start();
  database = await postgres.createDatabase('pages');
  app = await Application.start({ DATABASE_URL: database, CACHE_WARMING: 'off' });
  await postgres.query(fill, [], database);
}, 60_000);
afterAll(async () => {
  await app.stop();
  await postgres.stop();
});

/** Walks all pages; what came, and what the caches said of each. */
async function walk(query: string): Promise<{ names: string[]; statuses: string[]; pages: number }> {
  const names: string[] = [];
  const statuses: string[] = [];
  let pages = 0;
  for (let cursor: string | null = ''; cursor !== null; pages += 1) {
    const answer: Answer<Page> = await app.get<Page>(
      `${path}?${query}${cursor === '' ? '' : `&cursor=${cursor}`}`,
    );
    expect(answer.status).toBe(200);
    names.push(...answer.body.agents.map(({ name }) => name));
    statuses.push(/^sutazai; (hit|fwd=uri-miss)/.exec(answer.headers.get('cache-status') ?? '')?.[1] ?? '');
    cursor = answer.body.next_cursor;
  }
  return { names, statuses, pages };
}

const queries = async (): Promise<number> => (await metricsOf(app))('database_queries_total');

describe('ten thousand agents', () => {
  it('come in pages, each agent once and in order; walking them again costs no query', async () => {
    const first = await walk('limit=100');
    expect(first.pages).toBe(100);
    expect(first.names).toHaveLength(total);
    expect(first.names).toEqual([...new Set(first.names)].sort());
    expect(new Set(first.statuses)).toEqual(new Set(['fwd=uri-miss']));
    await expectUntouched(queries, async () => {
      const second = await walk('limit=100');
      expect(second.names).toEqual(first.names);
      expect(new Set(second.statuses)).toEqual(new Set(['hit']));
    });
  }, 60_000);

  it('are narrowed before they are paged', async () => {
    const { names, pages } = await walk('limit=200&status=unhealthy');
    expect([names.length, pages]).toEqual([total / 10, 5]);
    await expectUntouched(queries, () => walk('limit=200&status=unhealthy'));
  });

  it('cost one page and not the table, wherever the page is', async () => {
    const last = `Agent ${String(total - 50).padStart(5, '0')}`;
    for (const after of ['', last]) {
      const plan = await postgres.query<{ 'QUERY PLAN': string }>(
        'EXPLAIN SELECT * FROM agents WHERE name > $1 ORDER BY name LIMIT 101',
        [after],
        database,
      );
      expect(plan.map(line => line['QUERY PLAN']).join('\n')).toMatch(
        /Index Scan (using|on) agents_name_key/,
      );
    }
  });

  it('cost one query for a page that is not cached', async () => {
    const before = await queries();
    await app.get(`${path}?limit=17`);
    expect(await queries()).toBe(before + 1);
  });

  it('are never more on a page than the settings allow', async () => {
    const answer = await app.get(`${path}?limit=201`);
    expect([answer.status, answer.body['code']]).toEqual([400, 'VALIDATION_FAILED']);
    expect((await app.get<Page>(`${path}?limit=200`)).body.count).toBe(200);
    expect((await app.get<Page>(path)).body.count).toBe(50);
  });
});
