import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** What keys begin with: those of administrators, and the tokens of agents. No text can be both. */
const prefixes = { admin: 'sutazai_', agent: 'sutazai_agent_' } as const;
type KeyKind = keyof typeof prefixes;
const secretBytes = 32;
const checkDigits = 6;
const shapeOf = (kind: KeyKind): RegExp =>
  new RegExp(`^${prefixes[kind]}[A-Za-z0-9_-]{43}[0-9a-f]{${checkDigits}}$`);
const shapes: Readonly<Record<KeyKind, RegExp>> = { admin: shapeOf('admin'), agent: shapeOf('agent') };

/** A new key: 256 random bits between a prefix that tells what it is and a checksum that tells typing errors. */
export function makeKey(kind: KeyKind = 'admin'): string {
  const body = prefixes[kind] + randomBytes(secretBytes).toString('base64url');
  return body + checksum(body);
}

/** Whether a text may be a key that `makeKey` made. Anything else is refused without asking cache or database. */
export function looksIssued(key: string, kind: KeyKind = 'admin'): boolean {
  return shapes[kind].test(key) && checksum(key.slice(0, -checkDigits)) === key.slice(-checkDigits);
}

/** SHA-256 of a key, as 64 lower-case hex digits: all that is kept of it. */
export function digestOf(key: string): string {
  return createHash('sha256').update(key, 'utf8').digest('hex');
}

/**
 * What stands for a digest in places that others can see, such as names of keys in Redis: a hash of it, so that what is
 * seen there is not what the database compares with.
 */
export function fingerprintOf(digest: string): string {
  return createHash('sha256').update(`fingerprint of an admin key ${digest}`).digest('hex');
}

/** Compares two hex digests in constant time. */
export function sameDigest(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one, 'hex'), Buffer.from(other, 'hex')];
  return a.length === b.length && timingSafeEqual(a, b);
}

function checksum(body: string): string {
  return createHash('sha256').update(body).digest('hex').slice(0, checkDigits);
}
