import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AppConfig } from '../config/app-config';
import { DatabaseUnavailableError, reasonOf, translateDatabaseError } from './database-errors';
import type { Driver, Orm } from './driver';
import { openEmbedded } from './embedded';
import { openServer } from './server';

const startPatienceMs = 5_000;
const firstRetryMs = 250;
const maxRetryMs = 5_000;

/**
 * The one database: a PostgreSQL server, or PostgreSQL in a thread of this process (PGlite) when none is configured; the same SQL
 * and the same migrations. A server that is away does not stop the start: queries fail with `DatabaseUnavailableError`
 * until it is there, and the migrations run when it comes. The same while they take long.
 */
export class Database implements OnApplicationShutdown {
  private readonly log = new Logger('Database');
  private readonly closed = new AbortController();
  private retrying: Promise<void> = Promise.resolve();
  private migrated = false;
  private readonly firstWork: (() => Promise<void>)[] = [];
  private driver: Driver | undefined;
  private count = 0;

  private constructor(private readonly config: AppConfig['database']) {}

  /**
   * Opens the database and runs the migrations; those of a server that take longer than `patienceMs` go on behind the start, so that
   * an instance that waits for another one is there for its probes.
   * @throws DataDirInUseError when another process holds the folder of the embedded database
   */
  static async open(config: AppConfig['database'], patienceMs = startPatienceMs): Promise<Database> {
    const database = new Database(config);
    const onQuery = (): void => void (database.count += 1);
    if (config.mode === 'embedded') {
      database.driver = await openEmbedded(config.dataDir, onQuery, config.statementTimeoutMs);
      await database.migrate();
      return database;
    }
    database.driver = openServer(config, onQuery);
    const migrating = database.migrate();
    try {
      const late = sleep(patienceMs, 'late' as const, { ref: false });
      if ((await Promise.race([migrating, late])) === 'late') {
        database.log.warn(
          `the migrations of ${database.address()} take long, or wait for another instance; they go on in the background`,
        );
        database.retrying = Promise.allSettled([migrating]).then(() => database.migrateLater());
      }
    } catch (error) {
      if (!(error instanceof DatabaseUnavailableError)) throw error;
      database.log.warn(
        `PostgreSQL at ${database.address()} cannot be reached (${reasonOf(error.cause ?? error)}); trying again in the background`,
      );
      database.retrying = database.migrateLater();
    }
    return database;
  }

  get mode(): 'server' | 'embedded' {
    return this.config.mode;
  }

  /**
   * Typed queries. Whatever they run is counted in `queries`.
   * @throws DatabaseUnavailableError while the migrations have not run
   */
  get orm(): Orm {
    if (!this.driver || !this.migrated) throw new DatabaseUnavailableError();
    return this.driver.orm;
  }

  /** SQL queries run since the start, without pings and migrations. */
  get queries(): number {
    return this.count;
  }

  /** Statements of which it is not known yet whether they were carried out, and somebody waits to hear it. */
  get unsettled(): number {
    return this.driver?.unsettled?.() ?? 0;
  }

  /** Whether the migrations have run; false while a server that was away at the start has not come. */
  get isReady(): boolean {
    return this.migrated;
  }

  /**
   * Runs work that needs the tables, such as filling an empty one: now and awaited when the database is ready, otherwise
   * when it comes. It may run on several instances at once.
   */
  async onReady(work: () => Promise<void>): Promise<void> {
    if (this.migrated) await work();
    else this.firstWork.push(work);
  }

  /**
   * Milliseconds of one trip to the database.
   * @throws DatabaseUnavailableError when it cannot be reached, is not migrated, or takes longer than `timeoutMs`
   */
  async ping(timeoutMs: number): Promise<number> {
    if (!this.driver || !this.migrated) throw new DatabaseUnavailableError();
    const startedAt = performance.now();
    const late = sleep(timeoutMs, undefined, { ref: false }).then(() => {
      throw new DatabaseUnavailableError(`the database did not answer within ${timeoutMs} ms`);
    });
    await Promise.race([this.driver.ping(), late]);
    return performance.now() - startedAt;
  }

  /** What runs and what to set for the real thing, in one line without secrets. */
  describe(): string {
    if (this.mode === 'embedded')
      return `embedded PostgreSQL (PGlite) in ${this.config.dataDir}/pg; set DATABASE_URL to share a server`;
    return `PostgreSQL at ${this.address()}${this.migrated ? '' : ' (away; trying again in the background)'}`;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.close();
  }

  /** Waits for running queries, then closes. Safe to call twice. */
  async close(): Promise<void> {
    if (this.closed.signal.aborted) return;
    this.closed.abort();
    await this.retrying;
    await this.driver?.close();
  }

  private async migrate(): Promise<void> {
    const ran = (await this.driver?.migrate(this.closed.signal)) ?? [];
    this.migrated = true;
    if (ran.length > 0) this.log.log(`migrations run: ${ran.join(', ')}`);
  }

  /** Tries again until the server is there, the migrations have run and so has everything that waited for them. */
  private async migrateLater(): Promise<void> {
    for (
      let delayMs = firstRetryMs;
      !this.migrated || this.firstWork.length > 0;
      delayMs = Math.min(2 * delayMs, maxRetryMs)
    ) {
      await sleep(delayMs, undefined, { signal: this.closed.signal, ref: false }).catch((error: Error) => {
        if (error.name !== 'AbortError') throw error;
      });
      if (this.closed.signal.aborted) return;
      await this.attempt('the migrations', async () => {
        if (!this.migrated) await this.migrate();
      });
      // What fails stays first in the line.
      while (this.migrated && this.firstWork.length > 0) {
        if (!(await this.attempt('the first work on the tables', this.firstWork[0]!))) break;
        this.firstWork.shift();
      }
    }
    this.log.log(`PostgreSQL at ${this.address()} is there`);
  }

  /** Whether it succeeded. An outage is expected here; anything else is told. */
  private async attempt(what: string, run: () => Promise<void>): Promise<boolean> {
    try {
      await run();
      return true;
    } catch (error) {
      const cause = translateDatabaseError(error);
      const isAway = cause instanceof DatabaseUnavailableError;
      const text = isAway ? reasonOf(cause.cause ?? cause) : reasonOf(cause);
      if (isAway) this.log.debug(`PostgreSQL is still away: ${text}`);
      else this.log.error(`${what} failed: ${text}`);
      return false;
    }
  }

  private address(): string {
    const { hostname, port, pathname } = new URL(this.config.url ?? '');
    return `${hostname}:${port || '5432'}${pathname}`;
  }
}
