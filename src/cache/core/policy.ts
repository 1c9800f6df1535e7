import { CacheOptionsError } from './errors';
import { checkTags, joinTags } from './cache-key';
import type { ValueSerializer } from './ports';

/**
 * Where an entry may live. `shared`: Redis is the truth, this process keeps a coherent near copy.
 * `redis`: no near copy (large or rarely read values, or ones that must be looked up each time).
 * `local`: this process only (facts about this host), with tags and keys that still reach it.
 */
export type CacheTier = 'shared' | 'redis' | 'local';

/** Options of a policy. Durations are milliseconds. Every default is written in `policyDefaults`, and only there. */
export interface PolicyOptions {
  /** Fresh life. From 1 to 2,592,000,000 (30 days). Default 300,000. */
  ttlMs?: number;
  /**
   * How long after its fresh life an entry may still be served, marked stale, while one refresh runs behind it or
   * when the source fails. Default 0: never stale. `ttlMs + staleMs` is at most 30 days.
   */
  staleMs?: number;
  /** Where the entry lives. Default `shared`. */
  tier?: CacheTier;
  /** Tags that every entry of the policy carries. Default none. */
  tags?: readonly string[];
  /** Fresh life of a `null` result ("there is nothing"). Default 0: `null` is an ordinary value with the full TTL. */
  negativeTtlMs?: number;
  /** The fresh life is shortened by a random share up to this one, from 0 to 0.5, so that entries do not expire together. Default 0.05. */
  jitter?: number;
  /** A read past this share of the fresh life starts a refresh behind it, from 0.1 to 1; 0 turns it off. Default 0.8. */
  refreshAheadFraction?: number;
  /** A loader that has not settled by then is given up, its callers get `CacheLoadTimeoutError`. From 1 to 3,600,000. Default 30,000. */
  loaderTimeoutMs?: number;
  /**
   * A caller for whom a stale entry is at hand waits so long for its refresh before he gets the stale one; the refresh goes on
   * behind it. At most `loaderTimeoutMs`. Default 0: the stale entry at once.
   */
  softDeadlineMs?: number;
  /**
   * A caller waits so long and then gets `CacheDeadlineError`, or the stale entry if there is one; the load goes on and is
   * stored. A call's own `deadlineMs` wins. Default 0: as long as the load takes.
   */
  deadlineMs?: number;
  /** Life of the lease under which a load fills; renewed every third of it. From 100 to 60,000. Default 2,000. */
  leaseMs?: number;
  /** How long a caller waits for a load that another instance runs, before it loads for itself without storing. Default: `loaderTimeoutMs`. */
  waitMs?: number;
  /**
   * Loads of this policy that may run at once in this process. From 1 to 100,000. Default 256. Four times as many may wait for
   * a place, each as long as `loaderTimeoutMs`; the others are refused with `CacheOverloadError`.
   */
  maxConcurrentLoads?: number;
  /**
   * Serve entries that were valid when the connection to Redis was lost, marked stale, if the source fails as well. Default false.
   * Such an answer may be older than an invalidation that this instance could not hear (N7).
   */
  failSafe?: boolean;
  /** How values become bytes. Default: the serialiser of the cache (msgpack). */
  serializer?: ValueSerializer;
}

/** A policy after validation: every option has its value. Frozen. */
export interface CachePolicy extends Readonly<Required<Omit<PolicyOptions, 'serializer'>>> {
  readonly name: string;
  readonly serializer: ValueSerializer | undefined;
  /** The place that it is for gave its own `ttlMs`, which operators do not override. */
  readonly ownTtl: boolean;
  /** The same of `staleMs`; each of the two by itself. */
  readonly ownStale: boolean;
  /** Operators have set its durations: entries that were stored before live no longer than it says. */
  readonly overridden: boolean;
}

export const policyDefaults = Object.freeze({
  ttlMs: 300_000,
  staleMs: 0,
  tier: 'shared',
  tags: Object.freeze([]),
  negativeTtlMs: 0,
  jitter: 0.05,
  refreshAheadFraction: 0.8,
  loaderTimeoutMs: 30_000,
  softDeadlineMs: 0,
  deadlineMs: 0,
  leaseMs: 2_000,
  maxConcurrentLoads: 256,
  failSafe: false,
});

export const maxTtlMs = 30 * 24 * 3_600_000;

/**
 * Checks the options and fills in the defaults.
 * @throws CacheOptionsError naming the policy, the option and the value
 */
