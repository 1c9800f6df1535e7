import { ProblemException } from '../http/problem.exception';
import { readInvalidateBody } from './invalidate-body';

const refusalOf = (body: unknown): { code: string; path: string | undefined } => {
  try {
    readInvalidateBody(body);
  } catch (error) {
    if (error instanceof ProblemException && error.status === 400)
      return { code: error.code, path: error.errors?.[0]?.path };
    throw error;
  }
  throw new Error('was accepted');
};

describe('the body of an invalidation', () => {
  test('a list is tags, an object is tags and keys; each counts once', () => {
    expect(readInvalidateBody(['api', 'models', 'api'])).toEqual({ keys: [], tags: ['api', 'models'] });
    expect(readInvalidateBody({ tags: ['t'], keys: ['a', 'b', 'a'] })).toEqual({
      keys: ['a', 'b'],
      tags: ['t'],
    });
    expect(readInvalidateBody({ keys: ['agents:list|limit=1:5', '{}*?[]\\:'] }).keys).toHaveLength(2);
  });

  test.each([
    [undefined, 'BODY_INVALID', '$'],
    [null, 'BODY_INVALID', '$'],
    [[], 'BODY_INVALID', '$'],
    ['x', 'BODY_INVALID', '$'],
    [42, 'BODY_INVALID', '$'],
    [{}, 'KEYS_REQUIRED', '$'],
    [{ key: 'a' }, 'UNKNOWN_FIELD', 'key'],
    [{ keys: 'a' }, 'KEYS_TYPE', 'keys'],
    [{ keys: [] }, 'KEYS_EMPTY', 'keys'],
    [{ tags: {} }, 'TAGS_TYPE', 'tags'],
    [{ tags: [] }, 'TAGS_EMPTY', 'tags'],
    [{ keys: Array.from({ length: 1_001 }, (_, n) => `k${n}`) }, 'KEYS_TOO_MANY', 'keys'],
    [Array.from({ length: 101 }, (_, n) => `t${n}`), 'TAGS_TOO_MANY', 'tags'],
    [{ keys: ['ok', ''] }, 'CACHE_KEY_INVALID', 'keys[1]'],
    [{ keys: ['x'.repeat(513)] }, 'CACHE_KEY_INVALID', 'keys[0]'],
    [{ keys: ['a\r\nb'] }, 'CACHE_KEY_INVALID', 'keys[0]'],
    [{ keys: [7] }, 'CACHE_KEY_TYPE', 'keys[0]'],
    [{ keys: [['a', 'b']] }, 'CACHE_KEY_TYPE', 'keys[0]'],
    [['a,b'], 'TAG_INVALID', 'tags[0]'],
    [['!any'], 'TAG_RESERVED', 'tags[0]'],
    [[null], 'TAG_INVALID', 'tags[0]'],
  ])('%j is refused as %s at %s', (body, code, path) => {
    expect(refusalOf(body)).toEqual({ code, path });
  });

  test('every wrong key is named', () => {
    expect(() => readInvalidateBody({ keys: ['', 'ok', 3] })).toThrow(
      expect.objectContaining({
        errors: [
          expect.objectContaining({ path: 'keys[0]', code: 'CACHE_KEY_INVALID' }),
          expect.objectContaining({ path: 'keys[2]', code: 'CACHE_KEY_TYPE' }),
        ],
      }) as Error,
    );
  });
});
