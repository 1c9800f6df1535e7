import { cachesUnderTest, exactPolicy, HeldLoader } from '../../../test/fakes/cache-under-test';
import { settled } from '../../../test/fakes/fake-clock';
import { instancesUnderTest } from '../../../test/fakes/instances-under-test';
import { CachePatternError } from './errors';
import type { LoadControl } from './loader';
import type { TieredCache } from './tiered-cache';

const applied = { applied: true, queued: false };

describe('an invalidation', () => {
  const make = cachesUnderTest();

  test('of a key removes that entry and no other', async () => {
    const { cache } = make();
    await cache.setMany([
      ['a', 1],
      ['b', 1],
    ]);
    expect(await cache.invalidateKeys(['a', 'a', 'absent'])).toEqual(applied);
    expect(await cache.lookup('a', () => 2)).toMatchObject({
      value: 2,
      outcome: 'miss',
      cause: 'invalidated',
    });
    expect(await cache.get('b')).toBe(1);
  });

  test('of a tag removes all entries that carry it, by policy, by call, or added by their loader', async () => {
    const { cache } = make();
    const load = ({ addTags }: LoadControl): string => {
      addTags('t');
      return 'late';
    };
    await cache.getOrSet('policy', () => 1, { policy: exactPolicy({ tags: ['t', 'u'] }) });
    await cache.getOrSet('call', () => 1, { tags: ['t'] });
    await cache.getOrSet('loader', load, { dynamicTags: true });
    await cache.set('set', 1, { tags: ['t'] });
    await cache.getOrSet('other', () => 1, { tags: ['u'] });
    expect(await cache.invalidateTags(['t'])).toEqual(applied);
    expect(await cache.getMany(['policy', 'call', 'loader', 'set', 'other'])).toEqual(
      new Map([['other', 1]]),
    );
    expect(await cache.lookup('call', () => 2)).toMatchObject({ cause: 'invalidated' });
  });

  test('is why its key is missed, whatever had become of the entry before', async () => {
    const { cache } = make({ local: { maxEntries: 1 } });
    await cache.set('a', 1);
    await cache.set('b', 1);
    await cache.invalidateKeys(['a']);
    expect(await cache.lookup('a', () => 2)).toMatchObject({ outcome: 'miss', cause: 'invalidated' });
  });

  test('of nothing is nothing', async () => {
    const { cache } = make();
    expect(await cache.invalidate({})).toEqual(applied);
    expect(cache.stats().invalidations).toEqual({ keys: 0, tags: 0, clears: 0, queued: 0 });
  });

  test('of keys and tags together does both', async () => {
    const { cache } = make();
    await cache.set('a', 1);
    await cache.set('b', 1, { tags: ['t'] });
    await cache.invalidate({ keys: ['a'], tags: ['t'] });
    expect(await cache.getMany(['a', 'b'])).toEqual(new Map());
    expect(cache.stats().invalidations).toEqual({ keys: 1, tags: 1, clears: 0, queued: 0 });
  });

  test('a value set after it is there', async () => {
    const { cache } = make();
    await cache.set('k', 'old', { tags: ['t'] });
    await cache.invalidateTags(['t']);
    await cache.set('k', 'new', { tags: ['t'] });
    expect(await cache.get('k')).toBe('new');
  });

  test('clear removes everything', async () => {
    const { cache } = make();
    await cache.setMany([
      ['a', 1],
      ['b', 1],
    ]);
    expect(await cache.clear()).toEqual(applied);
    expect(await cache.getMany(['a', 'b'])).toEqual(new Map());
    expect(cache.status()).toMatchObject({ l1Entries: 0, l1Bytes: 0 });
    expect(await cache.getOrSet('a', () => 2)).toBe(2);
    expect(await cache.get('a')).toBe(2);
  });
});

