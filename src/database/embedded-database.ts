import { Logger } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { DatabaseUnavailableError } from './database-errors';
import { EmbeddedThread, startThread, type Result, type Statements } from './embedded-thread';

const firstRetryMs = 250;
const maxRetryMs = 5_000;

export interface EmbeddedOptions {
  /** A statement or transaction that has not been answered for so long fails, in milliseconds; it goes on all the same. Default none. */
  readonly limitMs?: number;
  /** Starts a thread on a folder. */
  readonly start?: typeof startThread;
}

/**
 * The embedded database across the lives of its threads: one that is lost is followed by another on the same folder, as a server
 * that was killed comes back. PostgreSQL recovers there what was committed. Meanwhile statements fail as with a server that is away.
 */
export class EmbeddedDatabase {
  readonly #log = new Logger('Database');
  readonly #closing = new AbortController();
  readonly #healing: Promise<void>;
  #thread: EmbeddedThread;

  private constructor(
    private readonly folder: string,
    private readonly start: (folder: string) => Worker,
    private readonly limitMs: number | undefined,
    thread: EmbeddedThread,
  ) {
    this.#thread = thread;
    this.#healing = this.#heal();
  }

  /**
   * Opens the database in a folder, which is made when it is missing.
   * @throws StatementError or DatabaseUnavailableError when it cannot be opened
   */
  static async open(
    folder: string,
    { limitMs, start = startThread }: EmbeddedOptions = {},
  ): Promise<EmbeddedDatabase> {
    return new EmbeddedDatabase(folder, start, limitMs, await EmbeddedThread.open(folder, { start }));
  }

  query<Row = unknown>(...statement: Parameters<Statements['query']>): Promise<Result<Row>> {
    return this.#limited(this.#thread.query<Row>(...statement));
  }

  /** Commits when the work resolves, and takes it back when it rejects. The limit is of all of it. */
  transaction<T>(work: (transaction: Statements) => Promise<T>): Promise<T> {
    return this.#limited(this.#thread.transaction(work));
  }

  /** For what may take its time, such as a migration. */
  get unlimited(): Statements {
    return this.#thread;
  }

  /** Waits for what is under way, and ends the thread. Safe to call twice. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#thread.close();
    await this.#healing;
  }

  async #limited<T>(answer: Promise<T>): Promise<T> {
    const { limitMs } = this;
    if (limitMs === undefined) return answer;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const settled = async (): Promise<void> => void (await Promise.allSettled([answer]));
        const message = `the embedded database has not answered within ${limitMs} ms`;
        reject(new DatabaseUnavailableError(message, { settled }));
      }, limitMs).unref();
    });
    return Promise.race([answer, late]).finally(() => clearTimeout(timer));
  }

  /** Until it is closed. */
  async #heal(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const reason = await this.#thread.ended; // two on one folder would lose rows
      if (signal.aborted) return;
      this.#log.error(`${reason}; it is opened again`);
      const next = await this.#reopen();
      if (!next) return;
      this.#thread = next;
      if (signal.aborted) return next.close();
      this.#log.log('the embedded database is open again');
    }
  }

  /** Undefined when it was closed meanwhile. */
  async #reopen(): Promise<EmbeddedThread | undefined> {
    const { signal } = this.#closing;
    let lastText = '';
    for (let delayMs = firstRetryMs; ; delayMs = Math.min(2 * delayMs, maxRetryMs)) {
      await sleep(delayMs, undefined, { signal, ref: false }).catch((error: Error) => {
        if (error.name !== 'AbortError') throw error;
      });
      if (signal.aborted) return undefined;
      try {
        return await EmbeddedThread.open(this.folder, { start: this.start, signal });
      } catch (error) {
        const text = String(error);
        if (text !== lastText && !signal.aborted)
          this.#log.error(`the embedded database cannot be opened: ${text}`);
        lastText = text;
      }
    }
  }
}
