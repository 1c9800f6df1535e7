import { cachesUnderTest, exactPolicy, HeldLoader } from '../../../test/fakes/cache-under-test';
import { settled } from '../../../test/fakes/fake-clock';
import { instancesUnderTest } from '../../../test/fakes/instances-under-test';
import type { CacheCounters } from './counters';
import type { TieredCache } from './tiered-cache';

/** Counters as they are, without the fields that are 0. */
function counted(counters: CacheCounters | undefined): Record<string, unknown> {
  const nonZero = (record: object): Record<string, number> =>
    Object.fromEntries(
      Object.entries(record).filter(
        (field): field is [string, number] => typeof field[1] === 'number' && field[1] !== 0,
      ),
    );
  if (!counters) return {};
  return { ...nonZero(counters), outcomes: nonZero(counters.outcomes), causes: nonZero(counters.causes) };
}

const sumsAddUp = ({ gets, outcomes, causes }: CacheCounters): boolean => {
  const sum = (record: Record<string, number>): number =>
    Object.values(record).reduce((total, count) => total + count, 0);
  return sum(outcomes) === gets && sum(causes) === outcomes.miss;
};

const fails = (): Promise<never> => Promise.reject(new Error('down'));

describe('statistics', () => {
  const make = cachesUnderTest();

  test('count every outcome and every cause once, field by field, through a scripted day', async () => {
    const { cache, clock } = make({ local: { maxEntries: 3 } });
    const policy = exactPolicy({ ttlMs: 1_000, staleMs: 1_000, negativeTtlMs: 400 });
    const loader = new HeldLoader<string>();
    const of = (): Record<string, unknown> => counted(cache.stats().policies.exact);
    const read = (key: string, value: unknown = 'v'): Promise<unknown> =>
      cache.getOrSet(key, () => value, { policy });

    await read('a');
    expect(of()).toEqual({ gets: 1, loads: 1, outcomes: { miss: 1 }, causes: { cold: 1 } });
    await read('a');
    await cache.get('a', { policy });
    expect(of()).toMatchObject({ gets: 3, loads: 1, outcomes: { miss: 1, l1_hit: 2 } });

    const coalescing = [1, 2, 3].map(() => cache.getOrSet('b', loader.load, { policy }));
    await clock.advance(40);
    loader.release('b');
    await Promise.all(coalescing);
    expect(of()).toEqual({
      gets: 6,
      loads: 2,
      loadMs: 40,
      loadMsSaved: 80,
      originCallsAvoided: 4,
      outcomes: { miss: 2, l1_hit: 2, coalesced: 2 },
      causes: { cold: 2 },
    });

    await read('n', null);
    await read('n', null);
    await cache.get('absent', { policy });
    expect(of()).toMatchObject({
      gets: 9,
      loads: 3,
      outcomes: { miss: 4, negative_hit: 1 },
      causes: { cold: 4 },
    });

    await expect(cache.getOrSet('e', fails, { policy })).rejects.toThrow('down');
    expect(of()).toMatchObject({
      gets: 10,
      loads: 4,
      loadErrors: 1,
      outcomes: { miss: 4, error: 1 },
      causes: { cold: 4 },
    });

    await clock.advance(1_000);
    await read('a', 'a2');
    await settled();
    await read('a');
    expect(of()).toMatchObject({
      gets: 12,
      loads: 5,
      refreshes: 1,
      outcomes: { miss: 4, l1_hit: 3, coalesced: 2, negative_hit: 1, stale_hit: 1, error: 1 },
    });

    await cache.invalidateKeys(['a']);
    await read('a');
    await read('n', null);
    expect(of()).toMatchObject({
      gets: 14,
      outcomes: { miss: 6 },
      causes: { cold: 4, invalidated: 1, expired: 1 },
    });

    for (let twice = 0; twice < 2; twice += 1) await cache.getOrSet('c', () => undefined, { policy });
    expect(of()).toMatchObject({ gets: 16, outcomes: { miss: 8 }, causes: { cold: 5, rejected: 1 } });

    for (const key of ['x', 'y', 'z']) await read(key);
    await read('a');
    expect(of()).toMatchObject({ gets: 20, outcomes: { miss: 12 }, causes: { cold: 8, evicted_l1: 1 } });

    cache.countBypass('exact');
    await cache.set('s', 1, { policy });
    expect(of()).toEqual({
      gets: 21,
      sets: 1,
      loads: 13,
      loadErrors: 1,
      refreshes: 1,
      loadMs: 40,
      loadMsSaved: (7 * 40) / 13,
      originCallsAvoided: 6,
      staleMs: 40,
      outcomes: { l1_hit: 3, stale_hit: 1, coalesced: 2, negative_hit: 1, miss: 12, bypass: 1, error: 1 },
      causes: { cold: 8, expired: 1, invalidated: 1, evicted_l1: 1, rejected: 1 },
    });
    expect(sumsAddUp(cache.stats().totals)).toBe(true);
    expect(counted(cache.stats().totals)).toEqual(of());
    expect(cache.stats().invalidations).toEqual({ keys: 1, tags: 0, clears: 0, queued: 0 });
    expect(cache.stats()).toMatchObject({
      uptimeMs: 1_040,
      tiers: { l2: { hits: 0, misses: 0, sets: 0, errors: 0 } },
    });
  });

  test('a caller who leaves before the answer is counted once, as an error', async () => {
    const { cache, clock } = make();
    const loader = new HeldLoader<string>();
    const abort = new AbortController();
    const leaving = Promise.allSettled([
      cache.getOrSet('k', loader.load, { deadlineMs: 10 }),
      cache.getOrSet('k', loader.load, { signal: abort.signal }),
      cache.getOrSet('k', loader.load, { signal: AbortSignal.abort() }),
    ]);
    await clock.advance(10);
    abort.abort();
    await leaving;
    loader.release('v');
    await settled();
    expect(await cache.get('k')).toBe('v');
    expect(counted(cache.stats().totals)).toMatchObject({
      gets: 4,
      outcomes: { error: 3, l1_hit: 1 },
      causes: {},
    });
    expect(sumsAddUp(cache.stats().totals)).toBe(true);
  });

  test('callers of a load that fails are counted as errors, the load once', async () => {
    const { cache } = make();
    const loader = new HeldLoader<string>();
    const calls = Promise.allSettled([1, 2, 3].map(() => cache.getOrSet('k', loader.load)));
    loader.fail(new Error('down'));
    await calls;
    expect(counted(cache.stats().totals)).toEqual({
      gets: 3,
      loads: 1,
      loadErrors: 1,
      outcomes: { error: 3 },
      causes: {},
    });
  });

  test('a load that was refused its place has not run', async () => {
    const { cache } = make();
    const policy = exactPolicy({ maxConcurrentLoads: 1 });
    const loader = new HeldLoader<string>();
    const calls = Promise.allSettled(
      [0, 1, 2, 3, 4, 5].map(n => cache.getOrSet(`k${n}`, loader.load, { policy })),
    );
    for (let run = 0; run < 5; run += 1) {
      await settled();
      loader.release('v', run);
    }
    await calls;
    expect(counted(cache.stats().policies.exact)).toEqual({
      gets: 6,
      loads: 5,
      outcomes: { miss: 5, error: 1 },
      causes: { cold: 5 },
    });
  });

  test('time spent waiting for a place is not time spent in loaders', async () => {
    const { cache, clock } = make();
    const policy = exactPolicy({ maxConcurrentLoads: 1, ttlMs: 60_000 });
    const loader = new HeldLoader<string>();
    const calls = ['a', 'b'].map(key => cache.getOrSet(key, loader.load, { policy }));
    await clock.advance(100);
    loader.release('a');
    await clock.advance(10);
    loader.release('b', 1);
    await Promise.all(calls);
    expect(cache.stats().policies.exact).toMatchObject({ loads: 2, loadMs: 110 });
  });

  test('a plain read of an entry past its fresh life misses because that is over', async () => {
    const { cache, clock } = make();
    const policy = exactPolicy({ ttlMs: 1_000, staleMs: 1_000 });
    await cache.set('k', 'v', { policy });
    await clock.advance(1_000);
    await cache.get('k', { policy });
    expect(counted(cache.stats().policies.exact)).toMatchObject({
      outcomes: { miss: 1 },
      causes: { expired: 1 },
    });
  });

  test('the tier counts what was asked of it', async () => {
    const { cache } = make();
    await cache.getOrSet('k', () => 1);
    await cache.getOrSet('k', () => 1);
    await cache.get('absent');
    await expect(cache.get('')).rejects.toThrow();
    expect(cache.stats().tiers.l1).toMatchObject({ hits: 1, misses: 2, sets: 1, evictions: 0, entries: 1 });
  });

  test('policies are counted apart', async () => {
    const { cache } = make();
    await cache.getOrSet('a', () => 1);
    await cache.getOrSet('b', () => 1, { policy: exactPolicy() });
    const { policies, totals } = cache.stats();
    expect([policies.default!.gets, policies.exact!.gets, totals.gets]).toEqual([1, 1, 2]);
  });

  const instances = instancesUnderTest();

  test('several keys at once count as they would one by one, each once, heard or not', async () => {
    const { cache, clock } = make();
    const policy = exactPolicy({ ttlMs: 1_000, staleMs: 1_000, negativeTtlMs: 400 });
    for (const key of ['a', 'b']) await cache.getOrSet(key, () => key, { policy });
    await cache.getOrSet('none', () => null, { policy });
    const asked = ['a', 'none', 'b', 'a', 'cold', 'none', 'cold'];
    const of = (): Record<string, unknown> => counted(cache.stats().policies.exact);
    const before = { gets: 3, loads: 3, outcomes: { miss: 3 }, causes: { cold: 3 } };
    expect(of()).toEqual(before);
    await cache.getMany(asked, { policy });
    const once = { l1_hit: 2, negative_hit: 1, miss: 4 };
    expect(of()).toMatchObject({ gets: 7, loads: 3, outcomes: once, causes: { cold: 4 } });
    const heard: string[] = [];
    const stop = cache.events.on('read', ({ key, outcome }) => heard.push(`${key} ${outcome}`));
    await cache.getMany(asked, { policy });
    stop();
    expect(heard.sort()).toEqual(['a l1_hit', 'b l1_hit', 'cold miss', 'none negative_hit']);
    expect(of()).toMatchObject({ gets: 11, outcomes: { l1_hit: 4, negative_hit: 2, miss: 5 } });
    await clock.advance(1_500);
    await cache.getOrSetMany(['a', 'b'], () => new Map(), { policy });
    expect(of()).toMatchObject({ gets: 13, outcomes: { l1_hit: 4, stale_hit: 2 } });
  });

  test('compression is counted', async () => {
    const { cache } = (await instances(1)).all[0]!;
    await cache.set('k', 'x'.repeat(10_000));
    const { compressions, bytesIn, bytesOut } = cache.stats().compression;
    expect([compressions, bytesIn]).toEqual([1, 10_006]);
    expect(bytesOut).toBeLessThan(1_000);
  });

  test('a read misses the shared tier once, although what another one stores meanwhile cannot be used', async () => {
    const { cache, tier } = (await instances(1)).all[0]!;
    jest
      .spyOn(tier, 'acquire')
      .mockImplementationOnce((_key, _lease, names) =>
        Promise.resolve({ kind: 'entry', bytes: Uint8Array.of(1, 2, 3), tokens: names.map(() => '') }),
      );
    expect(await cache.getOrSet('k', () => 'v')).toBe('v');
    const { corrupt, tiers } = cache.stats();
    expect(corrupt).toEqual({ short: 1 });
    expect(tiers.l2).toMatchObject({ hits: 0, misses: 1, sets: 1 });
  });

  test('what an instance sets on behalf of warming is no set of the shared tier', async () => {
    const { cache } = (await instances(1)).all[0]!;
    await cache.runAs('warm-up', () => cache.set('k', 1));
    expect(cache.stats().tiers.l2.sets).toBe(0);
    expect(await cache.get('k')).toBe(1);
  });
});

