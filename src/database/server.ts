import { Logger } from '@nestjs/common';
import { drizzle } from 'drizzle-orm/node-postgres';
import { Client, Pool, type PoolClient } from 'pg';
import type { AppConfig } from '../config/app-config';
import type { Driver, Orm } from './driver';
import { DatabaseUnavailableError, mayHaveHappened, translateDatabaseError } from './database-errors';
import { migrate } from './migrate';
import * as schema from './schema';
import { UnsettledStatements } from './unsettled-statements';

/** Longer than one statement may take, because the second of two instances waits here for the first. */
const migrationLimitMs = 60_000;

/** A pool on a PostgreSQL server; connects when first used. Errors of a server that is away come as `DatabaseUnavailableError`. */
export function openServer(config: AppConfig['database'], onQuery: () => void): Driver {
  const log = new Logger('Database');
  const presentOf = async (pids: readonly number[]): Promise<readonly number[]> => {
    const client = (await pool.connect()) as PoolClient & { processID?: number | null };
    try {
      const text =
        'SELECT pg_backend_pid() AS own, ARRAY(SELECT pid FROM pg_stat_activity WHERE pid = ANY($1)) AS present';
      const { rows } = await client.query<{ own: number; present: number[] }>(text, [pids]);
      // A pooler in between makes numbers up: nobody can tell.
      return rows[0]!.own === client.processID ? rows[0]!.present : pids;
    } finally {
      client.release();
    }
  };
  const unsettled = new UnsettledStatements(presentOf, {
    // Longer than a statement, and what follows it in a transaction, may take.
    presenceLimitMs: 60_000 + 5 * config.statementTimeoutMs,
  });
  const pool: Pool = new TranslatingPool({
    connectionString: config.url,
    Client: translatingClient(pid => unsettled.settled(pid)),
    max: config.poolSize,
    connectionTimeoutMillis: config.connectTimeoutMs,
    statement_timeout: config.statementTimeoutMs,
    query_timeout: config.statementTimeoutMs + 1_000, // for a server that does not answer at all
    idle_in_transaction_session_timeout: 4 * config.statementTimeoutMs,
    keepAlive: true,
    application_name: 'sutazai-backend',
  });
  pool.on('error', error => log.warn(`an idle connection to PostgreSQL was lost: ${error.message}`));
  // One that is lost while it is in use tells its query as well; an event without a listener would end the process.
  pool.on('connect', client =>
    client.on('error', error => log.debug(`a connection to PostgreSQL was lost: ${error.message}`)),
  );
  const orm = drizzle(pool, { schema, logger: { logQuery: onQuery } }) as unknown as Orm;
  return {
    orm,
    migrate: signal =>
      withConnection(pool, signal, async client => {
        await client.query(`SET statement_timeout = ${migrationLimitMs}`);
        const run = (text: string, values?: unknown[]) =>
          client.query({ text, ...(values && { values }), query_timeout: migrationLimitMs } as {
            text: string;
            values?: unknown[];
          });
        return migrate({ query: (sql, parameters) => run(sql, parameters), exec: sql => run(sql) });
      }),
    ping: async () => void (await pool.query('SELECT 1')),
    unsettled: () => unsettled.size,
    close: () => {
      unsettled.close();
      return pool.end();
    },
  };
}

async function withConnection<T>(
  pool: Pool,
  signal: AbortSignal,
  work: (client: PoolClient & Client) => Promise<T>,
): Promise<T> {
  const client = (await pool.connect()) as PoolClient & Client;
  const end = (): void => void client.end();
  signal.addEventListener('abort', end, { once: true });
  try {
    signal.throwIfAborted();
    return await work(client);
  } catch (error) {
    throw translateDatabaseError(error);
  } finally {
    signal.removeEventListener('abort', end);
    client.release(true); // its statement timeout was changed: not for others
  }
}

type Method = (this: unknown, ...parameters: unknown[]) => unknown;

/** A method of the driver, but a promise that it returns rejects with a translated error. */
function translating<T extends object, N extends keyof T>(
  prototype: T,
  name: N,
  translate: (error: unknown, of: T) => unknown = translateDatabaseError,
): T[N] {
  const method = prototype[name] as Method;
  const translated: Method = function (...parameters) {
    const result = method.apply(this, parameters);
    if (!(result instanceof Promise)) return result;
    return result.catch((error: unknown) => {
      throw translate(error, this as T);
    });
  };
  return translated as never; // overloads of the driver, which a wrapper cannot spell
}

/** drizzle asks the pool for `query` and, for a transaction, `connect`; both tell a server that is away from a statement that is wrong. */
class TranslatingPool extends Pool {
  override connect: Pool['connect'] = translating(Pool.prototype, 'connect');
  /** By a connection that knows what becomes of its statements. */
  override query: Pool['query'] = (async (...statement: unknown[]) => {
    const client = await this.connect();
    try {
      return await (client.query as Method).apply(client, statement);
    } finally {
      client.release(); // one that is not to be used again has ended
    }
  }) as never;
}

/**
 * A connection. One that has not answered a statement ends: others would wait behind that, and what is still to come in a transaction
 * must not. Whatever fails on it after that may have been carried out as well.
 */
function translatingClient(settled: (pid: number) => Promise<void>): typeof Client {
  return class TranslatingClient extends Client {
    #isUnanswered = false;

    override query: Client['query'] = translating(Client.prototype, 'query', (error, client) =>
      (client as TranslatingClient).#translate(error),
    );

    #translate(error: unknown): unknown {
      const cause = translateDatabaseError(error);
      if (!(cause instanceof DatabaseUnavailableError)) return error;
      if (mayHaveHappened(error)) {
        this.#isUnanswered = true;
        void this.end();
      }
      if (!this.#isUnanswered) return cause;
      const { processID: pid = 0 } = this as { processID?: number | null };
      return new DatabaseUnavailableError(undefined, { cause: error, settled: () => settled(pid ?? 0) });
    }
  };
}
