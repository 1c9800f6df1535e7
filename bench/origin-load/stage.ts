import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { digestOf, makeKey } from '../../src/auth/issued-key';
import { CountingProxy } from '../../test/e2e/harness/counting-proxy';
import { PostgresServer } from '../../test/e2e/harness/postgres-server';
import { RedisServer } from '../../test/e2e/harness/redis-server';
import { OllamaServer } from '../../test/fakes/ollama-server';
import type { AskedByRoute, FromInstance, InstanceSettings, ToInstance } from './messages';
import type { Sessions } from './player';
import { attributed } from './report';
import { Statements } from './statements';
import { agentCount, agentId, capabilities, modelNames, sessionCount } from './traffic';

export const adminKey = 'benchmark-admin-key-0123456789abcdef';

/** Real servers for one side of the comparison, empty but for agents and keys, and the instance in front of them. */
export class Stage {
  readonly #folder = mkdtempSync(join(tmpdir(), 'sutazai-origin-load-'));
  #child: ChildProcess | undefined;

  private constructor(
    private readonly postgres: PostgresServer,
    private readonly redis: RedisServer,
    private readonly ollama: OllamaServer,
    private readonly databaseUrl: string,
    private readonly toPostgres: CountingProxy,
    private readonly statements: Statements,
  ) {}

  static async open(): Promise<Stage> {
    const [postgres, redis, ollama] = await Promise.all([
      PostgresServer.start(),
      RedisServer.start(),
      OllamaServer.start(),
    ]);
    ollama.models = [...modelNames];
    ollama.pulls.registry = Array.from({ length: 1_000 }, (_, at) => `pulled-${at}:1b`);
    // As a server that holds its models on a disk and runs prompts beside.
    ollama.delayMs = request => (request.endsWith('/version') ? 2 : request.endsWith('/show') ? 60 : 25);
    const statements = new Statements();
    const toPostgres = await CountingProxy.start(postgres.port, () => statements.connection());
    const url = await postgres.createDatabase('origin_load');
    return new Stage(postgres, redis, ollama, url, toPostgres, statements);
  }

  /** The instance, when its caches are coherent. */
  async start(
    settings: InstanceSettings,
  ): Promise<{ port: number; hasHeartbeats: boolean; sessions: Sessions }> {
    this.#child = fork(join(__dirname, 'instance.js'), {
      env: {
        ...process.env,
        ...{ NODE_ENV: 'production', HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'error', RATE_LIMIT: 'off' },
        ...{ REDIS_URL: this.redis.url, DATABASE_URL: this.#throughProxy(), OLLAMA_URL: this.ollama.url },
        ...{ ADMIN_API_KEYS: adminKey, DATA_DIR: this.#folder, CACHE_WARMING: 'off' },
        OLLAMA_MAX_PULLS: '64',
        BENCH_INSTANCE: JSON.stringify(settings),
      },
    });
    const { port, hasHeartbeats } = await this.#next('ready');
    return { port, hasHeartbeats, sessions: await this.#fill() };
  }

  /** Counts begin here, in a moment in which no statement is on its way. */
  async begin(): Promise<void> {
    for (;;) {
      this.#send({ kind: 'begin' });
      await this.#next('begun');
      this.statements.count = 0;
      const { byRoute, statements } = await this.asked();
      if (attributed(byRoute) === statements) return;
    }
  }

  async askedSoFar(): Promise<AskedByRoute> {
    this.#send({ kind: 'asked' });
    return (await this.#next('asked')).byRoute;
  }

  /** What each route has asked for, and the statements that came to the server; those on their way are waited for. */
  async asked(): Promise<{ byRoute: AskedByRoute; statements: number }> {
    for (let looks = 1; ; looks += 1) {
      await sleep(100);
      const byRoute = await this.askedSoFar();
      const statements = this.statements.count;
      if (attributed(byRoute) === statements || looks === 20) return { byRoute, statements };
    }
  }

  async close(): Promise<void> {
    const child = this.#child;
    if (child?.exitCode === null && child.signalCode === null) {
      const gone = new Promise(resolve => child.once('exit', resolve));
      this.#send({ kind: 'stop' });
      await gone;
    }
    await this.toPostgres.stop();
    await Promise.all([this.postgres.stop(), this.redis.stop(), this.ollama.stop()]);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #throughProxy(): string {
    const url = new URL(this.databaseUrl);
    url.port = String(this.toPostgres.port);
    return String(url);
  }

  #send(message: ToInstance): void {
    this.#child!.send(message);
  }

  #next<K extends FromInstance['kind']>(kind: K): Promise<Extract<FromInstance, { kind: K }>> {
    const child = this.#child!;
    return new Promise((resolve, reject) => {
      const ended = (code: number | null): void =>
        reject(new Error(`the instance ended with ${String(code)}`));
      child.once('exit', ended);
      const heard = (message: FromInstance): void => {
        if (message.kind !== kind) return;
        child.off('message', heard);
        child.off('exit', ended);
        resolve(message as Extract<FromInstance, { kind: K }>);
      };
      child.on('message', heard);
    });
  }

  /** Agents and keys, in the tables that the instance has made. */
  async #fill(): Promise<Sessions> {
    const client = new Client({ connectionString: this.databaseUrl });
    await client.connect();
    const agents = Array.from({ length: agentCount }, (_, at) => at);
    const statuses = ['healthy', 'unhealthy', 'offline', 'unknown'];
    await client.query('DELETE FROM agents');
    await client.query(
      `INSERT INTO agents (id, name, type, status, capabilities, description)
       SELECT id, name, 'bench', status, ARRAY[capability], 'v0'
       FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS given (id, name, status, capability)`,
      [
        agents.map(agentId),
        agents.map(at => `Agent ${agentId(at)}`),
        agents.map(at => statuses[at % statuses.length]),
        agents.map(at => capabilities[at % capabilities.length]),
      ],
    );
    const keys = Array.from({ length: sessionCount }, (_, at) => ({ id: hexOf(at), key: makeKey() }));
    const insert = (made: readonly { id: string; key: string }[]): Promise<unknown> =>
      client.query(
        `INSERT INTO admin_keys (id, sha256, name, scopes, created_by)
         SELECT id, sha256, 'session', ARRAY['models:write'], 'bench' FROM unnest($1::text[], $2::text[]) AS given (id, sha256)`,
        [made.map(({ id }) => id), made.map(({ key }) => digestOf(key))],
      );
    await insert(keys);
    await client.query('ANALYZE');
    let serial = sessionCount;
    return {
      keyOf: rank => keys[rank]!,
      replace: async rank => {
        const made = { id: hexOf((serial += 1)), key: makeKey() };
        await insert([made]);
        keys[rank] = made;
      },
      close: () => client.end(),
    };
  }
}

function hexOf(serial: number): string {
  return serial.toString(16).padStart(16, '0');
}
