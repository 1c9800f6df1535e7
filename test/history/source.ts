import { viewOf, keyspace } from './keyspace';
import type { CommitRecord } from './records';

/** What a change asks of the source: raise these versions, then tell those. */
export interface Change {
  raise: readonly string[];
  tell: readonly string[];
}

/** The source of truth as loaders and writers use it, from whichever process. */
export interface Truth {
  /** The version of a key, at some instant between call and answer. */
  sample(key: string): Promise<number>;
  /** Raises versions in one step, and tells the versions after it. */
  change(change: Change): Promise<Record<string, number>>;
  /** Takes the lock of a key that is set; false when somebody has it. */
  lock(key: string): Promise<boolean>;
  /** Frees it after so many milliseconds. */
  unlock(key: string, afterMs: number): Promise<void>;
}

/** Versions that only grow, and what was committed when. Lives in one process; the others ask it. */
export class Source implements Truth {
  readonly #versions = new Map<string, number>();
  readonly #locked = new Set<string>();
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(
    private readonly nowMs: () => number,
    private readonly record: (commit: CommitRecord) => void,
  ) {
    for (const { key } of keyspace) this.#versions.set(key, 1);
  }

  /** The beginning of a history: what there is now. */
  recordAll(): void {
    for (const { key } of keyspace) this.#recordCommit(key, -Infinity);
  }

  async sample(key: string): Promise<number> {
    return this.#versions.get(key)!;
  }

  async change({ raise, tell }: Change): Promise<Record<string, number>> {
    const now = this.nowMs();
    for (const key of raise) {
      this.#versions.set(key, this.#versions.get(key)! + 1);
      this.#recordCommit(key, now);
    }
    return Object.fromEntries(tell.map(name => [name, this.#versions.get(name.split('>').at(-1)!)!]));
  }

  async lock(key: string): Promise<boolean> {
    if (this.#locked.has(key)) return false;
    this.#locked.add(key);
    return true;
  }

  async unlock(key: string, afterMs: number): Promise<void> {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#locked.delete(key);
    }, afterMs);
    this.#timers.add(timer);
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  /** The key itself, and wherever its value is seen inside another one. */
  #recordCommit(key: string, start: number): void {
    const version = this.#versions.get(key)!;
    const seenIn = keyspace.filter(({ inner }) => inner.includes(key)).map(outer => viewOf(outer.key, key));
    for (const name of [key, ...seenIn]) this.record({ op: 'commit', key: name, start, version });
  }
}