describe('an invalidation during a load', () => {
  const make = cachesUnderTest();

  const ways: [string, (cache: TieredCache) => Promise<unknown>][] = [
    ['of its key', cache => cache.invalidateKeys(['k'])],
    ['of a tag of the call', cache => cache.invalidateTags(['call'])],
    ['of a tag of the policy', cache => cache.invalidateTags(['policy'])],
    ['by clearing everything', cache => cache.clear()],
    ['by a pattern', cache => cache.clearMatching('k*')],
    ['of several things', cache => cache.invalidate({ keys: ['x', 'k'], tags: ['y'] })],
  ];
  test.each(ways)(
    '%s fences it: who asked before gets the old value, nobody afterwards does',
    async (_way, invalidate) => {
      const { cache } = make();
      const policy = exactPolicy({ ttlMs: 60_000, tags: ['policy'] });
      const options = { policy, tags: ['call'] };
      const loader = new HeldLoader<string>();
      const before = cache.lookup('k', loader.load, options);
      await settled();
      await invalidate(cache);
      const after = cache.lookup('k', loader.load, options);
      await settled();
      expect(loader.runs).toBe(2);
      loader.release('new', 1);
      expect(await after).toMatchObject({ value: 'new', outcome: 'miss', stored: true });
      loader.release('old');
      expect(await before).toMatchObject({ value: 'old', outcome: 'miss', stored: false });
      expect(await cache.get('k', { policy })).toBe('new');
    },
  );

  test('of another key or tag leaves it alone', async () => {
    const { cache } = make();
    const loader = new HeldLoader<string>();
    const loading = cache.lookup('k', loader.load, { tags: ['mine'] });
    await cache.invalidate({ keys: ['kk'], tags: ['other'] });
    loader.release('v');
    expect(await loading).toMatchObject({ stored: true });
    expect(await cache.get('k')).toBe('v');
  });

  test('of a tag that its loader adds only at the end fences it as well', async () => {
    const { cache } = make();
    const gate = new HeldLoader<undefined>();
    const load = async (control: LoadControl): Promise<string> => {
      await gate.load(control);
      control.addTags('late');
      return 'old';
    };
    const loading = cache.lookup('k', load, { dynamicTags: true });
    await settled();
    await cache.invalidateTags(['late']);
    gate.release(undefined);
    expect(await loading).toMatchObject({ value: 'old', stored: false });
    expect(await cache.get('k')).toBeUndefined();
  });

  test('fences a refresh behind a stale answer too', async () => {
    const { cache, clock } = make();
    const policy = exactPolicy({ ttlMs: 1_000, staleMs: 1_000, tags: ['t'] });
    await cache.set('k', 'old', { policy });
    await clock.advance(1_000);
    const loader = new HeldLoader<string>();
    await cache.getOrSet('k', loader.load, { policy });
    await cache.invalidateTags(['t']);
    loader.release('refreshed from before');
    await settled();
    expect(await cache.getOrSet('k', () => 'new', { policy })).toBe('new');
  });

  test('a set is not overwritten by the load that it overtook', async () => {
    const { cache } = make();
    const loader = new HeldLoader<string>();
    const loading = cache.getOrSet('k', loader.load);
    await settled();
    await cache.set('k', 'set');
    expect(await cache.get('k')).toBe('set');
    loader.release('loaded');
    expect(await loading).toBe('loaded');
    expect(await cache.get('k')).toBe('set');
  });
});

describe('clearing by a pattern', () => {
  const make = cachesUnderTest();

  test('removes what matches, and says how much', async () => {
    const { cache } = make();
    for (const key of ['agents:list|a', 'agents:one|1', 'models:list', `agents:${'x'.repeat(300)}`])
      await cache.set(key, 1);
    expect(await cache.clearMatching('agents:*', { dryRun: true })).toEqual({
      scanned: 3,
      matched: 3,
      removed: 0,
      done: true,
    });
    expect(cache.status().l1Entries).toBe(4);
    expect(await cache.clearMatching('agents:*')).toEqual({ scanned: 3, matched: 3, removed: 3, done: true });
    expect(await cache.get('models:list')).toBe(1);
    expect(cache.status().l1Entries).toBe(1);
    expect(cache.stats().invalidations.clears).toBe(1);
  });

  test('counts a load under way as something that matches, and fences it', async () => {
    const { cache } = make();
    const loader = new HeldLoader<string>();
    const loading = cache.lookup('agents:1', loader.load);
    await settled();
    expect(await cache.clearMatching('agents:?')).toMatchObject({ matched: 1, removed: 1 });
    loader.release('old');
    expect(await loading).toMatchObject({ stored: false });
  });

  test('refuses what is no pattern', async () => {
    const { cache } = make();
    await expect(cache.clearMatching('a**')).rejects.toThrow(CachePatternError);
    await expect(cache.clearMatching('[a]')).rejects.toThrow(CachePatternError);
  });
});

