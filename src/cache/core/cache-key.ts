import { CacheKeyError, CacheTagError, quoteKey } from './errors';

/**
 * Keys and tags of users, and their encoded form in Redis. The encoding leaves readable what is readable and lets
 * nothing through that means something to Redis: braces would move a key to another hash slot, `*?[]\` would make
 * one key name many (both happened in experiments, see protocol 1.3).
 */

export const maxKeyBytes = 512;
export const maxTagBytes = 128;
export const maxTagsPerEntry = 32;
/**
 * No tag, and so no entry: a route whose tags function gives it is answered past the cache, which looks nothing up and keeps
 * nothing. For what anybody may invent, such as an id that no record can have.
 */
export const pastTheCache = '!past-the-cache';
/** Encoded keys up to this length are kept whole; longer ones keep a head and get a hash. */
const maxEncodedBytes = 200;
export const hashedHeadBytes = 120;
/** One UTF-16 unit becomes at most nine encoded bytes, so shorter keys are never hashed. */
const neverHashedUnits = Math.floor(maxEncodedBytes / 9);

// Control characters, and the invisible ones that reverse or hide text in logs and terminals.

const refusedCharacters = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;
const plainEncoded = /^[A-Za-z0-9._:/@+=,-]*$/;
const needsEncoding = /[^A-Za-z0-9._:/@+=,-]/gu;
const utf8 = new TextEncoder();

/** @throws CacheKeyError when `key` is not a string of 1 to 512 bytes of UTF-8 without control characters */
export function checkKey(key: unknown): asserts key is string {
  if (typeof key !== 'string') {
    throw new CacheKeyError(`key must be a string, not ${kindOf(key)}`, 'CACHE_KEY_TYPE');
  }
  const reason = refusal(key, maxKeyBytes);
  if (reason) throw new CacheKeyError(`key ${quoteKey(key)} ${reason}`);
}

/** @throws CacheTagError when `tag` cannot be a tag: 1 to 128 bytes, no comma or white space, not beginning with `!` */
export function checkTag(tag: unknown): asserts tag is string {
  if (typeof tag !== 'string') throw new CacheTagError(`tag must be a string, not ${kindOf(tag)}`);
  const reason =
    refusal(tag, maxTagBytes) ?? (/[,\s]/.test(tag) ? 'must not contain a comma or white space' : undefined);
  if (reason) throw new CacheTagError(`tag ${quoteKey(tag)} ${reason}`);
  if (tag.startsWith('!'))
    throw new CacheTagError(`tag ${quoteKey(tag)} begins with !, which is reserved`, 'TAG_RESERVED');
}

/** @throws CacheTagError when `tags` is no list of at most 32 tags */
export function checkTags(tags: unknown): asserts tags is readonly string[] {
  checkTagList(tags);
  if (tags.length > maxTagsPerEntry) {
    throw new CacheTagError(`at most ${maxTagsPerEntry} tags an entry, not ${tags.length}`, 'TAGS_TOO_MANY');
  }
  for (const tag of tags) checkTag(tag);
}

/** A text is a list of letters to a spread: what was meant as one tag must not become many. */
export function checkTagList(tags: unknown): asserts tags is readonly unknown[] {
  if (!Array.isArray(tags)) throw new CacheTagError(`tags must be a list, not ${kindOf(tags)}`);
}

/** The tags of a policy and those of one call. @throws CacheTagError when an entry cannot carry them */
export function joinTags(ofPolicy: readonly string[], given: unknown): readonly string[] {
  checkTagList(given);
  const tags = [...ofPolicy, ...given];
  checkTags(tags);
  return tags;
}

/** The same for keys. */
export function checkKeyList(keys: unknown): asserts keys is readonly unknown[] {
  if (!Array.isArray(keys))
    throw new CacheKeyError(`keys must be a list, not ${kindOf(keys)}`, 'CACHE_KEY_TYPE');
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value;
}

