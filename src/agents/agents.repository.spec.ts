import { Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { PostgresServer } from '../../test/e2e/harness/postgres-server';
import { CacheModule, methodKey, TieredCache } from '../cache';
import { AppConfig } from '../config/app-config';
import { Database } from '../database/database';
import { AgentTokensRepository } from './agent-tokens.repository';
import { AgentsRepository } from './agents.repository';
import { agentsCache, agentWrites } from './cache';

let server: PostgresServer;
let database: Database;
let running: TestingModule;
let repository: AgentsRepository;
let url: string;

beforeAll(async () => {
  server = await PostgresServer.start();
  url = await server.createDatabase('repository');
  database = await Database.open({
    mode: 'server',
    url,
    dataDir: '/nowhere',
    poolSize: 2,
    connectTimeoutMs: 2_000,
    statementTimeoutMs: 5_000,
  });
  const config = { agents: { offlineAfterMs: 60_000, watchIntervalMs: 1_000 } } as AppConfig;
  @Module({
    imports: [CacheModule.forRoot({ warming: { enabled: false } })],
    providers: [
      { provide: Database, useValue: database },
      { provide: AppConfig, useValue: config },
      AgentsRepository,
      AgentTokensRepository,
    ],
  })
  class TestModule {}
  running = await Test.createTestingModule({ imports: [TestModule] })
    .setLogger(false as never)
    .compile();
  await running.init();
  repository = running.get(AgentsRepository);
}, 60_000);
afterAll(async () => {
  await running.close();
  await database.close();
  await server.stop();
});
beforeEach(() => server.query('DELETE FROM agents', [], url));

/** Behind the back of the cache: what is cached is not dropped. */
const add = (id: string, columns = '', values = ''): Promise<unknown> =>
  server.query(
    `INSERT INTO agents (id, name, type, status, capabilities${columns}) VALUES ('${id}', '${id}', 'test', 'unknown', '{}'${values})`,
    [],
    url,
  );
const idsOf = async (filter: Parameters<AgentsRepository['page']>[0]): Promise<string[]> =>
  (await repository.page(filter)).map(({ id }) => id);

describe('what is cached of agents', () => {
  it('are first pages that have agents: neither empty ones nor those behind a cursor', async () => {
    expect(await idsOf({ limit: 5 })).toEqual([]);
    await add('b');
    expect(await idsOf({ limit: 5 })).toEqual(['b']);
    expect(await idsOf({ limit: 5, afterName: 'a' })).toEqual(['b']);
    await add('c');
    expect(await idsOf({ limit: 5 })).toEqual(['b']);
    expect(await idsOf({ limit: 5, afterName: 'a' })).toEqual(['b', 'c']);
  });
});

describe('another URL', () => {
  const probed = (id: string, heartbeat: string | null): Promise<unknown> =>
    server.query(
      `INSERT INTO agents (id, name, type, status, capabilities, url, probe_result, reported_status, last_seen_at)
       VALUES ($1, $1, 'test', 'offline', '{}', 'http://here', 'unreachable', $2, now())`,
      [id, heartbeat],
      url,
    );
  const changed = async (id: string, change: Parameters<AgentsRepository['update']>[1]): Promise<string> =>
    (await repository.update(id, change, 'any'))!.status;

  it.each([null, 'http://there'])(
    '(%j) ends the status that the probe of the one before has made',
    async next => {
      await probed('silent', null);
      await probed('beating', 'healthy');
      expect(await changed('silent', { url: next })).toBe('unknown');
      expect(await changed('beating', { url: next })).toBe('healthy');
    },
  );

  it('leaves a status that is given with it, or was set by hand and never probed', async () => {
    await probed('a', null);
    expect(await changed('a', { url: null, status: 'unhealthy' })).toBe('unhealthy');
    expect(await changed('a', { url: 'http://there' })).toBe('unhealthy');
  });

  it('is not the same one again', async () => {
    await probed('a', null);
    expect(await changed('a', { url: 'http://here' })).toBe('offline');
  });
});

describe('that an agent has no token', () => {
  it('is remembered, so that guesses cost one query, until it gets one', async () => {
    const tokens = running.get(AgentTokensRepository);
    const cache = running.get(TieredCache, { strict: false });
    const before = database.queries;
    for (let n = 0; n < 5; n += 1) expect(await tokens.find('guessed')).toBeNull();
    expect(database.queries - before).toBe(1);
    const [remembered] = (await cache.explain(methodKey(agentsCache.token.key, ['guessed']))).entries;
    expect(remembered).toMatchObject({ negative: true });
    expect(remembered!.freshMs).toBeLessThanOrEqual(5_000);
    for (const [sha256, tags] of [
      ['a'.repeat(64), agentWrites.create.tags({ result: { id: 'guessed' } })],
      ['b'.repeat(64), agentWrites.rotateToken.tags({ params: { id: 'guessed' } })],
    ] as const) {
      if (sha256.startsWith('a')) await add('guessed');
      await tokens.replace('guessed', sha256);
      await cache.invalidateTags([...tags]);
      expect(await tokens.find('guessed')).toBe(sha256);
    }
  });
});
