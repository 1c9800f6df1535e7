import { CACHE_MANAGER, Cache as CacheManagerToken } from '@nestjs/cache-manager';
import type { Provider } from '@nestjs/common';
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
 * invalidation during it is not lost, nor one during the refresh that `refreshThreshold` starts.
 */
export function createCacheManager(cache: TieredCache): Cache {
  const keyv = new Keyv({ store: new KeyvTieredStore(cache), useKeyPrefix: false });
  keyv.serialize = undefined;
  keyv.deserialize = undefined;
  const manager = createCache({ stores: [keyv] });
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
    const threshold = options.refreshThreshold;
    const answer = await cache.lookup(keyOf(key), loader, {
      policy: cacheManagerPolicy,
      ...(threshold !== undefined && {
        refreshWithinMs: found => resolve(threshold, (found as KeyvEnvelope).value as T),
      }),
    });
    const envelope = own(answer.value);
    return options.raw ? envelope : envelope?.value;
  };

  // What it refreshes belongs to the cache, whose end waits for it; the stores stay open for everybody else.
  const disconnect = (): Promise<undefined> => Promise.resolve(undefined);

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
