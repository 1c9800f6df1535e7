import type { MissCause } from './outcomes';

interface Remembered {
  name: string;
  /** Its neighbours in the order in which keys were last put in. */
  older: Remembered | undefined;
  younger: Remembered | undefined;
  /** When the last entry seen under this name ends, in local monotonic milliseconds. */
  expiresAtMs: number;
  change: 'none' | 'invalidated' | 'rejected' | 'evicted_l1' | 'announced';
  /** When Redis said that it is gone or another one, if that was the last change. */
  announcedAtMs: number;
}

/**
 * What became of keys that were lately seen, so that a miss has a cause. Fixed size: the oldest are forgotten, and a
 * forgotten key misses as `cold`.
 */
export class KeyMemory {
  readonly #seen = new Map<string, Remembered>();
  /** The ends of the order, which is kept beside the map: to find its oldest key a map passes by all that were deleted before. */
  #oldest: Remembered | undefined;
  #youngest: Remembered | undefined;
  #evictedKeys: number | undefined;
  /** Of the last two looks at the server between which it has dropped keys for room. */
  #evictingFromMs = Infinity;
  #evictingToMs = -Infinity;
  #lookedAtMs = 0;

  constructor(private readonly maxKeys = 20_000) {}

  stored(name: string, expiresAtMs: number): void {
    this.#put(name, expiresAtMs, 'none');
  }

  /** Its policy was given a shorter life. */
  cut(name: string, expiresAtMs: number): void {
    const seen = this.#seen.get(name);
    if (seen) seen.expiresAtMs = Math.min(seen.expiresAtMs, expiresAtMs);
  }

  rejected(name: string): void {
    this.#put(name, Infinity, 'rejected');
  }

  changed(name: string, change: 'invalidated' | 'evicted_l1'): void {
    const seen = this.#seen.get(name);
    if (seen) seen.change = change;
  }

  /**
   * Redis announces an entry that is gone, and not why: it may be another instance's invalidation, or that the server needed
   * the room. What the server counts tells which, for as far as both do not happen at once.
   */
  announced(name: string, nowMs: number): void {
    const seen = this.#seen.get(name);
    if (!seen || seen.change === 'invalidated') return;
    seen.change = 'announced';
    seen.announcedAtMs = nowMs;
  }

  /** @param evictedKeys what the server has dropped for room since it started; less than before: it started anew */
  serverHasEvicted(evictedKeys: number, nowMs: number): void {
    if (this.#evictedKeys !== undefined && evictedKeys > this.#evictedKeys) {
      // Looks that follow each other are one time of evictions.
      if (this.#evictingToMs !== this.#lookedAtMs) this.#evictingFromMs = this.#lookedAtMs;
      this.#evictingToMs = nowMs;
    }
    this.#evictedKeys = evictedKeys;
    this.#lookedAtMs = nowMs;
  }

  /** Why nothing is found under a name that was asked for. `shared`: the shared tier was asked and has nothing. */
  causeOf(name: string, nowMs: number, shared: boolean): MissCause {
    const seen = this.#seen.get(name);
    if (!seen) return 'cold';
    if (seen.change === 'rejected') return 'rejected';
    if (nowMs >= seen.expiresAtMs) return 'expired';
    if (seen.change === 'invalidated') return 'invalidated';
    if (seen.change === 'announced')
      return this.#wasEvicting(seen.announcedAtMs) ? 'evicted_l2' : 'invalidated';
    return shared ? 'evicted_l2' : seen.change === 'evicted_l1' ? 'evicted_l1' : 'invalidated';
  }

  #wasEvicting(atMs: number): boolean {
    // After the last look it goes on as it was.
    return (
      atMs >= this.#evictingFromMs && (atMs <= this.#evictingToMs || this.#evictingToMs === this.#lookedAtMs)
    );
  }

  #put(name: string, expiresAtMs: number, change: Remembered['change']): void {
    const seen = this.#seen.get(name) ?? this.#add(name);
    seen.expiresAtMs = expiresAtMs;
    seen.change = change;
    if (seen === this.#youngest) return;
    this.#takeOut(seen);
    seen.older = this.#youngest;
    seen.younger = undefined;
    if (this.#youngest) this.#youngest.younger = seen;
    else this.#oldest = seen;
    this.#youngest = seen;
  }

  /** In the place of the oldest, where there is no room. */
  #add(name: string): Remembered {
    const oldest = this.#seen.size >= this.maxKeys ? this.#oldest : undefined;
    if (oldest) this.#seen.delete(oldest.name);
    const seen = oldest ?? {
      name,
      older: undefined,
      younger: undefined,
      expiresAtMs: 0,
      change: 'none',
      announcedAtMs: 0,
    };
    seen.name = name;
    this.#seen.set(name, seen);
    return seen;
  }

  #takeOut(seen: Remembered): void {
    if (seen.older) seen.older.younger = seen.younger;
    else if (this.#oldest === seen) this.#oldest = seen.younger;
    if (seen.younger) seen.younger.older = seen.older;
  }
}
