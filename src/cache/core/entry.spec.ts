import fc from 'fast-check';
import { NodeHash } from '../node/node-hash';
import { birthOffset, fillIdOf, readEntry, writeEntry, type EntryHeader } from './entry';

const hash = new NodeHash();
const fillId = 'fill-id-16-chars';
const header: Omit<EntryHeader, 'birthMs'> = {
  key: 'agents:list|é',
  fillId,
  version: 7,
  hardTtlMs: 600_000,
  softTtlMs: 300_000,
  negative: false,
  serializerId: 1,
  compressorId: 0,
  rawLength: 5,
  tokens: [
    ['!ns', 'token-of-the-ns!'],
    ['agents', 'token-of-agents!'],
  ],
};
const payload = new Uint8Array([1, 2, 3, 4, 5]);

/** The entry as it is in the store: the script has written its birth. */
function whole(entry: Uint8Array, birthMs: number): Uint8Array {
  new DataView(entry.buffer).setFloat64(birthOffset, birthMs);
  return entry;
}
const written = (): Uint8Array => whole(writeEntry(header, payload, hash), 1_700_000_000_000);

/** Bytes that were written wrong, rather than damaged: their checksum is right. */
function resealed(change: (bytes: Uint8Array) => void, bytes = written()): Uint8Array {
  change(bytes);
  const crc = hash.crc32(
    bytes.subarray(56),
    hash.crc32(bytes.subarray(32, 52), hash.crc32(bytes.subarray(0, 24))),
  );
  new DataView(bytes.buffer).setUint32(52, crc);
  return bytes;
}

