import type { CacheDecoratorOptions } from '../cache';
import { fingerprintOf } from './issued-key';

/** What of the admin keys is cached, under which keys and tags. */
export const authCache = {
  /**
   * What is known of a key by its digest: in Redis and never in this process, so that what one instance revokes no other lets in.
   * Revoking removes it at once; the TTL bounds what happens when the instance that revokes dies before Redis has heard of it. The
   * tag is that of all of them.
   */
  adminKey: {
    key: 'auth:admin-key',
    tier: 'redis',
    ttlMs: 60_000,
    tags: ['admin-keys'],
    args: (digest: string) => [fingerprintOf(digest)],
  },
} as const satisfies Record<string, CacheDecoratorOptions>;
