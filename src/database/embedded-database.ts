import { Logger } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { EmbeddedThread, startThread, type Result, type Statements } from './embedded-thread';

const firstRetryMs = 250;
const maxRetryMs = 5_000;

/**
 * The embedded database across the lives of its threads: one that is lost is followed by another on the same folder, as a server
 * that was killed comes back. PostgreSQL recovers there what was committed. Meanwhile statements fail as with a server that is away.
 */
export class EmbeddedDatabase implements Statements {
  readonly #log = new Logger('Database');
  readonly #closing = new AbortController();
  readonly #healing: Promise<void>;
  #thread: EmbeddedThread;

  private constructor(
    private readonly folder: string,
    private readonly start: (folder: string) => Worker,
    thread: EmbeddedThread,
  ) {
    this.#thread = thread;
    this.#healing = this.#heal();
  }

  /**
   * Opens the database in a folder, which is made when it is missing.
   * @param start starts a thread on a folder
   * @throws StatementError or DatabaseUnavailableError when it cannot be opened
   */
  static async open(folder: string, start = startThread): Promise<EmbeddedDatabase> {
    return new EmbeddedDatabase(folder, start, await EmbeddedThread.open(folder, { start }));
  }

  query<Row = unknown>(...statement: Parameters<Statements['query']>): Promise<Result<Row>> {
    return this.#thread.query<Row>(...statement);
  }

  exec(sql: string): Promise<void> {
    return this.#thread.exec(sql);
  }

  transaction<T>(work: (transaction: Statements) => Promise<T>): Promise<T> {
    return this.#thread.transaction(work);
  }

  /** Waits for what is under way, and ends the thread. Safe to call twice. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#thread.close();
    await this.#healing;
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
