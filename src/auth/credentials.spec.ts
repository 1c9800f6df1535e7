import crypto from 'node:crypto';
import { environmentKeyId, matchKey } from './credentials';
import { digestOf, fingerprintOf, looksIssued, makeKey } from './issued-key';

describe('the keys of the environment', () => {
  const keys = ['one', 'two', 'three', 'four'].map(word => `${word}-Key.of_this~Test-0123456789`);
  const digests = keys.map(digestOf);

  it.each([
    ['the first', keys[0]!],
    ['the last', keys[3]!],
    ['none of them', 'x'.repeat(40)],
    ['an empty text', ''],
    ['10 KB', 'x'.repeat(10_000)],
    ['a digest', digests[1]!],
  ])('B02: are all compared, in constant time and by digests of one length, with %s', (_what, presented) => {
    const compare = jest.spyOn(crypto, 'timingSafeEqual');
    matchKey(presented, digests);
    expect(compare).toHaveBeenCalledTimes(digests.length);
    for (const [index, [a, b]] of compare.mock.calls.entries()) {
      expect([a.byteLength, b.byteLength]).toEqual([32, 32]);
      expect(Buffer.from(a as Buffer).toString('hex')).toBe(digestOf(presented));
      expect(Buffer.from(b as Buffer).toString('hex')).toBe(digests[index]);
    }
  });

  it('are told by a match, and nothing else matches', () => {
    for (const key of keys) expect(matchKey(key, digests)).toBe(digestOf(key));
    for (const wrong of ['', keys[0]!.slice(1), `${keys[0]!} `, digests[0]!])
      expect(matchKey(wrong, digests)).toBeUndefined();
    expect(matchKey(keys[0]!, [])).toBeUndefined();
  });

  it('have ids that are no part of the key or of its digest', () => {
    for (const digest of digests) {
      expect(environmentKeyId(digest)).toMatch(/^env:[0-9a-f]{8}$/);
      expect(digest).not.toContain(environmentKeyId(digest).slice(4));
    }
  });
});

describe('a key that is made here', () => {
  it('is never the same twice, and is told from a mistyped one', () => {
    const made = new Set(Array.from({ length: 100 }, makeKey));
    expect(made.size).toBe(100);
    for (const key of made) {
      expect(looksIssued(key)).toBe(true);
      expect(looksIssued(`${key.slice(0, 20)}${key[20] === 'a' ? 'b' : 'a'}${key.slice(21)}`)).toBe(false);
      expect(looksIssued(key.slice(0, -1))).toBe(false);
    }
    expect(looksIssued('x'.repeat(57))).toBe(false);
  });

  it('stands for itself in Redis under a hash of its digest', () => {
    const digest = digestOf(makeKey());
    expect(fingerprintOf(digest)).toMatch(/^[0-9a-f]{64}$/);
    expect(fingerprintOf(digest)).not.toBe(digest);
  });
});
