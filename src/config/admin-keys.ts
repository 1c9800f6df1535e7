import { createHash } from 'node:crypto';
import { Refusal } from './setting';

const minKeyLength = 32;
const maxKeyLength = 1_024;
const minDistinctCharacters = 8;

/** Words that people leave in examples; refused as they are, repeated, and as digests. */
const wellKnown = [
  'admin', 'administrator', 'api-key', 'apikey', 'changeme', 'change-me', 'default', 'example', 'letmein', 'passw0rd',
  'password', 'qwerty', 'root', 'secret', 'sutazai', 'test', 'token', 'your-api-key', 'your-secret-key',
]; // prettier-ignore
const sequences = [
  '0123456789abcdef0123456789abcdef',
  'abcdefghijklmnopqrstuvwxyz0123456789',
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890123456789012345678901',
  '12345678901234567890123456789012',
];
const wellKnownDigests = new Set(['', ...wellKnown, ...sequences].map(sha256Hex));

/** SHA-256 of a text, as 64 lower-case hex digits. */
export function sha256Hex(value: string): string {
  return createHash('sha256').update(value, 'utf8').digest('hex');
}

/**
 * Reads the admin keys: a comma list, or a YAML list, of keys of at least 32 characters or of their SHA-256 digests
 * (64 hex digits). Answers with digests alone, so that no key in clear stays in memory. A message names the position of
 * a key, never the key.
 */
export function adminKeys(value: unknown): readonly string[] | Refusal {
  const list: unknown[] = Array.isArray(value)
    ? value
    : typeof value === 'string'
      ? value.split(',')
      : [value];
  const digests = new Set<string>();
  const problems: string[] = [];
  list.forEach((item, index) => {
    const where = `key ${index + 1} of ${list.length}`;
    const key = typeof item === 'string' ? item.trim() : '';
    const problem = problemOf(key);
    if (problem) problems.push(`${where} ${problem}`);
    else digests.add(isDigest(key) ? key.toLowerCase() : sha256Hex(key));
  });
  if (problems.length > 0) {
    return new Refusal(
      `must be a comma-separated list of SHA-256 hex digests or keys of at least ${minKeyLength} characters: ${problems.join('; ')}`,
    );
  }
  return [...digests];
}

function problemOf(key: string): string | undefined {
  if (isDigest(key))
    return wellKnownDigests.has(key.toLowerCase()) ? 'is the digest of a well-known key' : undefined;
  if (isWellKnown(key)) return 'is well known';
  if (key.length < minKeyLength) return `has ${key.length} characters`;
  if (key.length > maxKeyLength) return `has more than ${maxKeyLength} characters`;
  if (!/^[\x21-\x7e]+$/.test(key)) return 'has characters that an HTTP header cannot carry';
  if (new Set(key).size < minDistinctCharacters)
    return `has fewer than ${minDistinctCharacters} different characters`;
  return undefined;
}

function isDigest(key: string): boolean {
  return /^[0-9a-fA-F]{64}$/.test(key);
}

function isWellKnown(key: string): boolean {
  const lower = key.toLowerCase();
  if (sequences.some(sequence => sequence.startsWith(lower) || lower.startsWith(sequence))) return true;
  return wellKnown.some(
    word =>
      lower
        .split(word)
        .join('')
        .replace(/[-_.0-9]/g, '') === '',
  );
}
