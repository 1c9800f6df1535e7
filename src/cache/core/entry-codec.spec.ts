import { BrotliCompressor } from '../codec/brotli-compressor';
import { JsonSerializer } from '../codec/json-serializer';
import { MsgpackSerializer } from '../codec/msgpack-serializer';
import {
  EntryCodec,
  HeldValue,
  type CodecOptions,
  type EncodedValue,
  type StoredPayload,
} from './entry-codec';
import { SystemClock } from './clock';
import { CacheOptionsError, CacheValueError } from './errors';
import type { Compressor, ValueSerializer } from './ports';

const codecWith = (options: Partial<CodecOptions> = {}): EntryCodec =>
  new EntryCodec(
    { serializer: new MsgpackSerializer(), compressors: [new BrotliCompressor()], ...options },
    new SystemClock(),
  );

/** Keeps bytes as they are and can be told what they compress to. */
class ScriptedCompressor implements Compressor {
  readonly id: number = 9;
  compressed = 0;
  constructor(private readonly share: number) {}
  compress(bytes: Uint8Array): Uint8Array {
    this.compressed += 1;
    return new Uint8Array(Math.round(bytes.length * this.share));
  }
  decompress(bytes: Uint8Array): Uint8Array {
    return bytes;
  }
  compressAside(bytes: Uint8Array): Promise<Uint8Array> {
    return Promise.resolve(this.compress(bytes));
  }
  decompressAside(bytes: Uint8Array): Promise<Uint8Array> {
    return Promise.resolve(this.decompress(bytes));
  }
}

/** As it goes into the shared tier. */
const stored = (
  codec: EntryCodec,
  value: unknown,
  serializer?: ValueSerializer,
): EncodedValue | Promise<EncodedValue> => codec.compress(codec.encode(value, serializer));

const storedAtOnce = (codec: EntryCodec, value: unknown): EncodedValue => {
  const encoded = stored(codec, value);
  if (encoded instanceof Promise) throw new Error('it is compressed aside');
  return encoded;
};

const readBack = async (codec: EntryCodec, entry: StoredPayload): Promise<unknown> =>
  (await codec.decode(entry)).read();

const bytesSerializer: ValueSerializer = {
  id: 77,
  isolation: 'share',
  encode: value => value as Uint8Array,
  decode: bytes => bytes,
};

const noise = (bytes: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, at) => (at * 2_654_435_761) >>> 24);

describe('values and their readers', () => {
  test.each([
    ['MessagePack', new MsgpackSerializer()],
    ['JSON', new JsonSerializer()],
  ])('plain data is one object for all readers, frozen to the bottom: %s', (_format, serializer) => {
    const { held } = codecWith({ serializer }).encode({ list: [{ a: 1 }], text: 'x', nothing: null });
    const value = held.read() as { list: { a: number }[] };
    expect(held.read()).toBe(value);
    expect([value, value.list, value.list[0]].map(Object.isFrozen)).toEqual([true, true, true]);
    expect(() => (value.list[0]!.a = 2)).toThrow(TypeError);
  });

  test.each([
    ['a Date', () => new Date(5), (value: Date) => value.setTime(9)],
    ['a Map', () => new Map([['a', 1]]), (value: Map<string, number>) => value.set('a', 9)],
    ['a Set', () => new Set([1]), (value: Set<number>) => value.add(9)],
    ['a Buffer', () => Buffer.from('abc'), (value: Buffer) => value.fill(0)],
  ])(
    '%s inside is decoded for each reader, so that none can change it for the others',
    (_what, make, change) => {
      const { held } = codecWith().encode({ inner: make() });
      const first = held.read() as { inner: never };
      change(first.inner);
      expect(held.read()).toEqual({ inner: make() });
    },
  );

  test('what the loader still holds is not what readers get', () => {
    const original = { a: { b: 1 } };
    const { held } = codecWith().encode(original);
    original.a.b = 2;
    expect(held.read()).toEqual({ a: { b: 1 } });
    expect(Object.isFrozen(original)).toBe(false);
  });

  test('a value that is decoded for each reader keeps its own bytes, not the network buffer that it came in', async () => {
    const codec = codecWith();
    const { payload, ...rest } = codec.encode(new Map([['a', 1]]));
    const network = Buffer.alloc(65_536);
    network.set(payload, 100);
    const held = await codec.decode({ ...rest, payload: network.subarray(100, 100 + payload.length) });
    network.fill(0);
    expect(held.read()).toEqual(new Map([['a', 1]]));
  });

  test('a serialiser whose values cannot be changed shares them as they are', () => {
    const held = HeldValue.decode(noise(8), bytesSerializer);
    expect(held.read()).toBe(held.read());
  });

  test('data nested deeper than is worth walking is decoded for each reader', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 600; level += 1) deep = [deep];
    const { held } = codecWith({ serializer: new JsonSerializer() }).encode(deep);
    expect(held.read()).not.toBe(held.read());
  });

  test('an encoded value decodes to what its readers have, also from another codec', async () => {
    for (const value of [0, '', false, null, { a: [1, 'x'] }, new Date(3), 'long '.repeat(1_000)]) {
      const encoded = codecWith().encode(value);
      expect(await readBack(codecWith(), await codecWith().compress(encoded))).toEqual(encoded.held.read());
    }
  });
});

