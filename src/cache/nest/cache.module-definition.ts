import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { EvictionPolicy } from '../memory/memory-store';
import type { Redis } from 'ioredis';
import type { CachePolicy, TieredCacheOptions } from '../core';

/** Where connections to Redis come from; `src/redis` of the backend fits it. */
export interface CacheConnections {
  /** The client for reads and writes; one and the same at each call. */
  data(): Redis;
  /** A fresh client, with protocol 2, for the connection that hears of changes. */
  tracker(): Redis;
}

export interface WarmingOptions {
  /** Warm at the start and by schedule. Default true. */
  enabled?: boolean;
  /** When one of the instances warms everything again: a cron expression of 5 or 6 fields, or `off`. Default `off`. */
  cron?: string;
  /** Loads that run at once. From 1 to 64. Default 4. */
  concurrency?: number;
}

/** Options of `CacheModule`. The defaults are in `cacheModuleDefaults`. */
export interface CacheModuleOptions extends Omit<TieredCacheOptions, 'policies'> {
  /** First part of every key in Redis: applications with different ones share nothing. Default `sutazai`. */
  namespace?: string;
  /** Default: none, everything lives in the memory of this process. */
  remote?: CacheConnections | undefined;
  /** Entries in the memory of this process at most. Default 10,000. */
  l1MaxEntries?: number;
  /** Bytes in the memory of this process at most. Default 67,108,864 (64 MiB). */
  l1MaxBytes?: number;
  /** Which entries go when there is no room there. Default `s3fifo`. */
  l1Eviction?: EvictionPolicy;
  /** Policies of your own, for `@Cached({ policy: 'name' })`. Default none. */
  policies?: readonly CachePolicy[];
  /** A response with a larger body is sent, but not stored. Bytes. Default 1,000,000. */
  maxResponseBytes?: number;
  /** Full paths of routes that must not be cached: a cache decorator there stops the start. */
  neverCachedPaths?: readonly string[];
  warming?: WarmingOptions;
}

export const cacheModuleDefaults = Object.freeze({
  namespace: 'sutazai',
  maxResponseBytes: 1_000_000,
  neverCachedPaths: Object.freeze(['/health', '/health/live', '/health/ready', '/metrics']),
  warming: Object.freeze({ enabled: true, cron: 'off', concurrency: 4 }),
});

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: CACHE_MODULE_OPTIONS } =
  new ConfigurableModuleBuilder<CacheModuleOptions>({
    moduleName: 'Cache',
  })
    .setClassMethodName('forRoot')
    .setExtras({ isGlobal: true }, (definition, { isGlobal }) => ({ ...definition, global: isGlobal }))
    .build();
