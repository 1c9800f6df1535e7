import { CACHE_MANAGER, Cache as CacheManagerToken } from '@nestjs/cache-manager';
import { Logger, type Provider } from '@nestjs/common';
import { createCache, type Cache } from 'cache-manager';
import { Keyv } from 'keyv';
import { TieredCache, type LoadControl } from '../core';
import { cacheManagerPolicy, keyOf, KeyvTieredStore, own, ttlOf, type KeyvEnvelope } from './keyv-store';

type Ttl<T> = number | ((value: T) => number) | undefined;

interface WrapOptions<T> {
  ttl?: Ttl<T>;
  refreshThreshold?: Ttl<T>;
  raw?: boolean;
}

/**
 * A real `cache-manager` cache over the tiered cache, so that code written for `@nestjs/cache-manager` runs unchanged.
 * TTLs are milliseconds. Its `wrap` is get, load, set; ours is `getOrSet`: one load for all callers of all instances, and an
 * invalidation during it is not lost.
 */
export function createCacheManager(cache: TieredCache): Cache {
  const keyv = new Keyv({ store: new KeyvTieredStore(cache), useKeyPrefix: false });
  keyv.serialize = undefined;
  keyv.deserialize = undefined;
  const manager = createCache({ stores: [keyv] });
  const refreshes = new Map<string, Promise<void>>();
  const logger = new Logger('Cache');

  const wrap = async <T>(
    key: string,
    load: () => T | Promise<T>,
    ttlOrOptions?: Ttl<T> | WrapOptions<T>,
    refreshThreshold?: Ttl<T>,
  ): Promise<unknown> => {
    const options = typeof ttlOrOptions === 'object' ? ttlOrOptions : { ttl: ttlOrOptions, refreshThreshold };
    const loader = async (control: LoadControl): Promise<KeyvEnvelope | undefined> => {
      const value = await load();
      // As for cache-manager, undefined is "no value": nothing to store.
      if (value === undefined) return undefined;
      const ttlMs = ttlOf(resolve(options.ttl, value));
      if (ttlMs !== undefined) control.setTtlMs(ttlMs);
      return { value, expires: ttlMs === undefined ? undefined : Date.now() + ttlMs };
    };
    const answer = await cache.lookup(keyOf(key), loader, { policy: cacheManagerPolicy });
    const envelope = own(answer.value);
    const thresholdMs = envelope && resolve(options.refreshThreshold, envelope.value as T);
    if (
      thresholdMs !== undefined &&
      answer.source !== 'load' &&
      answer.freshMs < thresholdMs &&
      !refreshes.has(key)
    ) {
      refreshes.set(key, refresh(key, load, options.ttl));
    }
    return options.raw ? envelope : envelope?.value;
  };

  /** Loads behind an answer that was given. Its failure is an event, as in cache-manager, and a line in the log. */
  const refresh = async <T>(key: string, load: () => T | Promise<T>, ttl: Ttl<T>): Promise<void> => {
    try {
      const value = await load();
      await manager.set(key, value, resolve(ttl, value));
    } catch (error) {
      logger.warn(
        `a refresh of cache-manager failed: ${error instanceof Error ? error.message : String(error)}`,
      );
    } finally {
      refreshes.delete(key);
    }
  };

  const disconnect = async (): Promise<undefined> => {
    await Promise.all(refreshes.values());
    return undefined;
  };

  return Object.assign(manager, { wrap: wrap as Cache['wrap'], disconnect });
}

function resolve<T>(option: Ttl<T>, value: T): number | undefined {
  return typeof option === 'function' ? option(value) : option;
}

/** `@Inject(CACHE_MANAGER)`, and the class token of `@nestjs/cache-manager`. */
export const cacheManagerProviders: Provider[] = [
  { provide: CACHE_MANAGER, inject: [TieredCache], useFactory: createCacheManager },
  { provide: CacheManagerToken, useExisting: CACHE_MANAGER },
];