describe('compression', () => {
  test('happens above 4,096 bytes, not at them', () => {
    const compressor = new ScriptedCompressor(0.5);
    const codec = codecWith({ serializer: bytesSerializer, compressors: [compressor] });
    expect(storedAtOnce(codec, noise(4_096)).compressorId).toBe(0);
    expect(compressor.compressed).toBe(0);
    expect(storedAtOnce(codec, noise(4_097)).compressorId).toBe(9);
  });

  test('is left to whoever stores the value elsewhere', () => {
    const compressor = new ScriptedCompressor(0.5);
    const codec = codecWith({ serializer: bytesSerializer, compressors: [compressor] });
    expect(codec.encode(noise(2_000))).toMatchObject({ compressorId: 0, rawLength: 2_000 });
    expect(compressor.compressed).toBe(0);
  });

  test('is done at once up to 100 KiB and aside above, there and back', async () => {
    const codec = codecWith({ serializer: bytesSerializer });
    const [small, large] = [new Uint8Array(102_400), new Uint8Array(102_401)];
    const smallStored = storedAtOnce(codec, small);
    expect(codec.decode(smallStored)).toBeInstanceOf(HeldValue);
    const largeStored = stored(codec, large);
    expect(largeStored).toBeInstanceOf(Promise);
    expect((await largeStored).compressorId).toBe(1);
    expect(codec.decode(await largeStored)).toBeInstanceOf(Promise);
    expect(await readBack(codec, await largeStored)).toEqual(Buffer.from(large));
    expect([codec.compressions, codec.bytesIn]).toEqual([2, 204_801]);
  });

  test('what saves too little aside is stored as it is, and read at once', async () => {
    const options = { serializer: bytesSerializer, compressors: [new ScriptedCompressor(0.95)] };
    const codec = codecWith({ ...options, asideAboveBytes: 0 });
    const entry = await stored(codec, noise(2_000));
    expect(entry.compressorId).toBe(0);
    expect(codec.decode(entry)).toBeInstanceOf(HeldValue);
  });

  test('aside leaves the turns of the event loop to others', async () => {
    const codec = codecWith({ maxValueBytes: 8_388_608 });
    const words = Array.from({ length: 100_000 }, (_, at) => `agent-${(at * 2_654_435_761) >>> 12}`);
    const encoded = codec.encode(words);
    const beganAtMs = performance.now();
    const compressed = codec.compress(encoded);
    const tookMs = performance.now() - beganAtMs;
    const inflated = codec.decode(await compressed);
    expect([compressed, inflated].map(one => one instanceof Promise)).toEqual([true, true]);
    expect(tookMs).toBeLessThan(20);
    expect((await inflated).read()).toEqual(words);
  });

  test.each([
    [0.9, 9],
    [0.91, 0],
    [1.2, 0],
  ])('to %f of the size is kept under compressor %i', (share, compressorId) => {
    const codec = codecWith({ serializer: bytesSerializer, compressors: [new ScriptedCompressor(share)] });
    const encoded = storedAtOnce(codec, noise(5_000));
    expect(encoded.compressorId).toBe(compressorId);
    expect(encoded.payload.length).toBe(compressorId === 0 ? 5_000 : 4_500);
    expect([codec.compressions, codec.bytesIn, codec.bytesOut]).toEqual(
      compressorId === 0 ? [0, 0, 0] : [1, 5_000, 4_500],
    );
  });

  test('writes with the first compressor and reads with all of them', async () => {
    const brotli = new BrotliCompressor();
    const text = 'a'.repeat(5_000);
    const old = storedAtOnce(codecWith({ compressors: [brotli] }), text);
    const codec = codecWith({ compressors: [new ScriptedCompressor(0.5), brotli] });
    expect(await readBack(codec, old)).toBe(text);
    expect(storedAtOnce(codec, text).compressorId).toBe(9);
  });

  test('without a compressor stores everything as it is', () => {
    expect(storedAtOnce(codecWith({ compressors: [] }), 'a'.repeat(5_000)).compressorId).toBe(0);
  });
});

