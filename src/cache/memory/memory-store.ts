import { LRUCache } from 'lru-cache';
import { CacheOptionsError, type LocalStore } from '../core';

export interface MemoryStoreOptions {
  /** Entries held at most. From 1 to 10,000,000: the table for them is laid out at once. Default 10,000. */
  maxEntries?: number;
  /** Bytes held at most, as the cache accounts for them. From 1. Default 67,108,864 (64 MiB). */
  maxBytes?: number;
}

export const memoryStoreDefaults = Object.freeze({ maxEntries: 10_000, maxBytes: 64 * 1_048_576 });

/** An entry above this share of the bytes would push out too many others: it is not kept at all. */
const maxShareOfOneEntry = 0.1;

const largestTable = 10_000_000;

/** L1 as an LRU bounded in entries and bytes. */
export class MemoryStore<E extends object> implements LocalStore<E> {
  readonly #entries: LRUCache<string, E>;
  readonly #maxEntryBytes: number;
  readonly #listeners: ((key: string) => void)[] = [];

  constructor(options: MemoryStoreOptions = {}) {
    const { maxEntries = memoryStoreDefaults.maxEntries, maxBytes = memoryStoreDefaults.maxBytes } = options;
    check('maxEntries', maxEntries, largestTable);
    check('maxBytes', maxBytes, Number.MAX_SAFE_INTEGER);
    this.#maxEntryBytes = maxBytes * maxShareOfOneEntry;
    this.#entries = new LRUCache({
      max: maxEntries,
      maxSize: maxBytes,
      dispose: (_entry, key, reason) => {
        if (reason === 'evict') for (const listener of this.#listeners) listener(key);
      },
    });
  }

  get entries(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#entries.calculatedSize;
  }

  get(key: string): E | undefined {
    return this.#entries.get(key);
  }

  peek(key: string): E | undefined {
    return this.#entries.peek(key);
  }

  set(key: string, entry: E, bytes: number): boolean {
    if (bytes > this.#maxEntryBytes) {
      this.#entries.delete(key);
      return false;
    }
    this.#entries.set(key, entry, { size: Math.max(1, Math.round(bytes)) });
    return true;
  }

  delete(key: string): boolean {
    return this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  keys(): Iterable<string> {
    return this.#entries.keys();
  }

  onEvict(listener: (key: string) => void): void {
    this.#listeners.push(listener);
  }
}

function check(option: string, value: number, max: number): void {
  if (!Number.isSafeInteger(value) || value < 1 || value > max) {
    throw new CacheOptionsError(
      `L1: ${option} must be a whole number from 1 to ${max}, not ${String(value)}`,
    );
  }
}
