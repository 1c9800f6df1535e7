import fc from 'fast-check';
import { NodeHash } from '../node/node-hash';
import { encodeKey, isHashed } from './cache-key';
import { CachePatternError } from './errors';
import { parsePattern } from './pattern';

const sha256 = (text: string): string => new NodeHash().sha256(text);
const matches = (pattern: string, key: string): boolean =>
  parsePattern(pattern).matches(encodeKey(key, sha256));

/** What a pattern means, said in the plainest way. Backtracks without bound; for short keys only. */
function reference(pattern: string): RegExp {
  let source = '';
  for (let at = 0; at < pattern.length;) {
    const character = String.fromCodePoint(pattern.codePointAt(at)!);
    at += character.length;
    if (character === '*') source += '[^]*';
    else if (character === '?') source += '[^]';
    else if (character === '\\') {
      const escaped = String.fromCodePoint(pattern.codePointAt(at)!);
      at += escaped.length;
      source += `\\u{${escaped.codePointAt(0)!.toString(16)}}`;
    } else source += `\\u{${character.codePointAt(0)!.toString(16)}}`;
  }
  return new RegExp(`^${source}$`, 'u');
}

describe('parsePattern', () => {
  test.each([
    ['no string', 7, undefined],
    ['nothing', '', undefined],
    ['257 bytes', 'a'.repeat(257), undefined],
    ['257 bytes in fewer characters', 'é'.repeat(129), undefined],
    ['a lone surrogate', 'a\ud800', undefined],
    ['two stars in a row', 'a**', 2],
    ['two stars alone', '**', 1],
    ['nine stars', 'a*b*c*d*e*f*g*h*i*', 17],
    ['a character class', '[a-', 0],
    ['the end of a class', 'ab]', 2],
    ['an escape of nothing', 'a\\', 1],
    ['a lone escape', '\\', 0],
  ])('refuses %s and says where', (_what, pattern, position) => {
    const error = ((): unknown => {
      try {
        return parsePattern(pattern);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(CachePatternError);
    expect(error).toMatchObject({ code: 'PATTERN_INVALID', position });
  });

  test('accepts 256 bytes, and eight stars', () => {
    expect(() => parsePattern('a'.repeat(256))).not.toThrow();
    expect(() => parsePattern('a*b*c*d*e*f*g*h*')).not.toThrow();
  });

  test('a star is any run, also an empty one, and a question mark exactly one character', () => {
    expect(matches('agents:*', 'agents:')).toBe(true);
    expect(matches('agents:*', 'agents:list|limit=20')).toBe(true);
    expect(matches('agents:*', 'models:list')).toBe(false);
    expect(matches('a?c', 'abc')).toBe(true);
    expect(matches('a?c', 'ac')).toBe(false);
    expect(matches('a?c', 'abbc')).toBe(false);
    expect(matches('*:list*|x', 'a:list:list|y|x')).toBe(true);
    expect(matches('abc', 'abcd')).toBe(false);
  });

  test('a question mark is one character however many bytes it has', () => {
    for (const character of ['a', '{', 'é', '€', '😀']) {
      expect(matches('<?>', `<${character}>`)).toBe(true);
      expect(matches('<??>', `<${character}>`)).toBe(false);
      expect(matches(`<${character}>`, `<${character}>`)).toBe(true);
    }
  });

  test('an escaped character means itself, braces and brackets too', () => {
    expect(matches('a\\*', 'a*')).toBe(true);
    expect(matches('a\\*', 'ab')).toBe(false);
    expect(matches('a\\?', 'ab')).toBe(false);
    expect(matches('\\[x\\]\\\\', '[x]\\')).toBe(true);
    expect(matches('\\😀*', '😀x')).toBe(true);
    expect(matches('{*}', '{a}')).toBe(true);
  });

  test('B30: a pattern that aims at internal keys sees user keys only', () => {
    expect(matches('sutazai:t:*', 'models')).toBe(false);
    expect(matches('*}*', 'a')).toBe(false);
    expect(matches('*}*', 'a}b')).toBe(true);
    expect(matches('*~*', 'a'.repeat(300))).toBe(true); // A hashed key: the part that is not seen may hold anything.
    expect(matches('*%*', 'é')).toBe(false);
  });

  test('matches what the plainest reading of it matches', () => {
    const unit = fc.constantFrom('a', 'b', '{', '%', 'é', '😀');
    const key = fc.string({ unit, minLength: 1, maxLength: 12 });
    const pattern = fc
      .array(fc.oneof(unit, fc.constantFrom('*', '?', '\\*', '\\a', '\\😀')), { minLength: 1, maxLength: 8 })
      .map(parts => parts.filter((part, at) => part !== '*' || parts[at - 1] !== '*').join(''));
    fc.assert(
      fc.property(pattern, key, (given, text) => matches(given, text) === reference(given).test(text)),
      { numRuns: 5_000 },
    );
  });

  test('never misses a hashed key that it means', () => {
    const unit = fc.constantFrom('a', 'b', 'é', '😀', '%');
    const key = fc
      .string({ unit, minLength: 202, maxLength: 260 })
      .filter(text => isHashed(encodeKey(text, sha256)));
    const cuts = fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 4 });
    fc.assert(
      fc.property(key, cuts, fc.boolean(), (text, holes, one) => {
        // A pattern that the key matches: some runs of it replaced by stars, one character by a question mark.
        const characters = [...text].slice(0, 120);
        for (const [from, length] of holes)
          characters.splice(from % characters.length, (length % 40) + 1, '*');
        if (one) characters[characters.length - 1] = '?';
        const pattern = `${characters.join('')}*`.replace(/\*+/g, '*');
        if (new TextEncoder().encode(pattern).length > 256 || !reference(pattern).test(text)) return true;
        return matches(pattern, text);
      }),
      { numRuns: 500 },
    );
  });

  test('leaves a hashed key alone whose head already says that it is not meant', () => {
    expect(matches('agents:*', `models:${'x'.repeat(300)}`)).toBe(false);
    expect(matches('agents:*', `agents:${'x'.repeat(300)}`)).toBe(true);
    expect(matches('?gents:*z', `agents:${'x'.repeat(300)}`)).toBe(true);
    expect(matches('agents:x', `agents:${'x'.repeat(300)}`)).toBe(false);
  });

  test('narrows a scan by its literal beginning, in the encoded form, as far as hashed keys show it', () => {
    expect(parsePattern('agents:{1}*x').scanPattern).toBe('agents:%7B1%7D*');
    expect(parsePattern('a\\*b?c').scanPattern).toBe('a%2Ab*');
    expect(parsePattern('*').scanPattern).toBe('*');
    expect(parsePattern('a'.repeat(200)).scanPattern).toBe(`${'a'.repeat(120)}*`);
  });

  test('B29: many stars over a long run do not make it slow', () => {
    const matcher = parsePattern('*a*a*a*a*a*a*ab');
    const key = 'a'.repeat(200);
    const startedAtMs = performance.now();
    for (let run = 0; run < 100; run += 1) expect(matcher.matches(key)).toBe(false);
    // A translation to a regular expression needs minutes for one of them.
    expect(performance.now() - startedAtMs).toBeLessThan(1_000);
  });

  test('many stars over hashed heads do not make it slow', () => {
    const matcher = parsePattern(`${'*aaaaaaaaaaaaaaa'.repeat(8)}${'a'.repeat(127)}b`);
    const key = encodeKey('a'.repeat(500), sha256);
    const startedAtMs = performance.now();
    for (let run = 0; run < 100; run += 1) matcher.matches(key);
    expect(performance.now() - startedAtMs).toBeLessThan(1_000);
  });
});
