import fc from 'fast-check';
import { MsgpackSerializer } from './msgpack-serializer';

const serializer = new MsgpackSerializer();
const roundTrip = (value: unknown): unknown => serializer.decode(serializer.encode(value));

describe('msgpack', () => {
  test.each([
    ['null', null],
    ['undefined inside', { a: undefined, b: [undefined, 1] }],
    ['0', 0],
    ['an empty string', ''],
    ['false', false],
    ['NaN', NaN],
    ['infinities', [Infinity, -Infinity]],
    ['large numbers', [2 ** 53, -(2 ** 53), 2 ** 31, 1e308, 5e-324]],
    ['BigInts of any size', [0n, -1n, 2n ** 63n, -(2n ** 64n), 2n ** 200n]],
    ['dates', [new Date(0), new Date(1_700_000_000_123), new Date(-1), new Date(8.64e15)]],
    [
      'Maps with any keys',
      new Map<unknown, unknown>([
        [1, 'a'],
        ['1', 'b'],
        [{ k: 1 }, new Map()],
      ]),
    ],
    ['Sets', new Set<unknown>([1, '1', new Set([2])])],
    ['Buffers', Buffer.from([0, 1, 255])],
    ['byte arrays', new Uint8Array([1, 2])],
    ['regular expressions', /a+/gi],
    ['text beyond ASCII', 'é😀\u0000\u202e'],
    ['empty containers', [{}, [], new Map(), new Set()]],
  ])('keeps %s', (_what, value) => {
    expect(roundTrip(value)).toStrictEqual(value);
  });

  test('keeps an invalid date invalid', () => {
    expect(Number.isNaN((roundTrip(new Date(NaN)) as Date).getTime())).toBe(true);
  });

  test('turns −0 into 0', () => {
    expect(roundTrip({ a: -0 })).toEqual({ a: 0 });
  });

  test('gives back any plain data, equal', () => {
    // A key named __proto__ is renamed, see the next test.
    const key = fc.string({ unit: 'binary' }).filter(name => name !== '__proto__');
    const value = fc.object({
      key,
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withUnicodeString: true,
      maxDepth: 4,
    } as never);
    const { plain } = fc.letrec<{ plain: unknown }>(tie => ({
      plain: fc.oneof(
        { maxDepth: 6 },
        fc.constant(null),
        fc.boolean(),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.string({ unit: 'binary' }),
        fc.array(tie('plain')),
        fc.dictionary(key, tie('plain')),
      ),
    }));
    fc.assert(
      fc.property(fc.oneof(plain, value), given => {
        expect(normal(roundTrip(given))).toEqual(normal(given));
      }),
      { numRuns: 500 },
    );
  });

  test('a key named __proto__ pollutes nothing', () => {
    const evil: unknown = JSON.parse(
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":2}}}',
    );
    const value = roundTrip(evil) as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect((value as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test('every message can be read by itself, by another process', () => {
    const one = serializer.encode({ id: 1, name: 'a' });
    const two = serializer.encode({ id: 2, name: 'b' });
    expect(new MsgpackSerializer().decode(two)).toEqual({ id: 2, name: 'b' });
    expect(new MsgpackSerializer().decode(one)).toEqual({ id: 1, name: 'a' });
  });

  test('an encoded message is not overwritten by the next', () => {
    const first = serializer.encode('first');
    const copy = first.slice();
    serializer.encode('secon');
    expect(first).toEqual(copy);
    expect(first.buffer.byteLength).toBe(first.length);
  });

  test('a Buffer is one again, whatever kind of bytes it is decoded from', () => {
    const larger = new Uint8Array([9, ...serializer.encode({ body: Buffer.from('abc') }), 9]);
    const decoded = serializer.decode(larger.subarray(1, -1)) as { body: Buffer };
    expect(Buffer.isBuffer(decoded.body)).toBe(true);
    expect(decoded.body.toString()).toBe('abc');
  });

  test('a decoded Buffer is not a view on the message', () => {
    const message = serializer.encode({ body: Buffer.from('abc') });
    const { body } = serializer.decode(message) as { body: Buffer };
    message.fill(0);
    expect(body.toString()).toBe('abc');
  });

  test.each([
    ['a function', () => 1],
    ['a function inside', { list: [() => 1] }],
    ['a class', class A {}],
    ['a symbol', { a: Symbol('s') }],
  ])('refuses %s instead of forgetting it', (_what, value) => {
    expect(() => serializer.encode(value)).toThrow();
  });

  test('refuses a cycle, and works on afterwards', () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    expect(() => serializer.encode(cycle)).toThrow();
    expect(roundTrip({ a: [1, { b: 2 }] })).toEqual({ a: [1, { b: 2 }] });
  });

  test('keeps data nested 500 deep', () => {
    let deep: unknown = { leaf: true };
    for (let level = 0; level < 500; level += 1) deep = level % 2 === 0 ? [deep] : { deep };
    expect(JSON.stringify(roundTrip(deep))).toBe(JSON.stringify(deep));
  });

  test.each([
    ['nothing', new Uint8Array()],
    ['a message that is cut off', new MsgpackSerializer().encode({ a: 'long enough' }).slice(0, -3)],
    ['a message with something behind it', new Uint8Array([...new MsgpackSerializer().encode('x'), 1])],
  ])('refuses to decode %s', (_what, bytes) => {
    expect(() => serializer.decode(bytes)).toThrow();
  });
});

/** Data as msgpack knows it: 0 has no sign. An invalid date is its name: Jest finds two of them unequal. */
function normal(value: unknown): unknown {
  if (value instanceof Date && Number.isNaN(value.getTime())) return 'invalid date';
  if (Object.is(value, -0)) return 0;
  if (Array.isArray(value)) return value.map(normal);
  if (value instanceof Map) return new Map([...value].map(([key, inner]) => [normal(key), normal(inner)]));
  if (value instanceof Set) return new Set([...value].map(normal));
  if (value === null || typeof value !== 'object' || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, normal(inner)]));
}
