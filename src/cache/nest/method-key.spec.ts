import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { checkKey } from '../core';
import { methodKey } from './method-key';

class Query {
  limit = 5;
  cursor: string | undefined = undefined;
}

class Hidden {
  #value: string;
  constructor(value: string) {
    this.#value = value;
  }
  get value(): string {
    return this.#value;
  }
}

class Money extends Hidden {
  toJSON(): string {
    return this.value;
  }
}

const key = (...args: unknown[]): string => methodKey('h', args);
const cyclic: unknown[] = [];
cyclic.push(cyclic);

describe('the key of a call', () => {
  it.each([
    [[], 'h'],
    [['a'], 'h|s1:a'],
    [[1, true, null], 'h|n1|true|null'],
    [[{ b: 2, a: ['x'] }], 'h|{1:a=[s1:x],1:b=n2}'],
  ])('of %j is %j', (args, expected) => {
    expect(key(...args)).toBe(expected);
  });

  it('differs for values that are not the same', () => {
    const different = [
      [],
      [1],
      ['1'],
      [1n],
      [true],
      ['true'],
      [null],
      ['null'],
      [undefined, 1],
      [null, 1],
      [0],
      [-0],
      [NaN],
      ['NaN'],
      [''],
      [[]],
      [['a', 'b']],
      [['a,b']],
      ['a', 'b'],
      ['a|s1:b'],
      [{}],
      [{ a: null }],
      [{ a: 1 }],
      [{ a: '1' }],
      [new Date(1)],
      [1, undefined, 1],
      [new Set([1])],
      [new Map([[1, 1]])],
      [Buffer.from('a')],
      [new Money('1 EUR')],
    ];
    expect(new Set(different.map(args => key(...args))).size).toBe(different.length);
  });

  it.each([
    ['the order of properties', [{ a: 1, b: 2 }], [{ b: 2, a: 1 }]],
    ['properties that are undefined', [{ a: 1, b: undefined }], [{ a: 1 }]],
    ['trailing arguments that are undefined', ['a', undefined], ['a']],
    ['an instance or a literal with the same properties', [new Query()], [{ limit: 5 }]],
    ['Buffer or Uint8Array', [Buffer.from('a')], [new Uint8Array([97])]],
    ['two equal dates', [new Date(5)], [new Date(5)]],
  ])('does not depend on %s', (_title, one, other) => {
    expect(key(...one)).toBe(key(...other));
  });

  it.each([
    ['a function', [() => 1], /function/],
    ['a symbol', [Symbol('a')], /symbol/],
    ['a cycle', [cyclic], /deeper than 32/],
    ['an instance that hides what it is', [new Hidden('a')], /Hidden does not show/],
    ['a URL-like wrapper without properties', [new WeakMap()], /WeakMap does not show/],
    ['a promise', [Promise.resolve(1)], /Promise/],
    ['a property named by a symbol', [{ [Symbol('a')]: 1 }], /symbol/],
    ['a text without end', ['x'.repeat(20_000)], /longer than/],
    ['many arguments', Array.from({ length: 100 }, () => 'x'.repeat(1_000)), /longer than/],
  ])('cannot be made of %s', (_title, args, message) => {
    expect(() => key(...args)).toThrow(message);
  });

  it('is the same exactly for equal arguments, and is one that the cache takes', () => {
    const value = fc.jsonValue({ maxDepth: 2 });
    fc.assert(
      fc.property(value, value, (one, other) => {
        checkKey(key(one));
        expect(key(one)).toBe(key(structuredClone(one)));
        expect(key(one) === key(other)).toBe(isDeepStrictEqual(one, other));
      }),
    );
  });
});
