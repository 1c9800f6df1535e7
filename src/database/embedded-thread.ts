import { types } from '@electric-sql/pglite';
import { Worker } from 'node:worker_threads';
import { DatabaseUnavailableError, translateDatabaseError } from './database-errors';

/** What a statement answers with, as drizzle and the migrations read it. */
export interface Result<Row = unknown> {
  rows: Row[];
  affectedRows?: number;
}

/** A statement that the database has refused, with PostgreSQL's own fields. */
export class StatementError extends Error {
  readonly code?: string;
  readonly constraint?: string;
  readonly detail?: string;

  constructor({ message, ...fields }: { message: string }) {
    super(message);
    this.name = 'StatementError';
    Object.assign(this, fields);
  }
}

/** What runs statements: the database, or one transaction of it. */
export interface Statements {
  query<Row = unknown>(sql: string, parameters?: unknown[], options?: RowsAs): Promise<Result<Row>>;
  exec(sql: string): Promise<unknown>;
}

interface RowsAs {
  rowMode?: 'array' | 'object';
}

interface Question {
  method: 'query' | 'exec' | 'close';
  sql?: string;
  parameters?: unknown[];
  rowMode?: RowsAs['rowMode'];
}

interface Answer {
  id: number;
  value?: unknown;
  error?: { message: string };
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** The id of the answer that nobody has asked for: the database is open, or cannot be. */
const opening = 0;
/** Statements and transactions that run or wait at most; more than a busy instance ever has at once. */
export const maxWaiting = 10_000;

/**
 * A thread that leaves questions without any answer for so long is taken for stuck, and ended: longer than a start or a migration
 * takes. It happens: PostgreSQL that cannot write its log for want of disk begins again for ever, as it never would on a server.
 */
const silenceLimitMs = 60_000;
const closeLimitMs = 3_000;

export interface ThreadOptions {
  /** Starts the thread on a folder. */
  start?: typeof startThread;
  /** Gives the opening up. */
  signal?: AbortSignal;
}

/**
 * Types that stay text: dates and intervals, alone and in arrays, and numerics in arrays. drizzle asks for it with functions, which
 * cannot be sent to a thread.
 */
const asText = [types.TIMESTAMP, types.TIMESTAMPTZ, types.INTERVAL, types.DATE, 1115, 1182, 1185, 1187, 1231];

/** A text and not a file, because a worker cannot be TypeScript and the same code has to run from `src` under Jest and from `dist`. */
const program = `
const { parentPort, workerData } = require('node:worker_threads');
const { PGlite } = require(workerData.library);
const parsers = Object.fromEntries(workerData.asText.map(type => [type, text => text]));
const { opening, folder } = workerData;
const database = PGlite.create(folder);
const answer = (id, work) =>
  work.then(
    value => parentPort.postMessage({ id, value }),
    ({ message, code, constraint, detail }) => parentPort.postMessage({ id, error: { message, code, constraint, detail } }),
  );
const run = {
  query: async ({ sql, parameters, rowMode }) => {
    const { rows, affectedRows } = await (await database).query(sql, parameters, { rowMode, parsers });
    return { rows, affectedRows };
  },
  exec: async ({ sql }) => void (await (await database).exec(sql)),
  close: async () => (await database).close(),
};
parentPort.on('message', ({ id, ...question }) => {
  const answered = answer(id, run[question.method](question));
  if (question.method === 'close') answered.then(() => parentPort.close());
});
answer(opening, database.then(() => undefined));
`;

/** Starts the thread, which answers as `opening` when the database is open. */
export function startThread(folder: string): Worker {
  const library = require.resolve('@electric-sql/pglite');
  return new Worker(program, { eval: true, workerData: { library, folder, asText, opening }, execArgv: [] });
}

/**
 * PGlite in a thread of its own: it is PostgreSQL as WebAssembly, and whatever a statement takes, up to the seconds of a start,
 * the event loop of its thread stands still. To drizzle it is a PGlite. It has one connection: statements run one after the
 * other, in the order in which they are given, and those from outside wait while a transaction is open.
 */
export class EmbeddedThread implements Statements {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #silence: NodeJS.Timeout;
  /** Resolves to the reason when the thread has ended, whoever has ended it. */
  readonly ended: Promise<string>;
  #nextId = opening + 1;
  /** Statements and transactions that are not over, whether they wait here or in the thread. */
  #entered = 0;
  #lost: DatabaseUnavailableError | undefined;
  /** Resolves when the last transaction that was asked for is over. */
  #lastTransaction: Promise<void> = Promise.resolve();

