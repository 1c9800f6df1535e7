import { Client } from 'pg';
import { PostgresServer } from '../../test/e2e/harness/postgres-server';
import type { AppConfig } from '../config/app-config';
import { Database } from '../database/database';
import { heartbeatSigns, probeResults, statusOf } from './agent-status';
import { AgentsRepository } from './agents.repository';

let server: PostgresServer;
let database: Database;
let url: string;
beforeAll(async () => {
  server = await PostgresServer.start();
  url = await server.createDatabase('status');
  database = await Database.open({
    mode: 'server',
    url,
    dataDir: '/nowhere',
    poolSize: 2,
    connectTimeoutMs: 2_000,
    statementTimeoutMs: 5_000,
  });
}, 60_000);
afterAll(async () => {
  await database.close();
  await server.stop();
});

const pairs = probeResults.flatMap(probe => heartbeatSigns.map(sign => ({ probe, sign })));
const nameOf = ({ probe, sign }: (typeof pairs)[number]): string => `${probe}-${sign}`;

/** One agent for each pair of signs, all of them unknown. */
async function fill(): Promise<void> {
  await server.query('DELETE FROM agents', [], url);
  for (const pair of pairs) {
    const { probe, sign } = pair;
    await server.query(
      `INSERT INTO agents (id, name, type, status, capabilities, probe_result, reported_status, last_seen_at)
       VALUES ($1, $1, 'test', 'unknown', '{}', $2, $3, now() - make_interval(secs => $4))`,
      [
        nameOf(pair),
        probe === 'none' ? null : probe,
        sign === 'never' ? null : sign === 'silent' ? 'healthy' : sign,
        sign === 'silent' ? 61 : 30,
      ],
      url,
    );
  }
}

const repository = (watchIntervalMs: number): AgentsRepository =>
  new AgentsRepository(database, { agents: { offlineAfterMs: 60_000, watchIntervalMs } } as AppConfig);

async function statuses(): Promise<Record<string, string>> {
  const rows = await server.query<{ id: string; status: string }>('SELECT id, status FROM agents', [], url);
  return Object.fromEntries(rows.map(({ id, status }) => [id, status]));
}

describe('the status in SQL', () => {
  it('is the one of the rules, for every pair of signs; what has it already is not written', async () => {
    await fill();
    const changed = await repository(1_000).settle(1_000);
    expect(await statuses()).toEqual(
      Object.fromEntries(pairs.map(pair => [nameOf(pair), statusOf(pair.probe, pair.sign) ?? 'unknown'])),
    );
    expect(changed.sort()).toEqual(
      pairs
        .filter(({ probe, sign }) => statusOf(probe, sign) !== undefined)
        .map(nameOf)
        .sort(),
    );
    expect(await repository(1_000).settle(1_000)).toEqual([]);
  });

  it('is written to so many agents at most in one statement, and to the rest by the next ones', async () => {
    await fill();
    const known = pairs.filter(({ probe, sign }) => statusOf(probe, sign) !== undefined).length;
    const [first, second, third] = [
      await repository(1_000).settle(known - 2),
      await repository(1_000).settle(known - 2),
      await repository(1_000).settle(known - 2),
    ].map(ids => ids.length);
    expect([first, second, third]).toEqual([known - 2, 2, 0]);
  });

  it('is left to the next time where another statement is writing the agent', async () => {
    await fill();
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      await client.query('BEGIN');
      await client.query('SELECT FROM agents WHERE id = $1 FOR UPDATE', ['none-silent']);
      // One that waited would be given up when a statement may take no longer.
      expect(await repository(1_000).settle(1_000)).not.toContain('none-silent');
      await client.query('ROLLBACK');
      expect(await repository(1_000).settle(1_000)).toEqual(['none-silent']);
    } finally {
      await client.end();
    }
  });

  it('leaves old probes out of account where nobody probes', async () => {
    await fill();
    await repository(0).settle(1_000);
    expect(await statuses()).toEqual(
      Object.fromEntries(pairs.map(pair => [nameOf(pair), statusOf('none', pair.sign) ?? 'unknown'])),
    );
  });

  it('counts a probe of another URL for nothing, and names those alone whose status is another one', async () => {
    await fill();
    await server.query(`UPDATE agents SET url = 'http://here', status = 'healthy'`, [], url);
    const [same, other, moved] = ['healthy-never', 'none-never', 'unreachable-never'];
    const changed = await repository(1_000).noteProbes([
      { id: same, url: 'http://here', result: 'healthy' },
      { id: other, url: 'http://here', result: 'unreachable' },
      { id: moved, url: 'http://elsewhere', result: 'unhealthy' },
      { id: 'nobody', url: 'http://here', result: 'unhealthy' },
    ]);
    expect(changed).toEqual([other]);
    const now = await statuses();
    expect([now[same], now[other], now[moved]]).toEqual(['healthy', 'offline', 'healthy']);
  });
});