function refusal(text: string, maxBytes: number): string | undefined {
  if (text.length === 0) return 'is empty';
  // A UTF-16 unit is at most three bytes: what is short enough need not be encoded to know that.
  if (text.length * 3 > maxBytes && (text.length > maxBytes || utf8.encode(text).length > maxBytes))
    return `is longer than ${maxBytes} bytes`;
  if (refusedCharacters.test(text)) return 'contains a control character';
  if (!text.isWellFormed()) return 'contains a lone surrogate';
  if (text.trim() !== text) return 'begins or ends with white space';
  return undefined;
}

/** Percent-encodes what Redis must not see. Injective: two keys never share an encoded form. */
export function encodeText(text: string): string {
  return plainEncoded.test(text) ? text : text.replace(needsEncoding, percentEncode);
}

const asciiEncoded = Array.from(
  { length: 128 },
  (_, code) => `%${code.toString(16).toUpperCase().padStart(2, '0')}`,
);

function percentEncode(character: string): string {
  const ascii = asciiEncoded[character.charCodeAt(0)];
  if (ascii !== undefined) return ascii;
  let out = '';
  for (const byte of utf8.encode(character)) out += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return out;
}

/** The encoded form of a key: whole up to 200 bytes, then head, `~` (which the encoding never produces) and hash. */
export function encodeKey(key: string, sha256: (text: string) => string): string {
  const encoded = encodeText(key);
  if (encoded.length <= maxEncodedBytes) return encoded;
  return `${encoded.slice(0, hashedHeadBytes)}~${sha256(key)}`;
}

export function isHashed(encoded: string): boolean {
  return encoded.includes('~');
}

/** What of a hashed key is still readable. */
export function headOf(encoded: string): string {
  return encoded.slice(0, encoded.indexOf('~'));
}

/** The key of an encoded form that is not hashed; undefined when it was not made by `encodeKey`. */
export function decodeKey(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/** What a key is called. */
export interface KeyName {
  /** In this process. */
  readonly name: string;
  /** In Redis. */
  readonly encoded: string;
}

/** Two halves of it: what was asked for lately, and what before. */
const maxNamesRemembered = 20_000;

/**
 * The name of a key inside this process: the key itself, so that a hit encodes nothing, except for keys that are
 * hashed in Redis: a message about them carries the hash alone. NUL cannot be in a key, so the two never meet.
 */
export class KeyNames {
  #lately = new Map<string, KeyName>();
  #before = new Map<string, KeyName>();

  constructor(private readonly sha256: (text: string) => string) {}

  /**
   * What a key is called here and there. Remembered, because checking and encoding take longer than looking up.
   * @throws CacheKeyError when it is none
   */
  of(key: string): KeyName {
    let known = this.#lately.get(key);
    if (known !== undefined) return known;
    known = this.#before.get(key);
    if (known === undefined) {
      checkKey(key);
      const encoded = encodeKey(key, this.sha256);
      known = { name: isHashed(encoded) ? `\0${encoded}` : key, encoded };
    }
    if (this.#lately.size >= maxNamesRemembered / 2) {
      this.#before = this.#lately;
      this.#lately = new Map();
    }
    this.#lately.set(key, known);
    return known;
  }

  /** The name of a key that is short, or was asked for lately. */
  knownNameOf(key: string): string | undefined {
    return key.length <= neverHashedUnits ? key : this.#lately.get(key)?.name;
  }

  /**
   * L1 is asked before the key is checked; one that is long enough to be mistaken for a name is checked here.
   * @throws CacheKeyError when that is no key
   */
  nameOf(key: string): string {
    return key.length <= neverHashedUnits ? key : this.of(key).name;
  }

  /** The name of the key behind an encoded form heard from Redis; undefined for one that is not ours. */
  nameOfEncoded(encoded: string): string | undefined {
    return isHashed(encoded) ? `\0${encoded}` : decodeKey(encoded);
  }

  /** The encoded form of the key behind a name. */
  encodedOf(name: string): string {
    return name.startsWith('\0') ? name.slice(1) : this.encode(name);
  }

  encode(key: string): string {
    return encodeKey(key, this.sha256);
  }
}
