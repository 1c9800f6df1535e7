import fc from 'fast-check';
import { checkKey } from '../core';
import { escapeText, joinKey, lengthPrefixed } from './key-text';

describe('text in keys', () => {
  it.each([
    ['agent-7', 'agent-7'],
    ['a|b%c~d', 'a%7Cb%25c%7Ed'],
    ['a b\n', 'a%20b%0A'],
    ['é', '%C3%A9'],
    ['\ud800', '%uD800'],
    ['😀', '%F0%9F%98%80'],
  ])('%j is %j', (text, expected) => {
    expect(escapeText(text)).toBe(expected);
  });

  it('never gives two texts one form', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        expect(escapeText(a) === escapeText(b)).toBe(a === b);
      }),
    );
  });

  it('says where a value ends', () => {
    expect(lengthPrefixed('a,1:b')).toBe('5:a,1:b');
  });
});

describe('a joined key', () => {
  it('is its head alone when there are no parts', () => {
    expect(joinKey('agents:list', [])).toBe('agents:list');
  });

  it('is always one that the cache takes, however long its parts are', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 300 }), { maxLength: 5 }), parts => {
        const key = joinKey('agents:list', parts.map(lengthPrefixed));
        checkKey(key);
        expect(key.startsWith('agents:list')).toBe(true);
      }),
    );
  });

  it('tells overlong tails apart by a hash and keeps the head readable', () => {
    const long = 'x'.repeat(600);
    const [one, other] = [joinKey('h', [`${long}1`]), joinKey('h', [`${long}2`])];
    expect(one).not.toBe(other);
    expect(one).toMatch(/^h\|x{398}\|~[\w-]{43}$/);
  });
});