describe('a loader that reads other cached keys', () => {
  const make = cachesUnderTest();
  const inner = { tags: ['inner'] };

  test('makes its entry depend on their tags', async () => {
    const { cache } = make();
    const outer = (): Promise<string> =>
      cache.getOrSet(
        'outer',
        async () => `outer of ${await cache.getOrSet('inner', () => 'inner 1', inner)}`,
        { tags: ['outer'] },
      );
    expect(await outer()).toBe('outer of inner 1');
    expect(await cache.get('outer')).toBe('outer of inner 1');
    await cache.invalidateTags(['inner']);
    expect(await cache.get('outer')).toBeUndefined();
  });

  test('at any depth, and for tags that only the inner loader knew', async () => {
    const { cache } = make();
    const innermost = ({ addTags }: LoadControl): number => {
      addTags('deep');
      return 1;
    };
    const load = (): Promise<number> =>
      cache.getOrSet('middle', () => cache.getOrSet('innermost', innermost, { dynamicTags: true }));
    await cache.getOrSet('outer', load);
    expect(await cache.get('outer')).toBe(1);
    await cache.invalidateTags(['deep']);
    expect(await cache.getMany(['outer', 'middle', 'innermost'])).toEqual(new Map());
  });

  test('also when the inner answer came from a load that another caller had begun', async () => {
    const { cache } = make();
    const innerLoader = new HeldLoader<string>();
    const gate = new HeldLoader<undefined>();
    const outer = cache.getOrSet('outer', async control => {
      await gate.load(control);
      return cache.getOrSet('inner', innerLoader.load, inner);
    });
    await settled();
    // It began after the tokens of the outer entry had been captured, so the outer loader may wait for it.
    const first = cache.getOrSet('inner', innerLoader.load, inner);
    gate.release(undefined);
    await settled();
    expect(innerLoader.runs).toBe(1);
    innerLoader.release('v');
    expect(await Promise.all([first, outer])).toEqual(['v', 'v']);
    await cache.invalidateTags(['inner']);
    expect(await cache.get('outer')).toBeUndefined();
  });

  test('shares an inner load that began before it: alone, nothing can have been missed', async () => {
    const { cache } = make();
    const innerLoader = new HeldLoader<string>();
    const before = cache.getOrSet('inner', innerLoader.load, inner);
    await settled();
    const outer = cache.getOrSet('outer', () => cache.getOrSet('inner', innerLoader.load, inner));
    await settled();
    innerLoader.release('v');
    expect([await before, await outer, innerLoader.runs]).toEqual(['v', 'v', 1]);
  });

  test('does not share one that an invalidation has overtaken', async () => {
    const { cache } = make();
    const innerLoader = new HeldLoader<string>();
    const before = cache.getOrSet('inner', innerLoader.load, inner);
    await settled();
    await cache.invalidateTags(['inner']);
    const outer = cache.getOrSet('outer', () => cache.getOrSet('inner', innerLoader.load, inner));
    await settled();
    innerLoader.release('younger', 1);
    expect(await outer).toBe('younger');
    innerLoader.release('older');
    expect(await before).toBe('older');
    expect(await cache.get('inner')).toBe('younger');
  });

  test('does not wait for a load that waits for it, by however many loaders in between', async () => {
    const { cache } = make();
    const gate = new HeldLoader<undefined>();
    const asks = (own: string, next: string): Promise<string> =>
      cache.getOrSet(own, async control => {
        await gate.load(control);
        return `${own}${await cache.getOrSet(next, () => `(${next})`)}`;
      });
    const all = [asks('a', 'b'), asks('b', 'c'), asks('c', 'a')];
    for (const run of [0, 1, 2]) {
      await settled();
      gate.release(undefined, run);
    }
    expect(await Promise.all(all)).toEqual(['abc(a)', 'bc(a)', 'c(a)']);
  });

  test('an inner tag that is invalidated after the inner answer keeps the outer load out of the cache', async () => {
    const { cache } = make();
    const gate = new HeldLoader<undefined>();
    const outer = cache.lookup('outer', async control => {
      const value = await cache.getOrSet('inner', () => 'old', inner);
      await gate.load(control);
      return value;
    });
    await settled();
    await cache.invalidateTags(['inner']);
    gate.release(undefined);
    expect(await outer).toMatchObject({ value: 'old', stored: false });
    expect(await cache.get('outer')).toBeUndefined();
  });

  test('and takes over more tags than an entry may have is answered and not stored', async () => {
    const { cache } = make();
    const load = async (): Promise<string> => {
      for (let index = 0; index < 3; index += 1) {
        const tags = Array.from({ length: 32 }, (_, tag) => `t${index}.${tag}`);
        await cache.getOrSet(`inner${index}`, () => 1, { tags });
      }
      return 'v';
    };
    expect(await cache.lookup('outer', load)).toMatchObject({ value: 'v', stored: false });
    expect(await cache.get('inner0')).toBe(1);
  });
});

describe('an invalidation that is queued', () => {
  const make = instancesUnderTest();

  test('is made once the shared tier is used again, although its connection was never lost', async () => {
    const under = await make(2);
    const [one, other] = under.all;
    for (const { cache } of under.all) await cache.getOrSet('k', () => 'old');
    // An open breaker: nobody connects, so nobody replays.
    const available = jest.spyOn(one!.tier, 'available', 'get').mockReturnValue(false);
    expect(await one!.cache.invalidateKeys(['k'])).toEqual({ applied: false, queued: true });
    await under.clock.advance(1_000);
    expect(one!.cache.status().pendingInvalidations).toBe(1);
    available.mockRestore();
    await under.clock.advance(250);
    expect(one!.cache.status().pendingInvalidations).toBe(0);
    for (const { cache } of [one!, other!]) expect(await cache.getOrSet('k', () => 'new')).toBe('new');
  });
});
