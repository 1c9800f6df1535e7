import { exactPolicy } from '../../../test/fakes/cache-under-test';
import { settled } from '../../../test/fakes/fake-clock';
import { instancesUnderTest } from '../../../test/fakes/instances-under-test';
import type { TieredCache } from './tiered-cache';

const policy = exactPolicy({ ttlMs: 60_000, tier: 'redis' });
const near = exactPolicy({ ttlMs: 60_000 });
const keys = ['a', 'b', 'c', 'd'];
const wrong = (): never => {
  throw new Error('wrong');
};

/** Replies of one turn are handed on one after the other, and each to all who wait for it. */
describe('when answers come in together', () => {
  const make = instancesUnderTest();
  let cache: TieredCache;

  beforeEach(async () => {
    cache = (await make(1)).all[0]!.cache;
    await cache.setMany(
      keys.map(key => [key, `value of ${key}`]),
      { policy },
    );
  });

  const values = (reads: readonly Promise<unknown>[]): Promise<string[]> =>
    Promise.all(reads.map(read => read.then(String, (error: Error) => error.message)));

  test('a threshold that throws is an error of its own caller, and counted as one', async () => {
    const failing = cache.getOrSet('b', () => 'x', { policy, refreshWithinMs: wrong });
    const joined = cache.getOrSet('b', () => 'x', { policy });
    const others = keys.map(key => cache.getOrSet(key, () => 'x', { policy }));
    expect(await values([failing, joined, ...others])).toEqual([
      'wrong',
      'value of b',
      ...keys.map(key => `value of ${key}`),
    ]);
    expect(cache.stats().totals).toMatchObject({ gets: 6, outcomes: { error: 1, l2_hit: 5 } });
  });

  test('so is one that throws about what is here', async () => {
    await cache.getOrSet('near', () => 'v', { policy: near });
    await cache.getOrSet('near', () => 'x', { policy: near });
    const before = cache.stats().totals;
    await expect(cache.getOrSet('near', () => 'x', { policy: near, refreshWithinMs: wrong })).rejects.toThrow(
      'wrong',
    );
    const { gets, outcomes } = cache.stats().totals;
    expect([gets - before.gets, outcomes.error - before.outcomes.error]).toEqual([1, 1]);
  });

  test('a listener that throws disturbs nobody', async () => {
    cache.events.on('read', wrong);
    expect(await values(keys.map(key => cache.getOrSet(key, () => 'x', { policy })))).toEqual(
      keys.map(key => `value of ${key}`),
    );
    expect(cache.events.listenerErrors).toBe(4);
  });

  test('whoever is asked on the way may use the cache: he is answered, and so are all others', async () => {
    const asked: Promise<unknown>[] = [];
    const refreshWithinMs = (): number => {
      asked.push(
        cache.getOrSet('b', () => 'x', { policy }),
        cache.invalidateKeys(['c']),
        cache.get('new'),
      );
      return 0;
    };
    const stop = cache.events.on('read', ({ key }) => {
      if (key === 'd') asked.push(cache.getOrSet('e', () => 'loaded', { policy }));
    });
    const reads = keys.map(key => cache.getOrSet(key, () => 'x', { policy, refreshWithinMs }));
    expect(await values(reads)).toEqual(keys.map(key => `value of ${key}`));
    stop();
    await settled();
    expect(await Promise.all(asked)).toEqual(
      expect.arrayContaining(['value of b', { applied: true, queued: false }, undefined, 'loaded']),
    );
    expect(await cache.getOrSet('c', () => 'loaded anew', { policy })).toBe('loaded anew');
  });
});