describe('reads that are not a user’s', () => {
  const make = cachesUnderTest();

  /** A read whose loader reads another key, which was there or not. */
  const nested = (cache: TieredCache): Promise<number> =>
    cache.getOrSet('outer', () => cache.getOrSet('inner', () => 1, { policy: exactPolicy() }));

  test.each(['warm-up', 'admin'] as const)(
    '%s is not counted, nor is anything that it loads',
    async purpose => {
      const { cache } = make();
      await cache.runAs(purpose, async () => {
        expect(cache.purpose).toBe(purpose);
        await nested(cache);
        await settled();
        await nested(cache);
        await cache.get('absent');
        cache.countBypass('default');
        await expect(cache.getOrSet('e', fails)).rejects.toThrow('down');
      });
      expect(counted(cache.stats().totals)).toEqual({ outcomes: {}, causes: {} });
      expect(cache.stats().tiers.l1).toMatchObject({ hits: 0, misses: 0, sets: 0, entries: 2 });
      expect(cache.purpose).toBe('request');
      // What it has warmed is there for users, and they are counted.
      await nested(cache);
      expect(counted(cache.stats().totals)).toMatchObject({ gets: 1, outcomes: { l1_hit: 1 } });
    },
  );

  test('a user who waits for a load of the warm-up is counted, the warm-up is not', async () => {
    const { cache } = make();
    const loader = new HeldLoader<string>();
    const warming = cache.runAs('warm-up', () => cache.getOrSet('k', loader.load));
    const user = cache.getOrSet('k', loader.load);
    loader.release('v');
    await Promise.all([warming, user]);
    expect(counted(cache.stats().totals)).toMatchObject({ gets: 1, outcomes: { coalesced: 1 }, causes: {} });
  });

  test('a refresh is counted as a refresh; what its loader reads is no user’s read', async () => {
    const { cache, clock } = make();
    const policy = exactPolicy({ ttlMs: 1_000, staleMs: 1_000 });
    await cache.set('k', 'old', { policy });
    await clock.advance(1_000);
    await cache.getOrSet('k', () => cache.getOrSet('inner', () => 'new'), { policy });
    await settled();
    expect(counted(cache.stats().policies.exact)).toMatchObject({
      gets: 1,
      loads: 1,
      refreshes: 1,
      outcomes: { stale_hit: 1 },
    });
    expect(cache.stats().totals.gets).toBe(1);
  });

  test.each(['warm-up', 'admin'] as const)(
    'a refresh that %s begins is not counted, nor is anything that it loads',
    async purpose => {
      const { cache, clock } = make();
      const policy = exactPolicy({ ttlMs: 1_000, staleMs: 1_000 });
      const read = (): Promise<string> =>
        cache.getOrSet('k', () => cache.getOrSet(`inner of ${cache.purpose}`, () => cache.purpose), {
          policy,
        });
      await cache.runAs(purpose, read);
      await clock.advance(1_000);
      expect(await cache.runAs(purpose, read)).toBe(purpose);
      await settled();
      expect(await cache.get('k', { policy })).toBe('refresh');
      const { totals, tiers } = cache.stats();
      expect(counted(totals)).toEqual({
        ...{ gets: 1, originCallsAvoided: 1, outcomes: { l1_hit: 1 }, causes: {} },
      });
      expect(tiers.l1).toMatchObject({ hits: 1, misses: 0, sets: 0 });
    },
  );

  test.each(['warm-up', 'admin'] as const)('what %s sets is not counted', async purpose => {
    const { cache } = make();
    await cache.runAs(purpose, () => cache.set('k', 1));
    expect(cache.stats().totals.sets).toBe(0);
    expect(await cache.get('k')).toBe(1);
  });

  test('runs in a loader stay part of its load', async () => {
    const { cache } = make();
    await cache.getOrSet('outer', () =>
      cache.runAs('admin', () => cache.getOrSet('inner', () => 1, { tags: ['inner'] })),
    );
    await cache.invalidateTags(['inner']);
    expect(await cache.get('outer')).toBeUndefined();
  });
});
