import { CacheError, checkKey, checkTag } from '../cache';
import { ProblemException, type ProblemItem } from '../http/problem.exception';

export const maxKeysPerRequest = 1_000;
export const maxTagsPerRequest = 100;

/** What a request wants invalidated; each named once. */
export interface InvalidateRequest {
  keys: string[];
  tags: string[];
}

/**
 * Reads the body of an invalidation: `["api","models"]` are tags, `{ tags, keys }` are both. Every key and tag is checked
 * before anything is done, and the answer names each one that is wrong.
 *
 * @throws ProblemException 400
 */
export function readInvalidateBody(body: unknown): InvalidateRequest {
  if (Array.isArray(body)) {
    if (body.length === 0) throw refusal('BODY_INVALID', '$', 'must name at least one tag');
    return { keys: [], tags: readTags(body) };
  }
  if (typeof body !== 'object' || body === null) {
    throw refusal('BODY_INVALID', '$', 'must be a list of tags, or an object with tags, keys or both');
  }
  const unknown = Object.keys(body).find(name => name !== 'keys' && name !== 'tags');
  if (unknown !== undefined)
    throw refusal(
      'UNKNOWN_FIELD',
      unknown.slice(0, 64),
      'is not a field of this body; there are tags and keys',
    );
  const { keys, tags } = body as { keys?: unknown; tags?: unknown };
  if (keys === undefined && tags === undefined)
    throw refusal('KEYS_REQUIRED', '$', 'must have tags, keys or both');
  return {
    keys: keys === undefined ? [] : readKeys(listOf(keys, 'keys', 'KEYS_TYPE', 'KEYS_EMPTY')),
    tags: tags === undefined ? [] : readTags(listOf(tags, 'tags', 'TAGS_TYPE', 'TAGS_EMPTY')),
  };
}

function listOf(value: unknown, path: string, wrongType: string, empty: string): unknown[] {
  if (!Array.isArray(value)) throw refusal(wrongType, path, 'must be a list');
  if (value.length === 0) throw refusal(empty, path, 'must not be empty; leave it out instead');
  return value;
}

function readKeys(keys: readonly unknown[]): string[] {
  if (keys.length > maxKeysPerRequest)
    throw refusal('KEYS_TOO_MANY', 'keys', `may have ${maxKeysPerRequest} keys, not ${keys.length}`);
  return checked(keys, 'keys', checkKey);
}

function readTags(tags: readonly unknown[]): string[] {
  if (tags.length > maxTagsPerRequest)
    throw refusal('TAGS_TOO_MANY', 'tags', `may have ${maxTagsPerRequest} tags, not ${tags.length}`);
  return checked(tags, 'tags', checkTag);
}

function checked(values: readonly unknown[], path: string, check: (value: unknown) => void): string[] {
  const items: ProblemItem[] = [];
  values.forEach((value, index) => {
    try {
      check(value);
    } catch (error) {
      if (!(error instanceof CacheError)) throw error;
      items.push({ path: `${path}[${index}]`, code: error.code, message: error.message });
    }
  });
  const first = items[0];
  if (first)
    throw new ProblemException(
      400,
      first.code,
      'Invalid body',
      `${first.path}: ${first.message}`,
      items.slice(0, 50),
    );
  return [...new Set(values as string[])];
}

function refusal(code: string, path: string, message: string): ProblemException {
  return new ProblemException(400, code, 'Invalid body', `${path}: ${message}`, [{ path, code, message }]);
}
