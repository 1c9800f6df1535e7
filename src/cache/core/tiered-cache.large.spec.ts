import { cachesUnderTest, exactPolicy } from '../../../test/fakes/cache-under-test';
import { settled } from '../../../test/fakes/fake-clock';
import { HoldingPostman } from '../../../test/fakes/holding-postman';
import { instancesUnderTest } from '../../../test/fakes/instances-under-test';
import type { Compressor } from './ports';

/** Keeps what it is given, puts a number in its place, and is held aside until it is let go. */
class HeldCompressor implements Compressor {
  readonly id = 9;
  holds = { compress: false, decompress: false };
  runs = { compress: 0, decompress: 0, atOnce: 0 };
  readonly #kept: Uint8Array[] = [];
  readonly #waiting: (() => void)[] = [];

  compress(bytes: Uint8Array): Uint8Array {
    this.runs.atOnce += 1;
    return Uint8Array.of(this.#kept.push(bytes) - 1);
  }

  decompress([number]: Uint8Array): Uint8Array {
    this.runs.atOnce += 1;
    return this.#kept[number!]!;
  }

  async compressAside(bytes: Uint8Array): Promise<Uint8Array> {
    await this.#hold('compress');
    return Uint8Array.of(this.#kept.push(bytes) - 1);
  }

  async decompressAside([number]: Uint8Array): Promise<Uint8Array> {
    await this.#hold('decompress');
    return this.#kept[number!]!;
  }

  letGo(): void {
    this.holds = { compress: false, decompress: false };
    for (const go of this.#waiting.splice(0)) go();
  }

  async #hold(what: 'compress' | 'decompress'): Promise<void> {
    this.runs[what] += 1;
    if (this.holds[what]) await new Promise<void>(go => this.#waiting.push(go));
  }
}

const policy = exactPolicy({ ttlMs: 1_000, tags: ['t'] });

/** Different values, each of which is large. */
const large = (n: number): string => String(n).repeat(200_000);

describe('a value that is large enough to be compressed off the event loop', () => {
  const make = instancesUnderTest();

  test('is compressed once and inflated once for all who want it', async () => {
    const compressor = new HeldCompressor();
    const [a, b] = (await make(2, undefined, compressor)).all;
    expect(await a!.cache.getOrSet('k', () => large(1), { policy })).toBe(large(1));
    compressor.holds.decompress = true;
    const reads = Array.from({ length: 20 }, () => b!.cache.getOrSet('k', () => large(2), { policy }));
    await settled();
    compressor.letGo();
    expect(await Promise.all(reads)).toEqual(Array(20).fill(large(1)));
    expect(compressor.runs).toEqual({ compress: 1, decompress: 1, atOnce: 0 });
  });

  test.each([
    ['its key', { keys: ['k'] }],
    ['its tag', { tags: ['t'] }],
  ])(
    'while it is inflated, an invalidation of %s keeps it from whoever asks later',
    async (_what, invalidated) => {
      const compressor = new HeldCompressor();
      const [a, b] = (await make(2, undefined, compressor)).all;
      await a!.cache.getOrSet('k', () => large(1), { policy });
      compressor.holds.decompress = true;
      const before = b!.cache.getOrSet('k', () => large(9), { policy });
      await settled();
      await b!.cache.invalidate(invalidated);
      const after = b!.cache.getOrSet('k', () => large(2), { policy });
      await settled();
      compressor.letGo();
      expect([await before, await after]).toEqual([large(1), large(2)]);
      expect(await b!.cache.getOrSet('k', () => large(9), { policy })).toBe(large(2));
    },
  );

  test('while it is compressed, an invalidation elsewhere takes the lease away: it is answered with and not stored', async () => {
    const compressor = new HeldCompressor();
    const [a, b] = (await make(2, undefined, compressor)).all;
    compressor.holds.compress = true;
    const before = a!.cache.lookup('k', () => large(1), { policy });
    await settled();
    expect(await b!.cache.invalidateKeys(['k'])).toMatchObject({ applied: true });
    compressor.letGo();
    expect(await before).toMatchObject({ value: large(1), stored: false });
    expect(await b!.cache.getOrSet('k', () => large(2), { policy })).toBe(large(2));
    expect(await a!.cache.getOrSet('k', () => large(9), { policy })).toBe(large(2));
  });

  test('set twice, the later one counts, whatever their sizes', async () => {
    const compressor = new HeldCompressor();
    const [a, b] = (await make(2, undefined, compressor)).all;
    compressor.holds.compress = true;
    const first = a!.cache.set('k', large(1), { policy });
    const second = a!.cache.set('k', 'small', { policy });
    await settled();
    compressor.letGo();
    expect(await Promise.all([first, second])).toEqual([
      { applied: true, queued: false },
      { applied: true, queued: false },
    ]);
    for (const { cache } of [a!, b!])
      expect(await cache.getOrSet('k', () => 'loaded', { policy })).toBe('small');
  });

  test.each([
    ['its key', { keys: ['k'] }],
    ['its tag', { tags: ['t'] }],
  ])('set before an invalidation of %s, it does not come after it', async (_what, invalidated) => {
    const compressor = new HeldCompressor();
    const [a, b] = (await make(2, undefined, compressor)).all;
    compressor.holds.compress = true;
    const written = a!.cache.set('k', large(1), { policy });
    await settled();
    await a!.cache.invalidate(invalidated);
    expect(await b!.cache.getOrSet('k', () => 'new', { policy })).toBe('new');
    compressor.letGo();
    await written;
    for (const { cache } of [a!, b!])
      expect(await cache.getOrSet('k', () => 'newer', { policy })).toBe('new');
  });

  test('goes aside only while few do: past the end of the line the event loop does it', async () => {
    const compressor = new HeldCompressor();
    const [a, b] = (await make(2, undefined, compressor)).all;
    const keys = Array.from({ length: 70 }, (_, n) => `k${n}`);
    for (const key of keys) await a!.cache.getOrSet(key, () => large(1), { policy });
    compressor.runs = { compress: 0, decompress: 0, atOnce: 0 };
    compressor.holds.decompress = true;
    const reads = keys.map(key => b!.cache.getOrSet(key, () => large(2), { policy }));
    await settled();
    // Two are at work and 64 wait.
    expect(compressor.runs).toEqual({ compress: 0, decompress: 2, atOnce: 4 });
    compressor.letGo();
    expect(new Set(await Promise.all(reads))).toEqual(new Set([large(1)]));
  });

  test('its lease is renewed while it is compressed', async () => {
    const compressor = new HeldCompressor();
    const instances = await make(1, undefined, compressor);
    const [a] = instances.all;
    compressor.holds.compress = true;
    const short = exactPolicy({ ttlMs: 1_000, leaseMs: 300 });
    const loaded = a!.cache.lookup('k', () => large(1), { policy: short });
    await settled();
    for (let step = 0; step < 9; step += 1) await instances.clock.advance(100);
    compressor.letGo();
    expect(await loaded).toMatchObject({ value: large(1), stored: true });
  });

  test('is compressed and inflated at once when nobody aside has done it within a second', async () => {
    const compressor = new HeldCompressor();
    const instances = await make(2, undefined, compressor);
    const [a, b] = instances.all;
    compressor.holds = { compress: true, decompress: true };
    const loaded = a!.cache.lookup('k', () => large(1), { policy: exactPolicy({ ttlMs: 10_000 }) });
    await instances.clock.advance(999);
    expect(compressor.runs).toEqual({ compress: 1, decompress: 0, atOnce: 0 });
    await instances.clock.advance(1);
    expect(await loaded).toMatchObject({ value: large(1), stored: true });
    const read = b!.cache.lookup('k', () => large(2), { policy: exactPolicy({ ttlMs: 10_000 }) });
    await instances.clock.advance(1_000);
    expect(await read).toMatchObject({ value: large(1), outcome: 'l2_hit', ageMs: 1_000 });
    expect(compressor.runs).toEqual({ compress: 1, decompress: 1, atOnce: 2 });
    compressor.letGo();
  });

  test('it is as old as it was before it was inflated', async () => {
    const compressor = new HeldCompressor();
    const instances = await make(2, undefined, compressor);
    const [a, b] = instances.all;
    await a!.cache.getOrSet('k', () => large(1), { policy });
    compressor.holds.decompress = true;
    const read = b!.cache.lookup('k', () => large(2), { policy });
    await settled();
    await instances.clock.advance(600);
    compressor.letGo();
    expect(await read).toMatchObject({ value: large(1), outcome: 'l2_hit', ageMs: 600, freshMs: 400 });
    await instances.clock.advance(400);
    expect(await b!.cache.getOrSet('k', () => large(2), { policy })).toBe(large(2));
  });

  test('one whose life ends meanwhile is a miss', async () => {
    const compressor = new HeldCompressor();
    const instances = await make(2, undefined, compressor);
    const [a, b] = instances.all;
    const staleToo = exactPolicy({ ttlMs: 500, staleMs: 500 });
    await a!.cache.getOrSet('k', () => large(1), { policy: staleToo });
    compressor.holds.decompress = true;
    const read = b!.cache.lookup('k', () => large(2), { policy: staleToo });
    await settled();
    await instances.clock.advance(1_000);
    compressor.letGo();
    expect(await read).toMatchObject({ value: large(2), outcome: 'miss', cause: 'expired' });
  });

  test('so is one that somebody else has filled just before the lease was asked for', async () => {
    const compressor = new HeldCompressor();
    const postman = new HoldingPostman();
    const instances = await make(2, postman.deliver, compressor);
    const [a, b] = instances.all;
    postman.hold('b w→');
    const read = b!.cache.lookup('k', () => large(2), { policy });
    await settled();
    await a!.cache.getOrSet('k', () => large(1), { policy });
    compressor.holds.decompress = true;
    postman.release('b w→');
    await settled();
    await instances.clock.advance(1_000);
    expect(compressor.runs.decompress).toBe(1);
    compressor.letGo();
    expect(await read).toMatchObject({ value: large(2), outcome: 'miss' });
  });

  test('set, it is there for others when that has resolved, whatever its size', async () => {
    const [a, b] = (await make(2, undefined, new HeldCompressor())).all;
    await a!.cache.setMany(
      [
        ['k', large(1)],
        ['m', large(2)],
      ],
      { policy },
    );
    expect(await b!.cache.getMany(['k', 'm'], { policy })).toEqual(
      new Map([
        ['k', large(1)],
        ['m', large(2)],
      ]),
    );
  });

  test('a cache that is closed while a value is being compressed for it leaves nothing behind', async () => {
    const compressor = new HeldCompressor();
    const instances = await make(1, undefined, compressor);
    const [a] = instances.all.splice(0);
    compressor.holds.compress = true;
    const loaded = a!.cache.lookup('k', () => large(1), { policy });
    await settled();
    const closed = a!.cache.close();
    compressor.letGo();
    expect(await loaded).toMatchObject({ value: large(1) });
    await closed;
    await settled();
    expect(instances.clock.pending).toBe(0);
  });

  const alone = cachesUnderTest();

  test('what stays in one process is not compressed at all', async () => {
    const compressor = new HeldCompressor();
    const { cache } = alone({ codec: { compressors: [compressor] } });
    expect(await cache.getOrSet('k', () => large(1), { policy })).toBe(large(1));
    await cache.set('m', large(2), { policy });
    expect(compressor.runs).toEqual({ compress: 0, decompress: 0, atOnce: 0 });
    expect(cache.stats().compression).toMatchObject({ bytesIn: 0 });
  });
});
