/** Hashes are whole numbers below this. */
const hashRange = 0x1_0000_0000;

/** 32 bits of a text, evenly spread: FNV-1a with the finalizer of MurmurHash3. */
export function textHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

interface Kept<T> {
  readonly hash: number;
  readonly item: T;
}

/**
 * A sample of all keys in fixed room (fixed-size SHARDS: Waldspurger, Park, Garthwaite and Ahmad, "Efficient MRC Construction
 * with SHARDS", FAST 2015): a key belongs to it if its hash is below a threshold, and the threshold falls when there are too
 * many. All reads of a key are in the sample or none, so that gaps between reads are the true ones.
 */
export class KeySample<T> {
  readonly #kept = new Map<string, Kept<T>>();
  #threshold = hashRange;

  /** @param onDrop hears of each that leaves */
  constructor(
    readonly capacity: number,
    private readonly onDrop: (item: T) => void,
  ) {}

  get size(): number {
    return this.#kept.size;
  }

  /** Share of all keys that are in the sample. Above 0, at most 1. */
  get rate(): number {
    return this.#threshold / hashRange;
  }

  /** Whether a key belongs to the sample. */
  admits(key: string): boolean {
    return this.#threshold === hashRange || textHash(key) < this.#threshold;
  }

  get(key: string): T | undefined {
    return this.#kept.get(key)?.item;
  }

  entries(): [key: string, item: T][] {
    return [...this.#kept].map(([key, { item }]) => [key, item]);
  }

  /** Adds a key that is admitted; the threshold falls when there is no room for all. */
  add(key: string, item: T): void {
    this.#kept.set(key, { hash: textHash(key), item });
    if (this.#kept.size <= this.capacity) return;
    const hashes = [...this.#kept.values()].map(({ hash }) => hash).sort((a, b) => a - b);
    // An eighth at once, so that the next ones find room.
    this.#threshold = hashes[Math.floor(this.capacity * (7 / 8))]!;
    this.#dropUnless(({ hash }) => hash < this.#threshold);
  }

  /** Drops what is of no use any more; with much room to spare, more keys are admitted from now on. */
  dropUnless(isUseful: (item: T) => boolean): void {
    this.#dropUnless(({ item }) => isUseful(item));
    if (this.#kept.size < this.capacity / 4) this.#threshold = Math.min(hashRange, this.#threshold * 2);
  }

  #dropUnless(stays: (kept: Kept<T>) => boolean): void {
    for (const [key, kept] of this.#kept) {
      if (stays(kept)) continue;
      this.#kept.delete(key);
      this.onDrop(kept.item);
    }
  }
}
