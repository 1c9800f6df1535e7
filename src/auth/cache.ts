import type { CacheDecoratorOptions, InvalidatesOptions } from '../cache';
import { fingerprintOf } from './issued-key';

/** Everything about admin keys. */
const all = 'admin-keys';

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
    tags: [all],
    args: (digest: string) => [fingerprintOf(digest)],
  },
} as const satisfies Record<string, CacheDecoratorOptions>;

/** What each write drops. */
export const authWrites = {
  /** Who revokes a key drops it by its digest, and waits to hear that Redis has. Without a `result` nobody knows whether it is revoked. */
  revoke: { tags: ({ result }: { result?: unknown }) => (result === undefined ? [all] : []) },
} satisfies Record<string, InvalidatesOptions>;
