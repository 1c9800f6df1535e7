import fc from 'fast-check';
import { NodeHash } from '../node/node-hash';
import {
  checkKey,
  checkTag,
  checkTags,
  decodeKey,
  encodeKey,
  encodeText,
  hashedHeadBytes,
  headOf,
  isHashed,
  KeyNames,
} from './cache-key';
import { CacheKeyError, CacheTagError } from './errors';

const sha256 = (text: string): string => new NodeHash().sha256(text);
const codeOf = (run: () => void): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof CacheKeyError || error instanceof CacheTagError) return error.code;
    throw error;
  }
  return 'accepted';
};

describe('checkKey', () => {
  test.each([
    ['an empty key', '', 'is empty'],
    ['513 bytes', 'a'.repeat(513), 'longer than 512 bytes'],
    ['513 bytes in fewer characters', `${'é'.repeat(256)}a`, 'longer than 512 bytes'],
    ['512 characters of several bytes', 'é'.repeat(512), 'longer than 512 bytes'],
    ['a line break', 'a\r\nb', 'control character'],
    ['NUL', 'a\0b', 'control character'],
    ['ESC', '\u001b[31mred', 'control character'],
    ['DEL', 'a\u007f', 'control character'],
    ['a C1 control', 'a\u0085b', 'control character'],
    ['a right-to-left override', 'user\u202egnp.exe', 'control character'],
    ['a line separator', 'a\u2028b', 'control character'],
    ['an isolate', 'a\u2066b', 'control character'],
    ['a byte order mark', 'a\ufeffb', 'control character'],
    ['a lone high surrogate', 'a\ud800', 'lone surrogate'],
    ['a lone low surrogate', '\udc00a', 'lone surrogate'],
    ['a leading space', ' a', 'white space'],
    ['a trailing space', 'a ', 'white space'],
    ['a trailing no-break space', 'a\u00a0', 'white space'],
  ])('refuses %s and says why', (_what, key, reason) => {
    expect(() => checkKey(key)).toThrow(CacheKeyError);
    expect(() => checkKey(key)).toThrow(reason);
    expect(codeOf(() => checkKey(key))).toBe('CACHE_KEY_INVALID');
  });

  test.each([[1], [null], [undefined], [true], [['a']], [{ toString: () => 'a' }], [Symbol('a')], [1n]])(
    'refuses %p, which is no string',
    key => {
      expect(codeOf(() => checkKey(key))).toBe('CACHE_KEY_TYPE');
    },
  );

  test.each([
    ['512 bytes', 'a'.repeat(512)],
    ['512 bytes of two each', 'é'.repeat(256)],
    ['what means something to Redis', 'a{b}*?[c]\\:d'],
    ['an internal key', '__redis__:invalidate'],
    ['a space inside', 'a b'],
    ['prototype names', '__proto__'],
    ['a surrogate pair', '😀'],
  ])('accepts %s', (_what, key) => {
    expect(codeOf(() => checkKey(key))).toBe('accepted');
  });

  test('a refusal quotes at most 64 characters of the key, control characters escaped', () => {
    const key = `a\nlevel=error ${'x'.repeat(600)}`;
    const message = ((): string => {
      try {
        checkKey(key);
      } catch (error) {
        return (error as Error).message;
      }
      return '';
    })();
    expect(message).toContain('"a\\nlevel=error xxx');
    expect(message).not.toContain('\n');
    expect(message.length).toBeLessThan(120);
  });
});

describe('checkTag', () => {
  test.each([
    ['an empty tag', '', 'TAG_INVALID'],
    ['129 bytes', 'a'.repeat(129), 'TAG_INVALID'],
    ['a comma', 'a,b', 'TAG_INVALID'],
    ['a space', 'a b', 'TAG_INVALID'],
    ['an exotic space', 'a\u2003b', 'TAG_INVALID'],
    ['a control character', 'a\tb', 'TAG_INVALID'],
    ['a lone surrogate', '\ud800', 'TAG_INVALID'],
    ['a number', 7, 'TAG_INVALID'],
    ['null', null, 'TAG_INVALID'],
    ['the guard of dynamic tags', '!any', 'TAG_RESERVED'],
    ['the token of the namespace', '!ns', 'TAG_RESERVED'],
    ['anything else reserved', '!x', 'TAG_RESERVED'],
  ])('refuses %s', (_what, tag, code) => {
    expect(codeOf(() => checkTag(tag))).toBe(code);
  });

  test('accepts 128 bytes and a tag that only contains what is reserved at its beginning', () => {
    expect(codeOf(() => checkTags(['a'.repeat(128), 'a!', 'agent:1']))).toBe('accepted');
  });

  test('an entry takes 32 tags and no more', () => {
    const tags = Array.from({ length: 33 }, (_, index) => `t${index}`);
    expect(codeOf(() => checkTags(tags.slice(0, 32)))).toBe('accepted');
    expect(codeOf(() => checkTags(tags))).toBe('TAGS_TOO_MANY');
  });
});

