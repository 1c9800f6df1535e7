import fc from 'fast-check';
import { JsonSerializer } from './json-serializer';

const serializer = new JsonSerializer();

describe('JSON', () => {
  test('gives back any JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        const text = JSON.stringify(value);
        expect(JSON.stringify(serializer.decode(serializer.encode(value)))).toBe(text);
      }),
    );
  });

  test('what it has written it can read, whatever the value was', () => {
    expect(serializer.readsBack).toBe(true);
    const anything = fc.anything({
      withBigInt: true,
      withBoxedValues: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withObjectString: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true,
      withUnicodeString: true,
    } as never);
    fc.assert(
      fc.property(anything, value => {
        let bytes;
        try {
          bytes = serializer.encode(value);
        } catch {
          // Refused, while the caller still has it.
          return;
        }
        expect(() => serializer.decode(bytes)).not.toThrow();
      }),
    );
  });

  test('is readable as it lies in Redis', () => {
    expect(Buffer.from(serializer.encode({ a: ['é'] })).toString('utf8')).toBe('{"a":["é"]}');
  });

  test.each([
    ['undefined', undefined],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a BigInt', 1n],
  ])('refuses %s', (_what, value) => {
    expect(() => serializer.encode(value)).toThrow(TypeError);
  });

  test('a key named __proto__ is an ordinary one', () => {
    const value = serializer.decode(Buffer.from('{"__proto__":{"polluted":1}}')) as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value)).toEqual(['__proto__']);
  });

  test.each([
    ['text that is no JSON', Buffer.from('{')],
    ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['nothing', Buffer.alloc(0)],
  ])('refuses to decode %s', (_what, bytes) => {
    expect(() => serializer.decode(bytes)).toThrow();
  });
});
