import { ConfigurableModuleBuilder, type Type } from '@nestjs/common';
import type { EvictionPolicy } from '../memory/memory-store';
import type { CachePolicy, TieredCacheOptions } from '../core';
import type { Principal } from '../http';
import type { RedisClients } from '../redis';
import type { MiddlewareLayer, MiddlewareTreatment } from './fast-edge';

/** Where connections to Redis come from; `src/redis` of the backend fits it. */
export type CacheConnections = RedisClients;

export interface WarmingOptions {
  /** Warm at the start and by schedule. Default true. */
  enabled?: boolean;
  /** When one of the instances warms everything again: a cron expression of 5 or 6 fields, or `off`. Default `off`. */
  cron?: string;
  /** Loads that run at once. From 1 to 64. Default 4. */
  concurrency?: number;
  /** Loads that begin in a second at most; 0 for no limit. From 0 to 10,000. Default 50. */
  loadsPerSecond?: number;
  /** A run begins nothing more after so long, in milliseconds. From 100 to 3,600,000. Default 120,000. */
  deadlineMs?: number;
  /** `isReady` waits for the critical jobs of the start so long at most, in milliseconds. From 0 to 600,000. Default 10,000. */
  readyDeadlineMs?: number;
  /** Reads of each policy that are warmed because users make them most; 0 for none. From 0 to 256. Default 50. */
  hotKeys?: number;
  /** An instance that leads a scheduled run and is gone is followed by another one after so long, in milliseconds. From 100 to 60,000. Default 10,000. */
  leaseMs?: number;
}

/** How the application says who a request is from. Asked after the guards, which have verified it. */
export interface PrincipalResolver {
  /** Undefined for a request that nobody has signed. Never from something that anybody may send. */
  principalOf(request: object): Principal | undefined;
  /**
   * Properties of `request.user` that are the same for all users of one tenant: what the handler of a route with
   * `principal: 'tenant'` may read of it. Default `tenant`, `tenantId`.
   */
  readonly tenantProperties?: readonly string[];
}

/** The way out in front of the router. */
export interface FastPathOptions {
  /** Default true. */
  enabled?: boolean;
  /**
   * What the fast way does in place of a middleware that stands in front of a cached route. One that is unknown here keeps the
   * route on the normal way, and the log names it. Known without this: the framework's body readers, and CORS.
   */
  middleware?: (layer: MiddlewareLayer) => MiddlewareTreatment | undefined;
  /** Global guards that let every public GET pass, such as a rate limit that does not count them. Default none. */
  guards?: readonly Type[];
  /** Request targets remembered at most. From 1. Default 10,000. */
  maxUrls?: number;
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
  /** Who a request is from, for routes with `principal`. Default none: such a route stops the start. */
  principal?: PrincipalResolver | undefined;
  /** Name of the host that this process runs on, for routes with `perHost`. Default none: such a route stops the start. */
  host?: string | undefined;
  /** A cached handler that reads what is not in its key fails, and names it. Default true, unless `NODE_ENV` is `production`. */
  detectUnkeyedInputs?: boolean;
  /**
   * Of what a write under `@InvalidatesCache` has thrown: undefined when it has certainly not happened; otherwise a promise that
   * resolves, and never rejects, when whatever it did can be read. What it would have made invalid is dropped then. Default: what throws has not written.
   */
  outcomeUnknown?: (error: unknown) => Promise<void> | undefined;
  /** Answers of public routes from L1 before the router runs. */
  fastPath?: FastPathOptions;
  /** Compressed bodies kept for clients at most, and what they belong to. Bytes. Default 16,777,216 (16 MiB); 0 keeps none. */
  maxEncodedBytes?: number;
  warming?: WarmingOptions;
}

export const cacheModuleDefaults = Object.freeze({
  namespace: 'sutazai',
  maxResponseBytes: 1_000_000,
  neverCachedPaths: Object.freeze(['/health', '/health/live', '/health/ready', '/metrics']),
  tenantProperties: Object.freeze(['tenant', 'tenantId']),
  maxEncodedBytes: 16 * 1_048_576,
  maxFastUrls: 10_000,
  warming: Object.freeze({
    enabled: true,
    cron: 'off',
    concurrency: 4,
    loadsPerSecond: 50,
    deadlineMs: 120_000,
    readyDeadlineMs: 10_000,
    hotKeys: 50,
    leaseMs: 10_000,
  }),
});

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: CACHE_MODULE_OPTIONS } =
  new ConfigurableModuleBuilder<CacheModuleOptions>({
    moduleName: 'Cache',
  })
    .setClassMethodName('forRoot')
    .setExtras({ isGlobal: true }, (definition, { isGlobal }) => ({ ...definition, global: isGlobal }))
    .build();
