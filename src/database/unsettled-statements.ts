import { Logger } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDatabaseAway, reasonOf } from './database-errors';

/** Limits and periods, in milliseconds. */
export interface UnsettledOptions {
  /** Before the first look, and between two at most; doubled each time. */
  readonly firstLookMs?: number;
  readonly maxLookMs?: number;
  /**
   * A process that is still there so long after the server was first asked counts as another one under the same number: longer than any
   * statement may take.
   */
  readonly presenceLimitMs: number;
  /** Statements at most; of more, the oldest counts as settled. */
  readonly max?: number;
}

interface Statement {
  readonly settled: Promise<void>;
  readonly resolve: () => void;
  seenAtMs?: number;
}

/**
 * Statements that were handed to a server which never said what became of them. A server that was frozen, or cut off, carries
 * out what it had been handed when it comes back, long after its client has given up. Once the process of the server that had
 * the statement has ended, whatever it did is there to be read.
 */
export class UnsettledStatements {
  readonly #log = new Logger('Database');
  readonly #statements = new Map<number, Statement>();
  readonly #closed = new AbortController();
  #isWatching = false;

  /** @param presentOf which of these processes the server still has, all where it cannot tell; rejects with DatabaseUnavailableError while it is away */
  constructor(
    private readonly presentOf: (pids: readonly number[]) => Promise<readonly number[]>,
    private readonly options: UnsettledOptions,
  ) {}

  get size(): number {
    return this.#statements.size;
  }

  /** Resolves when the process of that number has ended. Never rejects. */
  settled(pid: number): Promise<void> {
    if (this.#closed.signal.aborted) return Promise.resolve();
    const known = this.#statements.get(pid);
    if (known) return known.settled;
    const [oldest] = this.#statements.keys();
    if (oldest !== undefined && this.#statements.size >= (this.options.max ?? 1_000)) this.#settle(oldest);
    let resolve = (): void => undefined;
    const settled = new Promise<void>(done => (resolve = done));
    this.#statements.set(pid, { settled, resolve });
    if (!this.#isWatching) void this.#watch();
    return settled;
  }

  /** All count as settled. */
  close(): void {
    this.#closed.abort();
    for (const pid of [...this.#statements.keys()]) this.#settle(pid);
  }

  async #watch(): Promise<void> {
    const { firstLookMs = 50, maxLookMs = 5_000 } = this.options;
    this.#isWatching = true;
    for (let delayMs = firstLookMs; this.#statements.size > 0; delayMs = Math.min(2 * delayMs, maxLookMs)) {
      await sleep(delayMs, undefined, { signal: this.#closed.signal, ref: false }).catch((error: Error) => {
        if (error.name !== 'AbortError') throw error;
      });
      if (this.#statements.size > 0) await this.#look();
    }
    this.#isWatching = false;
  }

  async #look(): Promise<void> {
    const pids = [...this.#statements.keys()];
    const present = await this.presentOf(pids).catch((error: unknown) => {
      if (isDatabaseAway(error)) return undefined; // that is why they are here
      this.#log.warn(`nobody can tell what became of ${pids.length} statements: ${reasonOf(error)}`);
      return pids; // it answers and does not say: as long as one may take
    });
    if (!present) return;
    const nowMs = performance.now();
    for (const pid of pids) {
      const statement = this.#statements.get(pid);
      if (!statement) continue;
      const isPresent = present.includes(pid);
      const seenMs = nowMs - (statement.seenAtMs ??= nowMs);
      if (!isPresent || seenMs >= this.options.presenceLimitMs) this.#settle(pid);
    }
  }

  #settle(pid: number): void {
    this.#statements.get(pid)?.resolve();
    this.#statements.delete(pid);
  }
}
