export { TieredCache, maxKeysPerCall } from './tiered-cache';
export type { CacheStatus, ManyAnswers } from './tiered-cache';
export type { TieredCacheDependencies } from './assemble';
export type { SetOptions } from './writes';
export type { CallOptions } from './call';
export type { CacheAnswer } from './answers';
export type { InvalidationResult } from './invalidator';
export type { Loader, LoadControl } from './loader';
export type { LoaderOfMany, LoadManyControl } from './load-batch';
export type { LoadScope, Purpose } from './load-scope';
export { cacheDefaults, type TieredCacheOptions } from './options';
export { definePolicy, hardTtlMs, maxTtlMs, overridePolicy, policyDefaults } from './policy';
export type { CachePolicy, CacheTier, PolicyOptions } from './policy';
export { neverStale, policies, type PolicyName } from './policies';
export type { PolicyOverride } from './policy-overrides';
export * from './errors';
export * from './outcomes';
export * from './ports';
export { ClusterWork, type Lead } from './cluster-work';
export { CacheEvents, type CacheEventMap, type CacheEventName } from './events';
export {
  maxPoliciesCounted,
  minGetsForRating,
  otherPolicies,
  rates,
  type CacheStatistics,
  type Rates,
  type Rating,
} from './stats';
export { emptyCounters, type CacheCounters } from './counters';
export { lifeFactors, type KeyProfile, type ReadProfileSnapshot } from './read-profile';
export { parseShare, statisticsOfShares, type StatsShare } from './stats-share';
export { statsWindows, type StatsWindow } from './windows';
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
  pastTheCache,
} from './cache-key';
export { parsePattern, maxPatternBytes } from './pattern';
export { anyToken, keyOfToken, keyToken, namespaceToken } from './tokens';
export type { Dependency, ExplainedEntry, Explanation } from './explain';
export { clearOrder } from './protocol';
