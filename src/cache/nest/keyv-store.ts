import { definePolicy, maxTtlMs, type CachePolicy, type TieredCache } from '../core';
import { joinKey, escapeText } from '../http';

/** So long may the look before a deletion take, in milliseconds. */
const lookPatienceMs = 50;

/** What Keyv keeps for a key; `expires` is the moment, in milliseconds since 1970, at which it is over. */
export interface KeyvEnvelope {
  value?: unknown;
  expires?: number | undefined;
}

/** Everything that comes in through cache-manager carries this tag; `clear()` removes it and nothing else. */
export const cacheManagerTag = 'cache-manager';

/**
 * Entries of cache-manager live exactly as long as their callers say, fresh to the end. Without a TTL they live for 30 days,
 * the longest there is.
 */
export const cacheManagerPolicy: CachePolicy = definePolicy('cache-manager', {
  ttlMs: maxTtlMs,
  jitter: 0,
  refreshAheadFraction: 0,
  tags: [cacheManagerTag],
});

/** The key under which one of cache-manager's lives here: any text, of any length. */
export function keyOf(key: string): string {
  return joinKey('cache-manager', [escapeText(key)]);
}

/** A TTL of cache-manager (any number) as the cache takes it; undefined for "no TTL". */
export function ttlOf(ttlMs: number | undefined): number | undefined {
  if (ttlMs === undefined || ttlMs === 0 || Number.isNaN(ttlMs)) return undefined;
  return Math.min(maxTtlMs, Math.max(1, Math.ceil(ttlMs)));
}

/** What is in the cache belongs to all; callers of cache-manager expect a value of their own, which they may change. */
export function own<T>(value: T): T {
  return typeof value === 'object' && value !== null ? structuredClone(value) : value;
}

/** The storage adapter of Keyv 5 over the tiered cache. Envelopes pass as objects: the cache has its own serialisers. */
export class KeyvTieredStore {
  readonly opts = Object.freeze({ dialect: 'sutazai', url: 'sutazai' });
  namespace: string | undefined;

  constructor(private readonly cache: TieredCache) {}

  /** Nothing to hear: the cache turns its failures into misses. */
  on(): this {
    return this;
  }

  async get(key: string): Promise<KeyvEnvelope | undefined> {
    return own(await this.cache.get<KeyvEnvelope>(keyOf(key), { policy: cacheManagerPolicy }));
  }

  async getMany(keys: readonly string[]): Promise<(KeyvEnvelope | undefined)[]> {
    const found = await this.cache.getMany<KeyvEnvelope>(keys.map(keyOf), { policy: cacheManagerPolicy });
    return keys.map(key => own(found.get(keyOf(key))));
  }

  async set(key: string, envelope: KeyvEnvelope, ttlMs?: number): Promise<boolean> {
    // A TTL that is already over: Keyv's own stores take it and never answer with it.
    if (ttlMs !== undefined && ttlMs < 0) return this.delete(key).then(() => true);
    const ttl = ttlOf(ttlMs);
    await this.cache.set(keyOf(key), envelope, {
      policy: cacheManagerPolicy,
      ...(ttl !== undefined && { ttlMs: ttl }),
    });
    return true;
  }

  async setMany(entries: readonly { key: string; value: KeyvEnvelope; ttl?: number }[]): Promise<boolean[]> {
    return Promise.all(entries.map(({ key, value, ttl }) => this.set(key, value, ttl)));
  }

  /** Tells whether there was something, as Keyv wants it. */
  async delete(key: string): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    // A look joins a load under way, and a deletion must not wait for one: it is there to overtake it.
    const loading = new Promise<false>(resolve => (timer = setTimeout(resolve, lookPatienceMs, false)));
    const existed = await Promise.race([this.has(key), loading]);
    clearTimeout(timer);
    await this.cache.invalidateKeys([keyOf(key)]);
    return existed;
  }

  async deleteMany(keys: readonly string[]): Promise<boolean> {
    await this.cache.invalidateKeys(keys.map(keyOf));
    return true;
  }

  async clear(): Promise<void> {
    await this.cache.invalidateTags([cacheManagerTag]);
  }

  /** Looks without being counted as a read. */
  has(key: string): Promise<boolean> {
    return this.cache.runAs(
      'admin',
      async () => (await this.cache.get(keyOf(key), { policy: cacheManagerPolicy })) !== undefined,
    );
  }
}