/** Keys that a user may give, with everything in them that an encoding could stumble over. */
const anyKey = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom(...'{}*?[]\\%~:!/ ._-', 'a', 'A', '2', '5', 'é', '😀', '\u0301'),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
    ),
    minLength: 1,
    maxLength: 90,
  })
  .filter(key => codeOf(() => checkKey(key)) === 'accepted');

describe('the encoded form of a key', () => {
  test('leaves readable what is readable', () => {
    expect(encodeText('agents:one/x.y_z-1@2+3=4,5')).toBe('agents:one/x.y_z-1@2+3=4,5');
    expect(encodeText('a|{b}*?[c]\\~% é😀')).toBe('a%7C%7Bb%7D%2A%3F%5Bc%5D%5C%7E%25%20%C3%A9%F0%9F%98%80');
  });

  test('contains nothing that means something to Redis, its patterns or its slots', () => {
    fc.assert(
      fc.property(anyKey, key => /^[A-Za-z0-9._:/@+=,%-]*$/.test(encodeText(key))),
      { numRuns: 500 },
    );
  });

  test('can be decoded, so that no two keys share one', () => {
    fc.assert(
      fc.property(anyKey, key => decodeKey(encodeText(key)) === key),
      { numRuns: 1_000 },
    );
  });

  test('differs for é and e with an accent: nothing is normalised', () => {
    expect(encodeKey('caf\u00e9', sha256)).not.toBe(encodeKey('cafe\u0301', sha256));
  });

  test('is whole up to 200 bytes, and a head of 120 and a hash above', () => {
    const whole = 'a'.repeat(200);
    expect(encodeKey(whole, sha256)).toBe(whole);
    const long = encodeKey(`${whole}b`, sha256);
    expect(long).toBe(`${'a'.repeat(hashedHeadBytes)}~${sha256(`${whole}b`)}`);
    expect([isHashed(whole), isHashed(long), headOf(long)]).toEqual([false, true, 'a'.repeat(120)]);
  });

  test('of a hashed key differs wherever the key does, also behind its head', () => {
    const pair = [`${'a'.repeat(300)}1`, `${'a'.repeat(300)}2`].map(key => encodeKey(key, sha256));
    expect(pair[0]).not.toBe(pair[1]);
    expect(headOf(pair[0]!)).toBe(headOf(pair[1]!));
  });

  test('a key that looks like a hashed form is not taken for one', () => {
    const hashed = encodeKey('a'.repeat(300), sha256);
    expect(encodeKey(hashed, sha256)).not.toBe(hashed);
    expect(isHashed(encodeKey('a~b', sha256))).toBe(false);
  });

  test('that nobody could have written decodes to nothing', () => {
    expect([decodeKey('%'), decodeKey('%FF'), decodeKey('%ED%A0%80')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('the name of a key in this process', () => {
  const names = new KeyNames(sha256);

  test('is the key itself while Redis keeps it whole', () => {
    for (const key of ['k', 'é'.repeat(22), 'a'.repeat(200)]) expect(names.nameOf(key)).toBe(key);
  });

  test('of a hashed key can be told from the hash alone, as messages carry it', () => {
    for (const key of ['a'.repeat(201), '€'.repeat(23), `${'é'.repeat(40)}|x`]) {
      const encoded = encodeKey(key, sha256);
      expect(isHashed(encoded)).toBe(true);
      expect(names.nameOfEncoded(encoded)).toBe(names.nameOf(key));
      expect(names.encodedOf(names.nameOf(key))).toBe(encoded);
    }
  });

  test('and its encoded form lead to each other, for any key', () => {
    fc.assert(
      fc.property(anyKey, key => {
        const encoded = names.encode(key);
        return (
          names.nameOfEncoded(encoded) === names.nameOf(key) && names.encodedOf(names.nameOf(key)) === encoded
        );
      }),
      { numRuns: 1_000 },
    );
  });

  test('stays right after more long keys than are remembered', () => {
    const small = new KeyNames(sha256);
    const key = (index: number): string => `${'a'.repeat(300)}${index}`;
    const first = small.nameOf(key(0));
    for (let index = 1; index <= 10_000; index += 1) small.nameOf(key(index));
    expect(small.nameOf(key(0))).toBe(first);
  });

  test('cannot be forged by a key that would be refused', () => {
    const forged = names.nameOf('a'.repeat(300));
    expect(() => names.nameOf(forged)).toThrow(CacheKeyError);
  });

  test('is unknown for an encoded form that is none of ours', () => {
    expect(names.nameOfEncoded('%FF')).toBeUndefined();
  });
});
