import type { CachePolicy } from '../core';
import type { ClientCaching, PrincipalScope, StoredResponse } from '../http';

/**
 * What a client may do with a stored response: what the entry really lives. A handler may shorten the fresh life, and the
 * stale window is then no longer than that.
 * @param policy the one in force
 */
export function clientCachingOf(
  policy: CachePolicy,
  principal: PrincipalScope,
  stored: StoredResponse,
): ClientCaching {
  const ttlMs = Math.min(policy.ttlMs, stored.freshMs ?? Infinity);
  const windowMs = ttlMs < policy.ttlMs ? Math.min(policy.staleMs, ttlMs) : policy.staleMs;
  return {
    ttlMs,
    staleMs: Math.min(windowMs, stored.staleMs ?? Infinity),
    isPrivate: principal !== 'none',
    directives: stored.directives,
  };
}
