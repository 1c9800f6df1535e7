import { CacheOptionsError, type Clock, type LocalStore, type TimerHandle } from '../core';
import type { Eviction } from './eviction';
import { ExpiryWheel } from './expiry-wheel';
import { Lru } from './lru';
import { S3Fifo } from './s3-fifo';
import { Slots } from './slots';

export type EvictionPolicy = 's3fifo' | 'lru';

export interface MemoryStoreOptions {
  /** Entries held at most. From 0, which keeps none, to 10,000,000. Default 10,000. */
  maxEntries?: number;
  /** Bytes held at most, as the cache accounts for them. From 0, which keeps none. Default 67,108,864 (64 MiB). */
  maxBytes?: number;
  /** Which entry goes when there is no room. Default `s3fifo`; under 256 entries it is `lru` in any case. */
  eviction?: EvictionPolicy;
}

export const memoryStoreDefaults = Object.freeze({
  maxEntries: 10_000,
  maxBytes: 64 * 1_048_576,
  eviction: 's3fifo',
} as const);

/** An entry above this share of the bytes would push out too many others: it is not kept at all. */
const maxShareOfOneEntry = 0.1;
const largestTable = 10_000_000;
/** With so few entries the small queue of S3-FIFO is too short to tell anything. */
const fewestForS3Fifo = 256;
const sweepEveryMs = 1_000;
const sweepSliceMs = 1;

/**
 * L1: entries of this process, bounded in number and bytes. Entries whose life is over are removed by a sweep once a second in
 * slices of a millisecond, so that they hold no room; that they are not served is the cache's business.
 */
export class MemoryStore<E extends object> implements LocalStore<E> {
  readonly #slots: Slots<E>;
  readonly #eviction: Eviction;
  readonly #wheel: ExpiryWheel;
  readonly #maxBytes: number;
  readonly #maxEntryBytes: number;
  readonly #listeners: ((key: string) => void)[] = [];
  readonly eviction: EvictionPolicy;
  #bytes = 0;
  #sweep: TimerHandle | undefined;

  constructor(
    private readonly clock: Clock,
    options: MemoryStoreOptions = {},
  ) {
    const {
      maxEntries = memoryStoreDefaults.maxEntries,
      maxBytes = memoryStoreDefaults.maxBytes,
      eviction = memoryStoreDefaults.eviction,
    } = options;
    check('maxEntries', maxEntries, largestTable);
    check('maxBytes', maxBytes, Number.MAX_SAFE_INTEGER);
    if (eviction !== 's3fifo' && eviction !== 'lru') {
      throw new CacheOptionsError(`L1: eviction must be s3fifo or lru, not ${String(eviction)}`);
    }
    this.eviction = maxEntries < fewestForS3Fifo ? 'lru' : eviction;
    this.#maxBytes = maxBytes;
    this.#maxEntryBytes = Math.min(maxBytes * maxShareOfOneEntry, 0xffff_ffff);
    this.#slots = new Slots(maxEntries);
    this.#eviction =
      this.eviction === 'lru' ? new Lru(this.#slots) : new S3Fifo(this.#slots, maxEntries, maxBytes);
    this.#wheel = new ExpiryWheel(this.#slots, sweepEveryMs, clock.nowMs());
  }

  get entries(): number {
    return this.#slots.count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether a sweep is planned: there are entries that end by themselves. */
  get sweeping(): boolean {
    return this.#sweep !== undefined;
  }

  get(key: string): E | undefined {
    const slot = this.#slots.find(key);
    if (slot === undefined) return undefined;
    this.#eviction.use(slot);
    return this.#slots.entryAt(slot);
  }

  peek(key: string): E | undefined {
    const slot = this.#slots.find(key);
    return slot === undefined ? undefined : this.#slots.entryAt(slot);
  }

  set(key: string, entry: E, bytes: number, untilMs: number): boolean {
    const size = Math.max(1, Math.round(bytes));
    const known = this.#slots.find(key);
    if (size > this.#maxEntryBytes || this.#slots.maxSlots === 0) {
      if (known !== undefined) this.#remove(known);
      return false;
    }
    if (known !== undefined) this.#take(known);
    // The slot of a known key stays taken: it needs no room in the table.
    const maxEntries = this.#slots.maxSlots - (known === undefined ? 1 : 0);
    while (this.#slots.count > maxEntries || this.#bytes + size > this.#maxBytes) this.#evict();
    const slot = known ?? this.#slots.take(key, entry);
    this.#slots.bytes[slot] = size;
    this.#bytes += size;
    if (known === undefined) this.#eviction.add(slot);
    else {
      this.#slots.put(slot, entry);
      this.#eviction.restore(slot);
      this.#eviction.use(slot);
    }
    if (untilMs !== Infinity) this.#wheel.add(slot, untilMs);
    if (this.#wheel.count > 0) this.#sweep ??= this.clock.schedule(sweepEveryMs, this.#sweepSlice);
    return true;
  }

  delete(key: string): boolean {
    const slot = this.#slots.find(key);
    if (slot === undefined) return false;
    this.#remove(slot);
    return true;
  }

  clear(): void {
    this.#slots.clear();
    this.#eviction.clear();
    this.#wheel.clear();
    this.#bytes = 0;
    this.#endSweep();
  }

  keys(): Iterable<string> {
    return this.#slots.keys();
  }

  onEvict(listener: (key: string) => void): void {
    this.#listeners.push(listener);
  }

  #remove(slot: number): void {
    this.#take(slot);
    this.#slots.release(slot);
    if (this.#wheel.count === 0) this.#endSweep();
  }

  /** Out of its queue, the wheel and the accounts; the slot is still its own. */
  #take(slot: number): void {
    this.#eviction.remove(slot);
    this.#forget(slot);
  }

  #forget(slot: number): void {
    this.#wheel.remove(slot);
    this.#bytes -= this.#slots.bytes[slot]!;
  }

  #evict(): void {
    const slot = this.#eviction.evict();
    const key = this.#slots.keyAt(slot);
    this.#forget(slot);
    this.#slots.release(slot);
    for (const listener of this.#listeners) listener(key);
  }

  readonly #sweepSlice = (): void => {
    this.#sweep = undefined;
    const beganAtMs = this.clock.nowMs();
    const done = this.#wheel.sweep(
      beganAtMs,
      slot => this.#remove(slot),
      () => this.clock.nowMs() - beganAtMs < sweepSliceMs,
    );
    if (this.#wheel.count > 0)
      this.#sweep ??= this.clock.schedule(done ? sweepEveryMs : sweepSliceMs, this.#sweepSlice);
  };

  #endSweep(): void {
    this.#sweep?.cancel();
    this.#sweep = undefined;
  }
}

function check(option: string, value: number, max: number): void {
  if (!Number.isSafeInteger(value) || value < 0 || value > max) {
    throw new CacheOptionsError(
      `L1: ${option} must be a whole number from 0 to ${max}, not ${String(value)}`,
    );
  }
}
