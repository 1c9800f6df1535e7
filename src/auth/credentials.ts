import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** What a request shows for itself: nothing, one key, several different ones, or something that cannot be a key. */
export type Credentials =
  { kind: 'none' } | { kind: 'key'; key: string } | { kind: 'unusable' } | { kind: 'several' };

/** Reads `X-API-Key` and `Authorization: Bearer`, header lines counted one by one (Node joins repeated ones). */
export function readCredentials(request: IncomingMessage): Credentials {
  const apiKeys = request.headersDistinct['x-api-key'] ?? [];
  const authorizations = request.headersDistinct['authorization'] ?? [];
  const all = [...apiKeys, ...authorizations.map(bearerToken)];
  const keys = [...new Set(all)];
  if (all.length === 0) return { kind: 'none' };
  if (keys.length > 1) return { kind: 'several' };
  const key = keys[0];
  const isRepeated = apiKeys.length > 1 || authorizations.length > 1;
  return key === undefined || key === '' || isRepeated ? { kind: 'unusable' } : { kind: 'key', key };
}

/**
 * The digest of `digests` that is the key's, or undefined. Both sides are hashed, every digest is compared in constant
 * time, and a match does not end the search: time tells neither the length of a key nor which one came close.
 */
export function matchKey(key: string, digests: readonly string[]): string | undefined {
  const presented = createHash('sha256').update(key, 'utf8').digest();
  let match: string | undefined;
  for (const digest of digests) if (timingSafeEqual(presented, Buffer.from(digest, 'hex'))) match = digest;
  return match;
}

function bearerToken(authorization: string): string {
  return /^bearer +([^ ]+) *$/i.exec(authorization)?.[1] ?? '';
}
