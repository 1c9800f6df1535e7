import { createHash } from 'node:crypto';
import { maxKeyBytes } from '../core';

/** Enough of an overlong key to stay readable and to match patterns; the rest is hashed. */
const keptCharacters = 400;

// Everything that is not printable ASCII, and what has a meaning in a key: `%` and `|` of this encoding, `~` of a hash.
const escaped = /[^\x21-\x7e]|[%|~]/gu;
const utf8 = new TextEncoder();

/**
 * Text as it may stand in a part of a key: percent-encoded where it must be, readable everywhere else. Injective, also
 * for lone surrogates, which UTF-8 cannot tell apart.
 */
export function escapeText(text: string): string {
  return text.replace(escaped, character => {
    const code = character.codePointAt(0)!;
    if (code >= 0xd800 && code <= 0xdfff) return `%u${code.toString(16).toUpperCase()}`;
    let out = '';
    for (const byte of utf8.encode(character)) out += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    return out;
  });
}

/** `5:agent`: the length says where a value ends, so that no value can imitate the next part. */
export function lengthPrefixed(text: string): string {
  const safe = escapeText(text);
  return `${safe.length}:${safe}`;
}

/** `head|part|part`, or the head alone; of a key over 512 bytes the tail is a hash of the whole. */
export function joinKey(head: string, parts: readonly string[]): string {
  const key = parts.length === 0 ? head : `${head}|${parts.join('|')}`;
  if (key.length <= maxKeyBytes) return key;
  return `${key.slice(0, keptCharacters)}|~${createHash('sha256').update(key).digest('base64url')}`;
}

/** A head: the readable name of a route or method, without anything that means something in a key or a pattern. */
export const headPattern = /^[A-Za-z0-9_$.:@/-]{1,120}$/;