  private constructor(worker: Worker) {
    this.#worker = worker;
    this.#silence = setTimeout(() => {
      if (this.#waiting.size > 0)
        this.#end(`the thread of the embedded database has not answered for ${silenceLimitMs} ms`);
    }, silenceLimitMs).unref();
    worker.on('message', ({ id, value, error }: Answer) => {
      this.#silence.refresh();
      const waiting = this.#take(id);
      // As on a server: a full disk is no wrong statement.
      if (error) waiting?.reject(translateDatabaseError(new StatementError(error)) as Error);
      else waiting?.resolve(value);
    });
    worker.on('error', error => this.#lose('the thread of the embedded database failed', error));
    this.ended = new Promise(resolve => {
      worker.once('exit', () => {
        clearTimeout(this.#silence);
        resolve(this.#lose('the thread of the embedded database has ended').message);
      });
    });
  }

  /**
   * Opens the database in a folder, which is made when it is missing.
   * @throws StatementError or DatabaseUnavailableError when it cannot be opened
   */
  static async open(
    folder: string,
    { start = startThread, signal }: ThreadOptions = {},
  ): Promise<EmbeddedThread> {
    const thread = new EmbeddedThread(start(folder));
    const giveUp = (): void => thread.#end('the application is shutting down');
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      await new Promise((resolve, reject) => thread.#waiting.set(opening, { resolve, reject }));
      return thread;
    } catch (error) {
      await thread.#worker.terminate();
      throw error;
    } finally {
      signal?.removeEventListener('abort', giveUp);
    }
  }

  /** @throws StatementError for one that is wrong; DatabaseUnavailableError when the thread is gone or too many wait */
  query<Row = unknown>(sql: string, parameters?: unknown[], options?: RowsAs): Promise<Result<Row>> {
    return this.#enter(async () => {
      await this.#lastTransaction;
      return this.#now.query<Row>(sql, parameters, options);
    });
  }

  /** Several statements without parameters. */
  async exec(sql: string): Promise<void> {
    await this.#enter(async () => {
      await this.#lastTransaction;
      await this.#now.exec(sql);
    });
  }

  /** Commits when the work resolves, and takes it back when it rejects. */
  transaction<T>(work: (transaction: Statements) => Promise<T>): Promise<T> {
    return this.#enter(async () => {
      const before = this.#lastTransaction;
      let end = (): void => undefined;
      this.#lastTransaction = new Promise(resolve => (end = resolve));
      try {
        await before;
        await this.#now.exec('BEGIN');
        const result = await work(this.#now);
        await this.#now.exec('COMMIT');
        return result;
      } catch (error) {
        // Where the thread is gone, so is the transaction: what the caller has to hear is the first error.
        if (!this.#lost) await this.#now.exec('ROLLBACK');
        throw error;
      } finally {
        end();
      }
    });
  }

  /** Waits for what is under way, 3 s at most, and ends the thread. Safe to call twice. */
  async close(): Promise<void> {
    const late = setTimeout(() => this.#end('the embedded database was closed'), closeLimitMs);
    try {
      await this.#lastTransaction;
      if (!this.#lost) await this.#ask({ method: 'close' });
    } catch (error) {
      if (!this.#lost) throw error; // otherwise it has ended, which is what was asked for
    } finally {
      // A process that has nothing else to do would end before the thread has, and before whoever waits for it goes on.
      this.#worker.ref();
      await this.ended;
      clearTimeout(late);
    }
  }

  /** Statements without a look at whether a transaction is open. */
  readonly #now: Statements = {
    query: (sql, parameters, { rowMode } = {}) =>
      this.#ask({ method: 'query', sql, ...(parameters && { parameters }), ...(rowMode && { rowMode }) }),
    exec: sql => this.#ask({ method: 'exec', sql }),
  };

  /** The limit is at the door: who is in a transaction must not be refused its end, and who waits for one waits too. */
  async #enter<T>(work: () => Promise<T>): Promise<T> {
    if (this.#entered >= maxWaiting)
      throw new DatabaseUnavailableError(`${maxWaiting} statements wait for the embedded database`);
    this.#entered += 1;
    try {
      return await work();
    } finally {
      this.#entered -= 1;
    }
  }

  async #ask<T>(question: Question): Promise<T> {
    if (this.#lost) throw this.#lost;
    const id = this.#nextId++;
    this.#worker.postMessage({ id, ...question });
    // Only who waits for an answer keeps the process running.
    if (this.#waiting.size === 0) {
      this.#worker.ref();
      this.#silence.refresh();
    }
    return new Promise<unknown>((resolve, reject) =>
      this.#waiting.set(id, { resolve, reject }),
    ) as Promise<T>;
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#worker.unref();
    return waiting;
  }

  #lose(reason: string, cause?: Error): DatabaseUnavailableError {
    this.#lost ??= new DatabaseUnavailableError(reason + (cause ? `: ${cause.message}` : ''), { cause });
    const { message, cause: why } = this.#lost;
    const settled = async (): Promise<void> => void (await this.ended);
    for (const id of [...this.#waiting.keys()])
      this.#take(id)?.reject(new DatabaseUnavailableError(message, { cause: why, settled }));
    return this.#lost;
  }

  /** Whatever it does, it does no more. */
  #end(reason: string): void {
    this.#lose(reason);
    void this.#worker.terminate();
  }
}
