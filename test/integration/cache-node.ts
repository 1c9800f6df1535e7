import type { Redis } from 'ioredis';
import { BrotliCompressor } from '../../src/cache/codec/brotli-compressor';
import { MsgpackSerializer } from '../../src/cache/codec/msgpack-serializer';
import { SystemClock, TieredCache, type Clock, type TieredCacheOptions } from '../../src/cache/core';
import { MemoryStore } from '../../src/cache/memory/memory-store';
import { AsyncScopes } from '../../src/cache/node/async-scopes';
import { NodeHash } from '../../src/cache/node/node-hash';
import { RedisTier } from '../../src/cache/redis';
import type { RedisServer } from './redis-server';

export interface CacheNodeOptions extends TieredCacheOptions {
  namespace?: string;
  heartbeatMs?: number;
  clock?: Clock;
  maxEntries?: number;
  /** Where the connections for data, or the one for tracking, go instead of to the server itself: a proxy before it. */
  dataPort?: number;
  trackerPort?: number;
  /** Hands over each connection for data as it is made. */
  onDataClient?: (client: Redis) => void;
}

/** An application instance as far as the cache is concerned: its own L1, its own connections. */
export function cacheNode(redis?: RedisServer, options: CacheNodeOptions = {}): TieredCache {
  const {
    namespace = 'test',
    heartbeatMs = 100,
    clock = new SystemClock(),
    maxEntries,
    dataPort,
    trackerPort,
    onDataClient,
    ...cacheOptions
  } = options;
  const hash = new NodeHash();
  return new TieredCache(
    {
      clock,
      hash,
      local: new MemoryStore(clock, maxEntries === undefined ? {} : { maxEntries }),
      scopes: new AsyncScopes(),
      codec: { serializer: new MsgpackSerializer(), compressors: [new BrotliCompressor()] },
      remote:
        redis &&
        new RedisTier({
          namespace,
          clients: {
            data: () => {
              const client = redis.client(to(dataPort));
              onDataClient?.(client);
              return client;
            },
            tracker: () => redis.client({ protocol: 2, autoResubscribe: false, ...to(trackerPort) }),
          },
          clock,
          hash,
          heartbeatMs,
          commandTimeoutMs: redis.commandTimeoutMs,
          maxL1StalenessMs: cacheOptions.maxL1StalenessMs ?? 2_000,
        }),
    },
    cacheOptions,
  );
}

/** A port in place of the server's own, if one is given. */
function to(port: number | undefined): { port?: number } {
  return port === undefined ? {} : { port };
}

/** Ready for L1: attached, and the first canary heard. */
export async function coherentNode(redis: RedisServer, options: CacheNodeOptions = {}): Promise<TieredCache> {
  const cache = cacheNode(redis, options);
  await cache.ready();
  await eventually(() => cache.status().gate.open);
  return cache;
}

/** Waits until something is so, by looking; fails after `timeoutMs`. */
export async function eventually(isSo: () => boolean | Promise<boolean>, timeoutMs = 15_000): Promise<void> {
  const until = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > until) throw new Error(`not so within ${timeoutMs} ms: ${isSo.toString()}`);
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}

/** A promise that is settled by hand: holds a loader at a chosen point. */
export function held<T>(): { promise: Promise<T>; release(value: T): void; fail(error: unknown): void } {
  let release!: (value: T) => void;
  let fail!: (error: unknown) => void;
  const promise = new Promise<T>((resolve, reject) => {
    release = resolve;
    fail = reject;
  });
  return { promise, release, fail };
}
