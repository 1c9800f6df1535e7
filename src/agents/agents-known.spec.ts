import { PostgresServer } from '../../test/e2e/harness/postgres-server';
import type { AppConfig } from '../config/app-config';
import { Database } from '../database/database';
import { AgentsRepository } from './agents.repository';

const total = 10_000;
const known = 300;

let server: PostgresServer;
let database: Database;
let url: string;
beforeAll(async () => {
  server = await PostgresServer.start();
  url = await server.createDatabase('known');
  database = await Database.open({
    mode: 'server',
    url,
    dataDir: '/nowhere',
    poolSize: 1, // PostgreSQL counts by connection, and tells when it is asked on that one
    connectTimeoutMs: 2_000,
    statementTimeoutMs: 5_000,
  });
  await server.query(
    `INSERT INTO agents (id, name, type, status, capabilities, probe_result, reported_status, last_seen_at)
     SELECT 'agent-' || n, 'Agent ' || n, 'bulk', 'healthy', '{}',
       CASE WHEN n <= ${known} AND n % 3 = 0 THEN 'healthy' END,
       CASE WHEN n <= ${known} AND n % 3 > 0 THEN 'healthy' END,
       now() - make_interval(secs => CASE WHEN n % 3 = 1 THEN 300 ELSE 1 END)
     FROM generate_series(1, ${total}) AS n`,
    [],
    url,
  );
  await server.query('VACUUM ANALYZE agents', [], url);
}, 60_000);
afterAll(async () => {
  await database.close();
  await server.stop();
});

const counted = async (): Promise<{ rows: number; hot: number }> => {
  await database.orm.execute('SELECT pg_stat_force_next_flush()');
  const [row] = await server.query<{ rows: number; hot: number }>(
    `SELECT (seq_tup_read + coalesce(idx_tup_fetch, 0))::int AS rows, n_tup_hot_upd::int AS hot
     FROM pg_stat_user_tables WHERE relname = 'agents'`,
    [],
    url,
  );
  return row!;
};
const repository = (): AgentsRepository =>
  new AgentsRepository(database, { agents: { offlineAfterMs: 60_000, watchIntervalMs: 1_000 } } as AppConfig);

describe('ten thousand agents, of which few were ever heard of', () => {
  it('are not read where there is no sign of them, when the silent are looked for', async () => {
    const before = await counted();
    expect(await repository().settle(500)).toHaveLength(known / 3);
    const after = await counted();
    // Each of the known when they are looked at, and again where they are written.
    expect(after.rows - before.rows).toBeLessThanOrEqual(2 * known);
  });

  it('send heartbeats that touch no index', async () => {
    const before = await counted();
    for (let n = 1; n <= 50; n += 1) await repository().beat(`agent-${3 * n - 1}`, 'healthy');
    // Those of a page that is full go to another one.
    expect((await counted()).hot - before.hot).toBeGreaterThan(25);
  });
});
