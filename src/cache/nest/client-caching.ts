import type { ClientCaching, StoredResponse } from '../http';
import type { CachedRoute } from './cached-routes';

/**
 * What a client may do with a stored response: what the entry really lives. A handler may shorten the fresh life, and the
 * stale window is then no longer than that.
 */
export function clientCachingOf({ policy, principal }: CachedRoute, stored: StoredResponse): ClientCaching {
  const ttlMs = Math.min(policy.ttlMs, stored.freshMs ?? Infinity);
  const windowMs = ttlMs < policy.ttlMs ? Math.min(policy.staleMs, ttlMs) : policy.staleMs;
  return {
    ttlMs,
    staleMs: Math.min(windowMs, stored.staleMs ?? Infinity),
    isPrivate: principal !== 'none',
    directives: stored.directives,
  };
}
