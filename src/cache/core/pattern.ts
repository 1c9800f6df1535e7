import { encodeText, hashedHeadBytes, headOf, isHashed } from './cache-key';
import { CachePatternError } from './errors';
import type { KeyMatcher } from './ports';

/**
 * Patterns over users' keys: `*` (any run), `?` (one character) and `\` before a character that is meant literally.
 * Character classes are refused, as are more than eight stars: what cannot be matched in linear time is not matched.
 */
export const maxPatternBytes = 256;
export const maxStars = 8;

type Part = { kind: 'star' } | { kind: 'one' } | { kind: 'text'; text: string };

/** @throws CachePatternError with the position of the offending character */
export function parsePattern(pattern: unknown): KeyMatcher {
  if (typeof pattern !== 'string' || pattern.length === 0)
    throw new CachePatternError('pattern must be a string that is not empty');
  if (new TextEncoder().encode(pattern).length > maxPatternBytes) {
    throw new CachePatternError(`pattern is longer than ${maxPatternBytes} bytes`);
  }
  if (!pattern.isWellFormed()) throw new CachePatternError('pattern contains a lone surrogate');
  const characters = readParts(pattern);
  // Keys are matched in their encoded form, character by character; `?` stands for one encoded character.
  const units = characters.map(part =>
    part.kind === 'text' ? { ...part, text: encodeText(part.text) } : part,
  );
  const firstWild = units.findIndex(part => part.kind !== 'text');
  const literal = (firstWild < 0 ? units : units.slice(0, firstWild))
    .map(part => (part as { text: string }).text)
    .join('');
  return {
    // Redis narrows the scan by the literal beginning alone, as far as hashed keys still show it.
    scanPattern: `${literal.slice(0, hashedHeadBytes)}*`,
    matches: encoded => {
      const whole = splitEncoded(isHashed(encoded) ? headOf(encoded) : encoded);
      return isHashed(encoded) ? matchesHead(units, whole) : matchesWhole(units, whole);
    },
  };
}

function readParts(pattern: string): Part[] {
  const parts: Part[] = [];
  let stars = 0;
  for (let at = 0; at < pattern.length; at += 1) {
    const character = String.fromCodePoint(pattern.codePointAt(at)!);
    if (character === '*') {
      if (parts.at(-1)?.kind === 'star') throw new CachePatternError(`pattern repeats * at ${at}`, at);
      if ((stars += 1) > maxStars) throw new CachePatternError(`pattern has more than ${maxStars} stars`, at);
      parts.push({ kind: 'star' });
    } else if (character === '?') {
      parts.push({ kind: 'one' });
    } else if (character === '[' || character === ']') {
      throw new CachePatternError(`pattern has a character class at ${at}; only *, ? and \\ are special`, at);
    } else if (character === '\\') {
      const escaped = pattern.codePointAt(at + 1);
      if (escaped === undefined) throw new CachePatternError(`pattern ends in an escape at ${at}`, at);
      const text = String.fromCodePoint(escaped);
      parts.push({ kind: 'text', text });
      at += text.length;
    } else {
      parts.push({ kind: 'text', text: character });
      at += character.length - 1;
    }
  }
  return parts;
}

/** An encoded key as the characters of the key it stands for, each still encoded. */
function splitEncoded(encoded: string): string[] {
  const characters: string[] = [];
  for (let at = 0; at < encoded.length;) {
    let end = at + 1;
    if (encoded[at] === '%') {
      const lead = Number.parseInt(encoded.slice(at + 1, at + 3), 16);
      end = at + 3 * (lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4);
    }
    characters.push(encoded.slice(at, end));
    at = end;
  }
  return characters;
}

/** Two pointers and one place to come back to: linear in practice, never exponential (the glob of Go's `path` works alike). */
function matchesWhole(parts: readonly Part[], key: readonly string[]): boolean {
  let part = 0;
  let at = 0;
  let starPart = -1;
  let starAt = 0;
  while (at < key.length) {
    const current = parts[part];
    if (current?.kind === 'one' || (current?.kind === 'text' && current.text === key[at])) {
      part += 1;
      at += 1;
    } else if (current?.kind === 'star') {
      starPart = part;
      starAt = at;
      part += 1;
    } else if (starPart >= 0) {
      part = starPart + 1;
      at = starAt += 1;
    } else {
      return false;
    }
  }
  while (parts[part]?.kind === 'star') part += 1;
  return part === parts.length;
}

/**
 * Whether some key that begins with this head could match. The last character of the head may be cut, so it is left
 * out; clearing too much is safe, clearing too little is not.
 */
function matchesHead(parts: readonly Part[], head: readonly string[]): boolean {
  const whole = head.slice(0, -1);
  for (let end = 0; end <= parts.length; end += 1) {
    const prefix = parts.slice(0, end);
    // A pattern can consume the head up to any of its parts, if more may follow there.
    if (matchesWhole(prefix, whole)) return true;
  }
  return false;
}
