export { TieredCache, maxKeysPerCall } from './tiered-cache';
export type { CacheStatus, ManyAnswers } from './tiered-cache';
export type { TieredCacheDependencies } from './assemble';
export type { SetOptions } from './writes';
export type { CallOptions } from './call';
export type { CacheAnswer } from './lookup';
export type { InvalidationResult } from './invalidator';
export type { Loader, LoadControl } from './loader';
export type { LoaderOfMany, LoadManyControl } from './load-batch';
export type { LoadScope, Purpose } from './load-scope';
export { cacheDefaults, type TieredCacheOptions } from './options';
export { definePolicy, hardTtlMs, maxTtlMs, overridePolicy, policyDefaults } from './policy';
export type { CachePolicy, CacheTier, PolicyOptions } from './policy';
export { policies, type PolicyName } from './policies';
export * from './errors';
export * from './outcomes';
export * from './ports';
export { CacheEvents, type CacheEventMap, type CacheEventName } from './events';
export {
  rates,
  emptyCounters,
  minGetsForRating,
  type CacheCounters,
  type CacheStatistics,
  type Rates,
  type Rating,
} from './stats';
export { SystemClock, type Clock, type TimerHandle } from './clock';
export { codecDefaults, type CodecOptions } from './entry-codec';
export type { NearEntry } from './near-cache';
export {
  checkKey,
  checkTag,
  checkTags,
  decodeKey,
  encodeKey,
  encodeText,
  joinTags,
  maxKeyBytes,
  maxTagBytes,
  maxTagsPerEntry,
} from './cache-key';
export { parsePattern, maxPatternBytes } from './pattern';
export { anyToken, keyOfToken, keyToken, namespaceToken } from './tokens';
export type { Dependency, ExplainedEntry, Explanation } from './explain';
export { clearOrder } from './protocol';
