import { brotliCompressSync, constants } from 'node:zlib';
import { JsonSerializer } from '../../src/cache/codec/json-serializer';
import { MsgpackSerializer } from '../../src/cache/codec/msgpack-serializer';
import { definePolicy, type TieredCache } from '../../src/cache/core';
import { birthOffset, writeEntry, type EntryHeader } from '../../src/cache/core/entry';
import { NodeHash } from '../../src/cache/node/node-hash';
import { coherentNode } from '../integration/cache-node';
import { patientCommandTimeoutMs, RedisServer } from '../integration/redis-server';

const hash = new NodeHash();
const json = definePolicy('json', { serializer: new JsonSerializer(), jitter: 0 });

/** What stands in Redis need not have been written by this version of this program, or by this program at all. */
describe('entries that somebody else wrote', () => {
  let redis: RedisServer;
  let cache: TieredCache;

  beforeAll(async () => {
    redis = await RedisServer.start(patientCommandTimeoutMs);
  });
  beforeEach(async () => {
    cache = await coherentNode(redis);
    // From here on it reads JSON as well, and the token of the namespace exists.
    await cache.set('known', 1, { policy: json });
  });
  afterEach(async () => {
    await cache.close();
    await redis.admin().flushall();
  });
  afterAll(() => redis.stop());

  /** An entry that is right in every respect but those that are given: made as the fill script makes it. */
  async function entry(payload: Uint8Array, given: Partial<EntryHeader> = {}): Promise<Buffer> {
    const token = await redis.admin().get('test:1:t:{!ns}');
    const header = {
      key: 'k',
      fillId: hash.randomToken(),
      version: 0,
      hardTtlMs: 60_000,
      softTtlMs: 60_000,
      negative: false,
      serializerId: 4,
      compressorId: 0,
      rawLength: payload.length,
      tokens: [['!ns', token!]] as const,
      ...given,
    };
    const bytes = Buffer.from(writeEntry(header, payload, hash));
    bytes.writeDoubleBE(given.birthMs ?? Date.now(), birthOffset);
    return bytes;
  }
  const put = (bytes: Buffer): Promise<unknown> => redis.admin().set('test:1:d:{k}', bytes);
  const packed = (value: unknown): Uint8Array => new MsgpackSerializer().encode(value);

  test('an entry that is right in every respect is a hit, or the others would show nothing', async () => {
    await put(await entry(packed('by hand')));
    expect(await cache.lookup('k', () => 'fresh')).toMatchObject({ value: 'by hand', source: 'l2' });
    expect(cache.stats().corrupt).toEqual({});
  });

  const zeros = 64 * 1_048_576;
  const deep = (depth: number): Buffer => Buffer.from('['.repeat(depth) + ']'.repeat(depth));
  const wrong: [string, string, () => Promise<Buffer>][] = [
    ['F52: one of an unknown format version', 'version', async () => withByte(await entry(packed(1)), 2, 2)],
    ['F53: one of another program', 'magic', async () => withByte(await entry(packed(1)), 0, 0)],
    ['F53: one that was cut off', 'short', async () => (await entry(packed(1))).subarray(0, 40)],
    ['F53: one whose payload was changed', 'checksum', async () => withByte(await entry(packed(1)), -1, 7)],
    ['F53: one whose header was changed', 'checksum', async () => withByte(await entry(packed(1)), 41, 7)],
    ['F53: one of another key', 'key', () => entry(packed(1), { key: 'other' })],
    ['F53: one of an unknown serialiser', 'payload', () => entry(packed(1), { serializerId: 77 })],
    ['F53: one of an unknown compressor', 'payload', () => entry(packed(1), { compressorId: 9 })],
    [
      'F53: a bomb that says how large it is',
      'payload',
      () => entry(bomb(zeros), { compressorId: 1, rawLength: zeros }),
    ],
    [
      'F53: a bomb that says that it is small',
      'payload',
      () => entry(bomb(zeros), { compressorId: 1, rawLength: 100 }),
    ],
    ['F53: bytes that are no message', 'payload', () => entry(Buffer.from([0xc1, 0xc1]))],
    ['F53: no JSON', 'payload', () => entry(Buffer.from('{"a":'), { serializerId: 2 })],
    ['F53: a message nested 100,000 deep', 'payload', () => entry(Buffer.alloc(100_000, 0x91))],
  ];
  test.each(wrong)('%s is a miss, counted as %s', async (_what, reason, bytes) => {
    await put(await bytes());
    expect(await cache.lookup('k', () => 'fresh')).toMatchObject({
      value: 'fresh',
      outcome: 'miss',
      cause: 'format',
      stored: true,
    });
    // Counted where it was met: by the read, and, if it was handed out again instead of a lease, by that too.
    expect(Object.keys(cache.stats().corrupt)).toEqual([reason]);
    expect(await cache.get('k')).toBe('fresh');
  });

  test('F53: JSON nested 100,000 deep harms nobody', async () => {
    await put(await entry(deep(100_000), { serializerId: 2 }));
    const { outcome } = await cache.lookup('k', () => 'fresh');
    expect(['l2_hit', 'miss']).toContain(outcome);
    await cache.invalidateKeys(['k']);
    expect(await cache.getOrSet('k', () => 'fresh')).toBe('fresh');
  });

  test.each([
    ['msgpack', 4, packed(JSON.parse('{"__proto__":{"polluted":1},"a":1}'))],
    ['JSON', 2, Buffer.from('{"__proto__":{"polluted":1},"a":1}')],
  ])('F53: a value with the key __proto__ in %s pollutes nothing', async (_what, serializerId, payload) => {
    await put(await entry(payload, { serializerId }));
    const value = await cache.getOrSet<{ a: number; polluted?: number }>('k', () => ({ a: 2 }));
    expect(value.a).toBe(1);
    expect(value.polluted).toBeUndefined();
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  test.each(['hset', 'zadd', 'xadd', 'sadd', 'lpush'] as const)(
    'F53: a key of another type (%s) is a miss that heals',
    async command => {
      const key = 'test:1:d:{k}';
      const admin = redis.admin();
      if (command === 'xadd') await admin.xadd(key, '*', 'field', 'value');
      else if (command === 'hset') await admin.hset(key, 'field', 'value');
      else if (command === 'zadd') await admin.zadd(key, 1, 'member');
      else await admin[command](key, 'member');
      expect(await cache.lookup('k', () => 'fresh')).toMatchObject({ value: 'fresh', stored: true });
      expect(await cache.get('k')).toBe('fresh');
    },
  );

  test('F53: a token of another type invalidates, and is replaced', async () => {
    await cache.getOrSet('k', () => 'v1', { tags: ['t'] });
    const admin = redis.admin();
    await admin.del('test:1:t:{t}');
    await admin.lpush('test:1:t:{t}', 'x');
    expect(await cache.lookup('k', () => 'v2', { tags: ['t'] })).toMatchObject({ value: 'v2', stored: true });
    expect(await cache.get('k')).toBe('v2');
    expect(await admin.type('test:1:t:{t}')).toBe('string');
  });

  test('F53: an entry born in the future, or with a life that is over, is a miss', async () => {
    for (const birthMs of [Date.now() + 3_600_000, Date.now() - 3_600_000, NaN, Infinity]) {
      await put(await entry(packed('by hand'), { birthMs }));
      expect((await cache.lookup('k', () => 'fresh')).value).toBe('fresh');
      await cache.invalidateKeys(['k']);
    }
  });

  test('F52: a deployment of another format stands beside this one: neither sees the other', async () => {
    const admin = redis.admin();
    await admin.mset('test:2:d:{k}', 'theirs', 'test:2:t:{!ns}', 'their token');
    await cache.getOrSet('k', () => 'ours', { tags: ['t'] });
    await cache.clear();
    await cache.clearMatching('*k*');
    expect(await cache.get('k')).toBeUndefined();
    expect(await admin.mget('test:2:d:{k}', 'test:2:t:{!ns}')).toEqual(['theirs', 'their token']);
  });
});

/** A byte of it is another; negative positions count from the end. */
function withByte(bytes: Buffer, at: number, value: number): Buffer {
  const position = at < 0 ? bytes.length + at : at;
  bytes[position] = bytes[position] === value ? value + 1 : value;
  return bytes;
}

/** A few bytes that inflate to `size` zeros. */
function bomb(size: number): Uint8Array {
  return brotliCompressSync(Buffer.alloc(size), { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } });
}
