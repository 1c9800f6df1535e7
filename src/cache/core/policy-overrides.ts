import { CacheOptionsError } from './errors';
import { neverStale } from './policies';
import { checkDuration, maxTtlMs, overridePolicy, type CachePolicy } from './policy';

/** What operators set in the place of a policy's own durations, in milliseconds; `undefined`: as the policy says. */
export interface PolicyOverride {
  /** Fresh life. From 1 to 2,592,000,000 (30 days). */
  readonly ttlMs?: number | undefined;
  /** Stale window; 0: never stale. Default: the policy's, and no longer than a `ttlMs` that is given here. */
  readonly staleMs?: number | undefined;
}

/**
 * The policies as they are in force now, by name. A place that gave its own `ttlMs` knows its data better than whoever
 * overrides the policy: it keeps that life. One that gave its own `staleMs` keeps that window. Each of the two by itself:
 * a place with a life of its own follows an override of the window (docs/decisions/0013).
 *
 * Policies stay what they are, frozen and compared by identity; what is in force instead is worked out at the first read
 * under it. While nothing is overridden that costs a read one comparison.
 */
export class PolicyOverrides {
  #byName: ReadonlyMap<string, PolicyOverride> = new Map();
  #inForce = new WeakMap<CachePolicy, CachePolicy>();

  /**
   * Takes the place of all overrides before.
   * @throws CacheOptionsError naming policy, option and value; then everything stays as it was
   */
  replace(overrides: Readonly<Record<string, PolicyOverride>>): void {
    const given = Object.entries(overrides);
    for (const [name, override] of given) checkOverride(name, override);
    this.#byName = new Map(given);
    this.#inForce = new WeakMap();
  }

  /** The policy that holds for what is read and stored under `policy`. */
  of(policy: CachePolicy): CachePolicy {
    if (this.#byName.size === 0) return policy;
    let inForce = this.#inForce.get(policy);
    if (inForce === undefined) {
      const override = this.#byName.get(policy.name);
      inForce = override === undefined ? policy : overridden(policy, override);
      this.#inForce.set(policy, inForce);
    }
    return inForce;
  }
}

function checkOverride(name: string, { ttlMs, staleMs }: PolicyOverride): void {
  const where = `override of policy ${name}`;
  if (ttlMs !== undefined) checkDuration(where, 'ttlMs', ttlMs, 1, maxTtlMs, 'TTL_INVALID');
  if (staleMs === undefined) return;
  checkDuration(where, 'staleMs', staleMs, 0, maxTtlMs);
  if (ttlMs !== undefined) checkDuration(where, 'ttlMs + staleMs', ttlMs + staleMs, 1, maxTtlMs);
  if (staleMs > 0 && neverStale.has(name))
    throw new CacheOptionsError(`${where}: staleMs must stay 0, not ${staleMs}`);
}

function overridden(policy: CachePolicy, override: PolicyOverride): CachePolicy {
  const ttlMs = policy.ownTtl ? undefined : override.ttlMs;
  const staleMs = policy.ownStale ? undefined : override.staleMs;
  if (policy.overridden || (ttlMs === undefined && staleMs === undefined)) return policy;
  const lifeMs = ttlMs ?? policy.ttlMs;
  const windowMs =
    staleMs ?? (ttlMs === undefined || policy.ownStale ? policy.staleMs : Math.min(policy.staleMs, ttlMs));
  // What is given here may not fit what a place gave for itself: the sum has a limit.
  const next = overridePolicy(policy, { ttlMs: lifeMs, staleMs: Math.min(windowMs, maxTtlMs - lifeMs) });
  return Object.freeze({ ...next, ownTtl: policy.ownTtl, ownStale: policy.ownStale, overridden: true });
}

/** The life that an entry was stored with, in milliseconds. */
export interface StoredLife {
  readonly softTtlMs: number;
  readonly hardTtlMs: number;
}

/** What is left of it under a policy in force: never more than there was. A fresh life that is not overridden is not cut. */
export function cutLife(stored: StoredLife, { ttlMs, staleMs, ownTtl }: CachePolicy): StoredLife {
  const softTtlMs = ownTtl ? stored.softTtlMs : Math.min(stored.softTtlMs, ttlMs);
  return { softTtlMs, hardTtlMs: Math.min(stored.hardTtlMs, softTtlMs + staleMs) };
}
