import { checkDuration, definePolicy, hardTtlMs, withoutUndefined, type CachePolicy } from './policy';

/** Options of the cache. Durations are milliseconds. */
export interface TieredCacheOptions {
  /** Δ: an invalidation made on another instance is seen here at most so much later (G2). From 100 to 60,000. Default 2,000. */
  maxL1StalenessMs?: number;
  /** While Redis is away a loaded value is used again for so long; at most Δ, so that G2 holds. 0: not at all. Default 1,000, or Δ where that is less. */
  outageTtlMs?: number;
  /** A refresh that failed is tried again after so long. From 1 to 60,000. Default 1,000. */
  refreshRetryMs?: number;
  /** `close` waits so long for what runs in the background. From 0 to 60,000. Default 5,000. */
  closeTimeoutMs?: number;
  /** The policies in use; the life of tag tokens follows from the longest of them. Default none. */
  policies?: readonly CachePolicy[];
}

export interface CacheOptions extends Readonly<Required<TieredCacheOptions>> {
  /** The policy of calls that name none. */
  readonly defaultPolicy: CachePolicy;
  /** Life of a tag token: twice the longest hard life, and renewed when half is left, so that it outlives its entries. */
  readonly tokenTtlMs: number;
}

export const cacheDefaults = Object.freeze({
  maxL1StalenessMs: 2_000,
  outageTtlMs: 1_000,
  refreshRetryMs: 1_000,
  closeTimeoutMs: 5_000,
  policies: Object.freeze([]),
});

/** @throws CacheOptionsError naming the option and the value */
export function checkOptions(options: TieredCacheOptions): CacheOptions {
  const merged = { ...cacheDefaults, ...withoutUndefined(options) };
  checkDuration('cache', 'maxL1StalenessMs', merged.maxL1StalenessMs, 100, 60_000);
  if (options.outageTtlMs === undefined)
    merged.outageTtlMs = Math.min(merged.outageTtlMs, merged.maxL1StalenessMs);
  checkDuration('cache', 'outageTtlMs', merged.outageTtlMs, 0, merged.maxL1StalenessMs);
  checkDuration('cache', 'refreshRetryMs', merged.refreshRetryMs, 1, 60_000);
  checkDuration('cache', 'closeTimeoutMs', merged.closeTimeoutMs, 0, 60_000);
  const defaultPolicy = definePolicy('default');
  const tokenTtlMs = 2 * Math.max(hardTtlMs(defaultPolicy), ...merged.policies.map(hardTtlMs));
  return Object.freeze({ ...merged, defaultPolicy, tokenTtlMs });
}

/** Life of the tokens of an entry under this policy, which may live longer than the policies known at the start. */
export function tokenTtlFor(options: CacheOptions, policy: CachePolicy): number {
  return Math.max(options.tokenTtlMs, 2 * hardTtlMs(policy));
}
