const slotsPerBucket = 8;

/**
 * The last keys that were evicted, as 32-bit fingerprints: a key that comes back soon after was evicted too early. A table of
 * buckets with the time of each eviction (counted in evictions): what is older than `capacity` evictions is forgotten, and
 * in a full bucket the oldest makes room. A fingerprint shared by two keys makes one of them look remembered, which costs
 * nothing but a better place.
 */
export class Ghost {
  readonly #fingerprints: Uint32Array;
  /** Number of the eviction; 0: empty. */
  readonly #evictedAt: Uint32Array;
  /** Buckets for each value that a fingerprint can have: a product finds the bucket in a third of the time of a remainder. */
  readonly #bucketsPerValue: number;
  #evictions = 0;

  constructor(private readonly capacity: number) {
    // A quarter of room, so that buckets seldom overflow. No power of two: that could be twice as much.
    const buckets = Math.max(1, Math.ceil((capacity * 1.25) / slotsPerBucket));
    this.#bucketsPerValue = buckets / 2 ** 32;
    this.#fingerprints = new Uint32Array(buckets * slotsPerBucket);
    this.#evictedAt = new Uint32Array(buckets * slotsPerBucket);
  }

  remember(fingerprint: number): void {
    if (this.#evictions === 0xffff_ffff) this.clear();
    this.#evictions += 1;
    let oldest = this.#firstOf(fingerprint);
    for (let at = oldest, end = oldest + slotsPerBucket; at < end; at += 1) {
      if (this.#fingerprints[at] === fingerprint) {
        oldest = at;
        break;
      }
      if (this.#evictedAt[at]! < this.#evictedAt[oldest]!) oldest = at;
    }
    this.#fingerprints[oldest] = fingerprint;
    this.#evictedAt[oldest] = this.#evictions;
  }

  /** Whether the key was evicted lately; it is forgotten by that. */
  recall(fingerprint: number): boolean {
    const first = this.#firstOf(fingerprint);
    for (let at = first; at < first + slotsPerBucket; at += 1) {
      const evictedAt = this.#evictedAt[at]!;
      if (evictedAt !== 0 && this.#fingerprints[at] === fingerprint) {
        this.#evictedAt[at] = 0;
        return this.#evictions - evictedAt < this.capacity;
      }
    }
    return false;
  }

  /** The first place of its bucket. */
  #firstOf(fingerprint: number): number {
    return ((fingerprint * this.#bucketsPerValue) | 0) * slotsPerBucket;
  }

  clear(): void {
    this.#fingerprints.fill(0);
    this.#evictedAt.fill(0);
    this.#evictions = 0;
  }
}

/** 32 bits of the whole key: a part of it would let keys that differ elsewhere pass for each other. FNV-1a with a final mix. */
export function fingerprintOf(key: string): number {
  let hash = 0x811c_9dc5;
  for (let at = 0; at < key.length; at += 1) hash = Math.imul(hash ^ key.charCodeAt(at), 0x0100_0193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