describe('what cannot be stored or read', () => {
  test('a value over the limit is refused with its size, one at the limit is not', () => {
    const codec = codecWith({ serializer: bytesSerializer, maxValueBytes: 100 });
    expect(codec.encode(noise(100)).rawLength).toBe(100);
    expect(() => codec.encode(noise(101))).toThrow(expect.objectContaining({ code: 'VALUE_TOO_LARGE' }));
    expect(() => codec.encode(noise(101))).toThrow('101 bytes');
  });

  test('the limit is 1 MiB unless told otherwise, and counts before compression', async () => {
    const codec = codecWith({ serializer: bytesSerializer });
    expect((await stored(codec, new Uint8Array(1_048_576))).payload.length).toBeLessThan(1_000);
    expect(() => codec.encode(new Uint8Array(1_048_577))).toThrow(CacheValueError);
  });

  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  test.each([
    ['a cycle', cycle],
    ['a symbol', Symbol('s')],
    ['a function', () => 1],
    ['a function inside', { a: [() => 1] }],
  ])('%s is refused with its cause', (_what, value) => {
    const error = ((): unknown => {
      try {
        return codecWith().encode(value);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(CacheValueError);
    expect(error).toMatchObject({ code: 'VALUE_NOT_SERIALISABLE', cause: expect.any(Error) });
  });

  test('a value that could be written but not read back is refused while the caller still has it', () => {
    const broken: ValueSerializer = {
      ...bytesSerializer,
      encode: () => noise(3),
      decode: () => {
        throw new Error('no');
      },
    };
    const codec = codecWith({ serializer: broken });
    const refusal = expect.objectContaining({ code: 'VALUE_NOT_SERIALISABLE' }) as Error;
    expect(() => codec.encode('x')).toThrow(refusal);
    expect(() => codec.encodeForOthers('x')).toThrow(refusal);
  });

  test('a value for others is not read back where its serialiser vouches that it can be', () => {
    const decode = jest.fn();
    const sure: ValueSerializer = { ...bytesSerializer, readsBack: true, encode: () => noise(3), decode };
    expect(codecWith({ serializer: sure }).encodeForOthers('x')).toEqual({
      payload: noise(3),
      serializerId: sure.id,
      compressorId: 0,
      rawLength: 3,
    });
    expect(decode).not.toHaveBeenCalled();
  });

  const compressed = (): EncodedValue => storedAtOnce(codecWith(), 'a'.repeat(5_000));

  test('a payload that inflates to more than its header says is not inflated', () => {
    expect(() => codecWith().decode({ ...compressed(), rawLength: 100 })).toThrow();
  });

  test('a payload that inflates to less than its header says is not accepted', () => {
    expect(() => codecWith().decode({ ...compressed(), rawLength: 6_000 })).toThrow(
      'differs from the header',
    );
  });

  test('the same where it is inflated aside', async () => {
    const large = await stored(codecWith(), 'a'.repeat(500_000));
    await expect(codecWith().decode({ ...large, rawLength: 200_000 })).rejects.toThrow();
    await expect(codecWith().decode({ ...large, rawLength: 600_000 })).rejects.toThrow(
      'differs from the header',
    );
  });

  test('a header that promises more than any value may have does not let a bomb through', async () => {
    const bomb = new BrotliCompressor().compress(new Uint8Array(3_000_000));
    const entry = { payload: bomb, serializerId: 77, compressorId: 1, rawLength: 3_000_000 };
    await expect(codecWith({ serializers: [bytesSerializer] }).decode(entry)).rejects.toThrow();
  });

  test('an unknown serialiser or compressor is named', () => {
    expect(() => codecWith().decode({ ...compressed(), serializerId: 42 })).toThrow('no serialiser 42');
    expect(() => codecWith({ compressors: [] }).decode(compressed())).toThrow('no compressor 1');
  });

  test('a serialiser that a policy brought along can be read from then on', async () => {
    const codec = codecWith();
    const encoded = codec.encode({ a: 1 }, new JsonSerializer());
    expect(encoded.serializerId).toBe(2);
    expect(await readBack(codec, encoded)).toEqual({ a: 1 });
    expect(() => codecWith().decode(encoded)).toThrow('no serialiser 2');
    expect(await readBack(codecWith({ serializers: [new JsonSerializer()] }), encoded)).toEqual({ a: 1 });
  });
});

describe('options of the codec', () => {
  test.each([
    ['compressAboveBytes', -1],
    ['compressAboveBytes', NaN],
    ['compressAboveBytes', 1.5],
    ['asideAboveBytes', -1],
    ['asideAboveBytes', 0.5],
    ['minSaving', -0.1],
    ['minSaving', 1.1],
    ['minSaving', NaN],
    ['maxValueBytes', 0],
    ['maxValueBytes', 1.5],
    ['maxValueBytes', 2 ** 32],
  ])('refuse %s = %p, naming option and value', (option, value) => {
    expect(() => codecWith({ [option]: value })).toThrow(CacheOptionsError);
    expect(() => codecWith({ [option]: value })).toThrow(new RegExp(`${option}.*${value}`));
  });

  test.each([-1, 256, 1.5])('refuse a serialiser with the id %p, which an entry could not hold', id => {
    expect(() => codecWith({ serializers: [{ ...bytesSerializer, id }] })).toThrow(CacheOptionsError);
  });

  test.each([0, 16, 1.5])('refuse a compressor with the id %p, which an entry could not hold', id => {
    const compressor = Object.assign(new ScriptedCompressor(1), { id });
    expect(() => codecWith({ compressors: [compressor] })).toThrow(CacheOptionsError);
  });

  test('refuse two serialisers or two compressors with one id', () => {
    expect(() => codecWith({ serializers: [new MsgpackSerializer()] })).toThrow(CacheOptionsError);
    expect(() => codecWith({ compressors: [new BrotliCompressor(), new BrotliCompressor()] })).toThrow(
      CacheOptionsError,
    );
  });
});