describe('the stored form of an entry', () => {
  test('gives back whatever was written', () => {
    const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 });
    const token = fc.string({ unit: fc.constantFrom(...'abcXYZ019-_'), minLength: 16, maxLength: 16 });
    const uint32 = fc.nat({ max: 0xffffffff });
    const anyHeader = fc.record({
      key: name,
      fillId: token,
      version: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
      hardTtlMs: uint32,
      softTtlMs: uint32,
      negative: fc.boolean(),
      serializerId: fc.nat({ max: 255 }),
      compressorId: fc.nat({ max: 15 }),
      rawLength: uint32,
      tokens: fc.array(fc.tuple(name, token), { maxLength: 64 }),
    });
    const anyBirth = fc.double({ min: 0, max: 4e12, noNaN: true });
    fc.assert(
      fc.property(anyHeader, anyBirth, fc.uint8Array({ maxLength: 300 }), (given, birthMs, bytes) => {
        const entry = readEntry(whole(writeEntry(given, bytes, hash), birthMs), given.key, hash);
        expect(entry).toEqual({ ...given, birthMs, payload: bytes });
      }),
      { numRuns: 500 },
    );
  });

  test('stands where the scripts of the store look for it', () => {
    const bytes = written();
    expect(Buffer.from(bytes.subarray(0, 3)).toString('latin1')).toBe('SC\u0001');
    expect(Buffer.from(bytes.subarray(8, 24)).toString('latin1')).toBe(fillId);
    expect(new DataView(bytes.buffer).getFloat64(birthOffset)).toBe(1_700_000_000_000);
    expect(new DataView(bytes.buffer).getFloat64(32)).toBe(7);
  });

  test('is read wherever it lies in a larger buffer', () => {
    const bytes = written();
    const larger = new Uint8Array(bytes.length + 20).fill(0xaa);
    larger.set(bytes, 13);
    expect(readEntry(larger.subarray(13, 13 + bytes.length), header.key, hash)).toMatchObject({
      key: header.key,
      payload,
    });
  });

  test('is never accepted after any flip of one byte, birth aside', () => {
    const bytes = written();
    for (let at = 0; at < bytes.length; at += 1) {
      if (at >= birthOffset && at < birthOffset + 8) continue;
      for (const flip of [1, 0x80, 0xff]) {
        bytes[at]! ^= flip;
        expect([at, typeof readEntry(bytes, header.key, hash)]).toEqual([at, 'string']);
        bytes[at]! ^= flip;
      }
    }
    expect(readEntry(bytes, header.key, hash)).toMatchObject({ key: header.key });
  });

  test('is never accepted when it is cut off anywhere, or longer than it was', () => {
    const bytes = written();
    for (let length = 0; length < bytes.length; length += 1) {
      expect(readEntry(bytes.subarray(0, length), header.key, hash)).toBe(length < 56 ? 'short' : 'checksum');
    }
    expect(readEntry(new Uint8Array([...bytes, 0]), header.key, hash)).toBe('checksum');
  });

  test('of another key is refused', () => {
    expect(readEntry(written(), 'agents:list|e', hash)).toBe('key');
    expect(readEntry(written(), 'agents:list|e\u0301', hash)).toBe('key');
  });

  test('of a foreign program or a later version is refused before anything in it is believed', () => {
    const bytes = written();
    expect(
      readEntry(
        resealed(entry => (entry[0] = 0x54)),
        header.key,
        hash,
      ),
    ).toBe('magic');
    expect(
      readEntry(
        resealed(entry => (entry[1] = 0x54)),
        header.key,
        hash,
      ),
    ).toBe('magic');
    expect(
      readEntry(
        resealed(entry => (entry[2] = 2)),
        header.key,
        hash,
      ),
    ).toBe('version');
    expect(readEntry(Buffer.from('x'.repeat(bytes.length)), header.key, hash)).toBe('magic');
  });

  test('whose lengths point beyond its end is refused, even under a right checksum', () => {
    expect(
      readEntry(
        resealed(entry => new DataView(entry.buffer).setUint16(6, 60_000)),
        header.key,
        hash,
      ),
    ).toBe('structure');
    expect(
      readEntry(
        resealed(entry => (entry[5] = 255)),
        header.key,
        hash,
      ),
    ).toBe('structure');
    const firstToken = 56 + Buffer.byteLength(header.key);
    const tooLong = resealed(entry => new DataView(entry.buffer).setUint16(firstToken, 60_000));
    expect(readEntry(tooLong, header.key, hash)).toBe('structure');
    // A count that the payload could just be taken for is caught by its length as well.
    const oneMore = resealed(entry => (entry[5] = 3));
    expect(readEntry(oneMore, header.key, hash)).toBe('structure');
    for (const bytesLeft of [0, 1]) {
      const short = whole(writeEntry(header, payload.subarray(0, bytesLeft), hash), 0);
      const cut = resealed(entry => (entry[5] = 3), short);
      expect(readEntry(cut, header.key, hash)).toBe('structure');
    }
  });

  test('with names that are no UTF-8 is refused, not thrown at', () => {
    const firstName = 56 + Buffer.byteLength(header.key) + 2;
    expect(
      readEntry(
        resealed(entry => (entry[firstName] = 0xff)),
        header.key,
        hash,
      ),
    ).toBe('structure');
    expect(
      readEntry(
        resealed(entry => (entry[56] = 0xff)),
        header.key,
        hash,
      ),
    ).toBe('key');
  });

  test('is a fault and no error, whatever the bytes', () => {
    const noise = fc.uint8Array({ maxLength: 200 });
    const sealed = fc
      .tuple(noise, fc.nat({ max: 255 }), fc.nat({ max: 0xffff }))
      .map(([body, tags, keyBytes]) => {
        const bytes = new Uint8Array([...written().subarray(0, 56), ...body]);
        bytes[5] = tags;
        new DataView(bytes.buffer).setUint16(6, keyBytes % (body.length + 10));
        const crc = hash.crc32(
          bytes.subarray(56),
          hash.crc32(bytes.subarray(32, 52), hash.crc32(bytes.subarray(0, 24))),
        );
        new DataView(bytes.buffer).setUint32(52, crc);
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(noise, sealed), bytes => typeof readEntry(bytes, header.key, hash) === 'string'),
      { numRuns: 2_000 },
    );
  });

  test('shows its fill id without being read, and what is too short shows less', () => {
    expect(fillIdOf(written())).toBe(fillId);
    expect(fillIdOf(written().subarray(0, 12))).toBe('fill');
    expect(fillIdOf(new Uint8Array())).toBe('');
  });

  test('a token that was changed on its way makes an entry that is a miss, and no error', () => {
    const changed = { ...header, tokens: [['t', '0kUv22kF\ufffdmg927z5'] as const] };
    expect(readEntry(whole(writeEntry(changed, payload, hash), 0), changed.key, hash)).toBe('structure');
  });
});
