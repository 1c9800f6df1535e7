import fc from 'fast-check';
import { FakeClock } from '../../../test/fakes/fake-clock';
import { NodeHash } from '../node/node-hash';
import { cachesUnderTest, type CacheUnderTest } from '../../../test/fakes/cache-under-test';
import { definePolicy, type PolicyOptions } from './policy';
import { lifeFactors, ReadProfile, type KeyProfile } from './read-profile';

/** A generator of numbers from 0 to 1 with a fixed seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    let t = (state += 0x6d2b79f5);
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describe('a sample of what is read', () => {
  const under = cachesUnderTest();

  /** Reads of 200 keys, some often and most rarely, for half an hour of the fake clock. */
  async function workload(
    test: CacheUnderTest,
    options: PolicyOptions,
  ): Promise<{ hit: number; stale: number }> {
    const policy = definePolicy('p', { jitter: 0, ...options });
    const random = seeded(7);
    let reads = 0;
    const before = test.cache.stats().policies['p'];
    for (let step = 0; step < 6_000; step += 1) {
      await test.clock.advance(300);
      const key = `k${Math.floor(200 * random() ** 3)}`;
      await test.cache.getOrSet(key, () => key, { policy });
      reads += 1;
    }
    const { outcomes } = test.cache.stats().policies['p']!;
    const hits = outcomes.l1_hit - (before?.outcomes.l1_hit ?? 0);
    return { hit: hits / reads, stale: (outcomes.stale_hit - (before?.outcomes.stale_hit ?? 0)) / reads };
  }

  const shareBy = (keys: readonly KeyProfile[], of: 'hitsByLife' | 'staleByLife', factor: number): number => {
    const at = lifeFactors.indexOf(factor);
    const reads = keys.reduce(
      (sum, { outcomes }) => sum + Object.values(outcomes).reduce((a, b) => a + b, 0),
      0,
    );
    return keys.reduce((sum, key) => sum + key[of][at]!, 0) / reads;
  };

  it.each<[string, PolicyOptions]>([
    ['a plain life', { refreshAheadFraction: 0 }],
    ['refreshes ahead of time', { refreshAheadFraction: 0.8 }],
    ['a stale window', { refreshAheadFraction: 0, staleMs: 60_000 }],
  ])('tells what a longer or shorter life would do, which then it does: with %s', async (_title, options) => {
    const ttlMs = 20_000;
    const first = under();
    const now = await workload(first, { ttlMs, ...options });
    const { keys, rate } = first.cache.profile();
    expect(rate).toBe(1);
    expect(shareBy(keys, 'hitsByLife', 1)).toBeCloseTo(now.hit, 2);
    expect(shareBy(keys, 'staleByLife', 1)).toBeCloseTo(now.stale, 2);
    for (const factor of [1 / 4, 4]) {
      const then = await workload(under(), { ttlMs: ttlMs * factor, ...options });
      expect(Math.abs(shareBy(keys, 'hitsByLife', factor) - then.hit)).toBeLessThan(0.02);
      expect(Math.abs(shareBy(keys, 'staleByLife', factor) - then.stale)).toBeLessThan(0.02);
    }
  });

  it('plays each read through with each life, although of most it only counts that they are hits with all', async () => {
    const step = fc.record({
      pauseMs: fc.integer({ min: 260, max: 30_000 }),
      // Loaded just now, by this instance or another one; or what was there before.
      again: fc.boolean(),
      kind: fc.constantFrom('hit', 'hit', 'hit', 'absent', 'invalidated'),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 60 }),
        fc.constantFrom(0, 0.8),
        fc.constantFrom(0, 5_000),
        async (steps, refreshAheadFraction, staleMs) => {
          const clock = new FakeClock();
          const profile = new ReadProfile(clock, new NodeHash());
          const policy = definePolicy('p', { ttlMs: 40_000, jitter: 0, refreshAheadFraction, staleMs });
          const lives = lifeFactors.map(factor => ({
            lifeMs: 40_000 * factor,
            loadedAtMs: -Infinity,
            hits: 0,
            stale: 0,
          }));
          let bornAtMs: number | undefined;
          for (const { pauseMs, again, kind } of steps) {
            await clock.advance(pauseMs);
            const nowMs = clock.nowMs();
            if (again) bornAtMs = nowMs - 1;
            const born = kind === 'hit' ? bornAtMs : undefined;
            const invalidated = kind === 'invalidated';
            for (const life of lives) {
              const { lifeMs } = life;
              if (born !== undefined && born - life.loadedAtMs >= lifeMs) life.loadedAtMs = born;
              const ageMs = nowMs - life.loadedAtMs;
              if (!invalidated && ageMs < lifeMs) life.hits += 1;
              else if (!invalidated && ageMs < lifeMs + staleMs) life.stale += 1;
              const refreshes = refreshAheadFraction > 0 && ageMs >= lifeMs * refreshAheadFraction;
              if (invalidated || ageMs >= lifeMs || refreshes) life.loadedAtMs = nowMs;
            }
            if (kind === 'hit') profile.read('k', policy, 'l2_hit', undefined, born);
            else profile.read('k', policy, 'miss', invalidated ? 'invalidated' : 'cold', undefined);
          }
          const [told] = profile.snapshot().keys;
          expect(told!.hitsByLife).toEqual(lives.map(({ hits }) => hits));
          expect(told!.staleByLife).toEqual(lives.map(({ stale }) => stale));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('tells what an L1 of another size would answer, which then it does', async () => {
    const options = { ttlMs: 86_400_000, refreshAheadFraction: 0 };
    const whole = under({ local: { maxEntries: 1_000, eviction: 'lru' } });
    await workload(whole, options);
    for (const maxEntries of [20, 50, 100]) {
      const small = under({ local: { maxEntries, eviction: 'lru' } });
      const { hit } = await workload(small, options);
      expect(Math.abs(whole.cache.profile().hitShareOfSize(maxEntries)! - hit)).toBeLessThan(0.02);
    }
    expect(whole.cache.profile().hitShareOfSize(0)).toBe(0);
    expect(under().cache.profile().hitShareOfSize(10)).toBeUndefined();
  });

  it('knows which reloads brought the same again, and does not count those after an invalidation', async () => {
    const { cache, clock } = under();
    const policy = definePolicy('p', { ttlMs: 1_000, jitter: 0, refreshAheadFraction: 0 });
    let value = 1;
    const read = (): Promise<number> => cache.getOrSet('k', () => value, { policy });
    await read();
    for (const next of [1, 1, 2]) {
      value = next;
      await clock.advance(1_000);
      await read();
    }
    await cache.invalidateKeys(['k']);
    await read();
    const [key] = cache.profile().keys;
    expect([key!.reloads, key!.unchanged]).toEqual([3, 2]);
    expect(key!.causes).toMatchObject({ cold: 1, expired: 3, invalidated: 1 });
  });

  it('counts hits in quick succession, although it does not look at each', async () => {
    const { cache } = under();
    const policy = definePolicy('p', { ttlMs: 1_000 });
    for (let count = 0; count < 1_000; count += 1) await cache.getOrSet('k', () => 1, { policy });
    const { keys, hitShareOfSize } = cache.profile();
    expect(keys[0]!.outcomes).toMatchObject({ miss: 1, l1_hit: 999 });
    expect(keys[0]!.hitsByLife).toEqual(lifeFactors.map(() => 999));
    expect(hitShareOfSize(1)).toBeCloseTo(0.999, 3);
  });

  it('compares what is loaded again as a whole, however large it is', async () => {
    const { cache, clock } = under();
    const policy = definePolicy('p', { ttlMs: 1_000, staleMs: 0, jitter: 0 });
    const large = 'x'.repeat(1_000_000);
    for (const value of [large, large, `${large}!`, `${large}?`]) {
      await cache.getOrSet('k', () => value, { policy });
      await clock.advance(1_000);
    }
    expect(cache.profile().keys[0]).toMatchObject({ reloads: 3, unchanged: 1 });
  });

  it('keeps to its size however many keys there are, and forgets what is not read any more', async () => {
    const { cache, clock } = under();
    for (let at = 0; at < 10_000; at += 1) await cache.getOrSet(`k${at}`, () => 1);
    const { keys, rate } = cache.profile();
    expect(keys.length).toBeLessThanOrEqual(2_048);
    expect(keys.length / rate / 10_000).toBeGreaterThan(0.85);
    expect(keys.length / rate / 10_000).toBeLessThan(1.15);
    await clock.advance(2 * 3_600_000);
    expect(cache.profile().keys).toEqual([]);
  });

  it('is not told of reads of warming, nor of what went past the cache', async () => {
    const { cache } = under();
    await cache.runAs('warm-up', () => cache.getOrSet('k', () => 1));
    cache.countBypass('api');
    const { keys } = cache.profile();
    expect(keys.flatMap(({ outcomes }) => Object.values(outcomes)).reduce((a, b) => a + b, 0)).toBe(0);
  });
});
