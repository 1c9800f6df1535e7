import type { MissCause } from './outcomes';

interface Remembered {
  /** When the last entry seen under this name ends, in local monotonic milliseconds. */
  expiresAtMs: number;
  change: 'none' | 'invalidated' | 'rejected' | 'evicted_l1';
}

/**
 * What became of keys that were lately seen, so that a miss has a cause. Fixed size: the oldest are forgotten, and a
 * forgotten key misses as `cold`.
 */
export class KeyMemory {
  readonly #seen = new Map<string, Remembered>();

  constructor(private readonly maxKeys = 20_000) {}

  stored(name: string, expiresAtMs: number): void {
    this.#put(name, { expiresAtMs, change: 'none' });
  }

  rejected(name: string): void {
    this.#put(name, { expiresAtMs: Infinity, change: 'rejected' });
  }

  changed(name: string, change: 'invalidated' | 'evicted_l1'): void {
    const seen = this.#seen.get(name);
    if (seen) seen.change = change;
  }

  /** Why nothing is found under a name that was asked for. `shared`: the shared tier was asked and has nothing. */
  causeOf(name: string, nowMs: number, shared: boolean): MissCause {
    const seen = this.#seen.get(name);
    if (!seen) return 'cold';
    if (seen.change === 'rejected') return 'rejected';
    if (nowMs >= seen.expiresAtMs) return 'expired';
    if (seen.change === 'invalidated') return 'invalidated';
    return shared ? 'evicted_l2' : seen.change === 'evicted_l1' ? 'evicted_l1' : 'invalidated';
  }

  #put(name: string, seen: Remembered): void {
    this.#seen.delete(name);
    if (this.#seen.size >= this.maxKeys) {
      const oldest = this.#seen.keys().next();
      if (!oldest.done) this.#seen.delete(oldest.value);
    }
    this.#seen.set(name, seen);
  }
}