export function definePolicy(name: string, options: PolicyOptions = {}): CachePolicy {
  const given = withoutUndefined(options);
  const merged = { ...policyDefaults, ...given };
  const where = `policy ${name}`;
  checkDuration(where, 'ttlMs', merged.ttlMs, 1, maxTtlMs, 'TTL_INVALID');
  checkDuration(where, 'staleMs', merged.staleMs, 0, maxTtlMs);
  checkDuration(where, 'ttlMs + staleMs', merged.ttlMs + merged.staleMs, 1, maxTtlMs);
  checkDuration(where, 'negativeTtlMs', merged.negativeTtlMs, 0, merged.ttlMs);
  checkDuration(where, 'loaderTimeoutMs', merged.loaderTimeoutMs, 1, 3_600_000);
  checkDuration(where, 'softDeadlineMs', merged.softDeadlineMs, 0, merged.loaderTimeoutMs);
  checkDuration(where, 'deadlineMs', merged.deadlineMs, 0, 3_600_000);
  checkDuration(where, 'leaseMs', merged.leaseMs, 100, 60_000);
  const waitMs = merged.waitMs ?? merged.loaderTimeoutMs;
  checkDuration(where, 'waitMs', waitMs, 1, 3_600_000);
  checkDuration(where, 'maxConcurrentLoads', merged.maxConcurrentLoads, 1, 100_000);
  checkNumber(where, 'jitter', merged.jitter, 0, 0.5);
  if (merged.refreshAheadFraction !== 0)
    checkNumber(where, 'refreshAheadFraction', merged.refreshAheadFraction, 0.1, 1);
  if (!['shared', 'redis', 'local'].includes(merged.tier)) {
    throw new CacheOptionsError(`${where}: tier must be shared, redis or local, not ${String(merged.tier)}`);
  }
  if (typeof merged.failSafe !== 'boolean') {
    throw new CacheOptionsError(`${where}: failSafe must be true or false, not ${String(merged.failSafe)}`);
  }
  checkTags(merged.tags);
  return Object.freeze({
    ...merged,
    name,
    waitMs,
    tags: Object.freeze([...new Set(merged.tags)]),
    serializer: merged.serializer,
    ownTtl: false,
    ownStale: false,
    overridden: false,
  });
}

/**
 * A policy with some options replaced. Where the TTL alone is given, the stale window shrinks with it: it is
 * min(window, TTL), so that an answer good for ten seconds is not served for an hour.
 */
export function overridePolicy(base: CachePolicy, overrides: PolicyOptions): CachePolicy {
  const given = withoutUndefined(overrides);
  const next: PolicyOptions = { ...base, ...given };
  if (given.ttlMs !== undefined && given.staleMs === undefined)
    next.staleMs = Math.min(base.staleMs, given.ttlMs);
  if (given.ttlMs !== undefined && given.negativeTtlMs === undefined) {
    next.negativeTtlMs = Math.min(base.negativeTtlMs, given.ttlMs);
  }
  if (given.loaderTimeoutMs !== undefined && given.waitMs === undefined) next.waitMs = given.loaderTimeoutMs;
  if (given.loaderTimeoutMs !== undefined && given.softDeadlineMs === undefined)
    next.softDeadlineMs = Math.min(base.softDeadlineMs, given.loaderTimeoutMs);
  if (given.tags !== undefined) next.tags = joinTags(base.tags, given.tags);
  return Object.freeze({
    ...definePolicy(base.name, next),
    ownTtl: base.ownTtl || given.ttlMs !== undefined,
    ownStale: base.ownStale || given.staleMs !== undefined,
    overridden: base.overridden,
  });
}

/** Hard life: how long an entry may be held at all. */
export function hardTtlMs(policy: CachePolicy): number {
  return policy.ttlMs + policy.staleMs;
}

export function checkDuration(
  where: string,
  option: string,
  value: unknown,
  min: number,
  max: number,
  code: 'CACHE_OPTIONS_INVALID' | 'TTL_INVALID' = 'CACHE_OPTIONS_INVALID',
): void {
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
    throw new CacheOptionsError(
      `${where}: ${option} must be a whole number from ${min} to ${max}, not ${String(value)}`,
      code,
    );
  }
}

function checkNumber(where: string, option: string, value: unknown, min: number, max: number): void {
  if (typeof value !== 'number' || !(value >= min && value <= max)) {
    throw new CacheOptionsError(
      `${where}: ${option} must be a number from ${min} to ${max}, not ${String(value)}`,
    );
  }
}

/** Options as given: an option that is undefined is one that was not given. */
export function withoutUndefined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
