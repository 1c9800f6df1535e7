import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { InlineMsgpackSerializer } from './inline-msgpack-serializer';
import { LayoutReaders } from './layout-readers';
import { MsgpackSerializer } from './msgpack-serializer';

describe.each([
  ['msgpack with its layouts in front', MsgpackSerializer],
  ['msgpack with records where they come first', InlineMsgpackSerializer],
])('%s', (_name, Serializer) => {
  const serializer = new Serializer();
  const roundTrip = (value: unknown): unknown => serializer.decode(serializer.encode(value));

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
    expect(new Serializer().decode(two)).toEqual({ id: 2, name: 'b' });
    expect(new Serializer().decode(one)).toEqual({ id: 1, name: 'a' });
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
    ['a message that is cut off', new Serializer().encode({ a: 'long enough' }).slice(0, -3)],
    ['a message with something behind it', new Uint8Array([...new Serializer().encode('x'), 1])],
  ])('refuses to decode %s', (_what, bytes) => {
    expect(() => serializer.decode(bytes)).toThrow();
  });
});

describe('msgpack with its layouts in front', () => {
  const serializer = new MsgpackSerializer();

  test('says of plain data that it is frozen, and brings it so, all the way down', () => {
    const key = fc.string({ unit: 'binary' }).filter(name => name !== '__proto__');
    const plain = fc.object({ key, withBigInt: true, withNullPrototype: true, maxDepth: 5, maxKeys: 12 });
    fc.assert(
      fc.property(fc.array(plain), given => {
        const bytes = serializer.encode(given);
        expect(serializer.isFrozen(bytes)).toBe(true);
        expect(isDeepFrozen(serializer.decode(bytes))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ['a date', { at: new Date(0) }],
    ['a Map', [new Map()]],
    ['a Buffer', { body: Buffer.from('a') }],
    ['an object of a class', { regexp: /a/ }],
    ['what is nested too deep to look at', nested(600)],
  ])('says of %s that it is not, and leaves it open', (_what, value) => {
    const bytes = serializer.encode(value);
    expect(serializer.isFrozen(bytes)).toBe(false);
    expect(Object.isFrozen(serializer.decode(bytes))).toBe(false);
  });

  test('keeps values of more layouts than have numbers of their own', () => {
    const many = Array.from({ length: 200 }, (_, at) => ({
      [`name ${at}`]: at,
      again: { [`inner ${at}`]: 1 },
    }));
    expect(serializer.decode(serializer.encode(many))).toEqual(many);
  });

  test('keeps an object of more names than layouts have room for', () => {
    const wide = Object.fromEntries(
      Array.from({ length: 6_000 }, (_, at) => [`a rather long name ${at}`, at]),
    );
    expect(serializer.decode(serializer.encode({ wide }))).toEqual({ wide });
  });

  test('one value has one form, whatever was written before it', () => {
    const value = { a: 1, list: [{ b: 2 }] };
    const fresh = new MsgpackSerializer().encode(value);
    serializer.encode({ other: { layouts: true } });
    expect(serializer.encode(value)).toEqual(fresh);
  });

  test('a message whose layouts were met before is read the same', () => {
    const both = [
      { id: 1, name: 'a' },
      { id: 2, other: ['b'] },
    ];
    const messages = both.map(value => serializer.encode(value));
    for (let round = 0; round < 5; round += 1)
      expect(messages.map(bytes => serializer.decode(bytes))).toEqual(both);
  });

  test.each([
    ['is read', []],
    ['cannot be read to its end', [0xc1]],
  ])('a foreign message that redefines a layout and %s leaves the others as they were', (_what, behind) => {
    const value = [{ id: 1, name: 'a' }];
    const message = serializer.encode(value);
    const head = message.slice(0, 3 + (message[1]! << 8) + message[2]!);
    const names = new Packr({ useRecords: false }).pack(['x', 'y']);
    const foreign = Buffer.from([...head, 0xd4, 0x72, 0x40, ...names, 1, 2, ...behind]);
    if (behind.length > 0) expect(() => serializer.decode(foreign)).toThrow();
    else expect(serializer.decode(foreign)).toEqual({ x: 1, y: 2 });
    expect(serializer.decode(message)).toEqual(value);
  });

  test('a value that has something else encoded while it is, comes out as it would alone, and so does the other', () => {
    const inner = { deep: [{ inner: 1 }] };
    const inners: Uint8Array[] = [];
    const encoding = {
      first: { a: 1 },
      get second() {
        inners.push(serializer.encode(inner));
        return { b: 2 };
      },
      third: { c: 3 },
    };
    const bytes = serializer.encode(encoding);
    expect(bytes).toEqual(
      new MsgpackSerializer().encode({ first: { a: 1 }, second: { b: 2 }, third: { c: 3 } }),
    );
    for (const other of inners) expect(other).toEqual(new MsgpackSerializer().encode(inner));
    expect(inners.length).toBeGreaterThan(0);
  });

  test('a value that could not be encoded leaves no layouts behind', () => {
    const value = { a: 1, list: [{ b: 2 }] };
    expect(() => serializer.encode([value, { c: { d: 1 } }, () => 1])).toThrow();
    expect(serializer.encode(value)).toEqual(new MsgpackSerializer().encode(value));
  });

  test.each([
    ['no more than a head', [0, 0, 0]],
    ['layouts that are longer than the message', [0, 0xff, 0xff, 0x90]],
    ['layouts that are no lists', [0, 0, 1, 0x01, 0xc0]],
    ['layouts whose names are none', [0, 0, 3, 0x91, 0x91, 0x01, 0xc0]],
    ['layouts that are cut off', [0, 0, 1, 0x92, 0xc0]],
  ])('refuses to decode %s', (_what, bytes) => {
    expect(() => serializer.decode(Buffer.from(bytes))).toThrow();
  });
});

describe('readers of layouts', () => {
  const messageOf = (text: string): Buffer => Buffer.from(`...${text}`);

  test('are kept for what is met again, up to a number', () => {
    let made = 0;
    const readers = new LayoutReaders(() => ((made += 1), {}) as never);
    const of = (text: string, isFrozen = true): unknown =>
      readers.of(messageOf(text), 3, 3 + text.length, isFrozen);
    expect(of('a')).toBe(of('a'));
    expect(of('a', false)).not.toBe(of('a'));
    expect(made).toBe(2);
    for (let at = 0; at < 2_000; at += 1) of(`layout ${at}`);
    expect(readers.size).toBeLessThanOrEqual(512);
    const before = made;
    of('layout 1999');
    of('layout 1998');
    expect(made).toBe(before);
  });

  test('are not kept for layouts that are long: their names are data', () => {
    const readers = new LayoutReaders(() => ({}) as never);
    readers.of(messageOf('x'.repeat(2_000)), 3, 2_003, true);
    expect(readers.size).toBe(0);
  });
});

function nested(levels: number): unknown {
  let deep: unknown = { leaf: true };
  for (let level = 0; level < levels; level += 1) deep = [deep];
  return deep;
}

function isDeepFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(isDeepFrozen);
}

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
