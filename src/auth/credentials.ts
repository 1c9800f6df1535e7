import type { IncomingMessage } from 'node:http';
import { digestOf, fingerprintOf, sameDigest } from './issued-key';

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
  const presented = digestOf(key);
  let match: string | undefined;
  for (const digest of digests) if (sameDigest(presented, digest)) match = digest;
  return match;
}

/** The id of a key of the environment: tells keys apart in logs without being a part of the key or its digest. */
export function environmentKeyId(digest: string): string {
  return `env:${fingerprintOf(digest).slice(0, 8)}`;
}

function bearerToken(authorization: string): string {
  return /^bearer +([^ ]+) *$/i.exec(authorization)?.[1] ?? '';
}
