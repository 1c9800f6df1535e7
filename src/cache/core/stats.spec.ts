import type { Outcome } from './outcomes';
import { CacheStats, emptyCounters, rates } from './stats';

const countersOf = (counts: Partial<Record<Outcome, number>>): ReturnType<typeof emptyCounters> => {
  const counters = emptyCounters();
  Object.assign(counters.outcomes, counts);
  counters.gets = Object.values(counters.outcomes).reduce((sum, count) => sum + count, 0);
  return counters;
};

describe('rates', () => {
  test('count fresh answers from the cache alone as hits; stale and coalesced ones stand beside them', () => {
    const counters = countersOf({
      l1_hit: 50,
      l2_hit: 20,
      negative_hit: 10,
      stale_hit: 5,
      coalesced: 5,
      miss: 8,
      error: 2,
    });
    expect(rates(counters)).toEqual({
      hits: 80,
      misses: 8,
      hitRate: 0.8,
      userVisibleHitRate: 0.9,
      rating: 'good',
    });
  });

  test('leave out what went past the cache', () => {
    expect(rates(countersOf({ l1_hit: 90, miss: 10, bypass: 900 }))).toMatchObject({
      hitRate: 0.9,
      rating: 'excellent',
    });
  });

  test.each([
    [86, 14, 'excellent'],
    [85, 15, 'good'],
    [71, 29, 'good'],
    [70, 30, 'poor'],
    [99, 0, 'insufficient_data'],
  ] as const)('%i hits and %i misses are %s', (l1_hit, miss, rating) => {
    expect(rates(countersOf({ l1_hit, miss })).rating).toBe(rating);
  });

  test('of no reads at all are 0, not NaN', () => {
    expect(rates(emptyCounters())).toEqual({
      hits: 0,
      misses: 0,
      hitRate: 0,
      userVisibleHitRate: 0,
      rating: 'insufficient_data',
    });
  });
});

describe('statistics', () => {
  test('a read adds one to its outcome and one to its cause, and the totals are the sum of the policies', () => {
    const stats = new CacheStats();
    stats.read('a', 'l1_hit', undefined);
    stats.read('a', 'miss', 'cold');
    stats.read('b', 'miss', 'expired');
    stats.of('b').loads = 4;
    const { policies, totals } = stats.snapshot();
    expect(policies.a).toMatchObject({
      gets: 2,
      outcomes: { l1_hit: 1, miss: 1 },
      causes: { cold: 1, expired: 0 },
    });
    expect(totals).toMatchObject({
      gets: 3,
      loads: 4,
      outcomes: { l1_hit: 1, miss: 2 },
      causes: { cold: 1, expired: 1 },
    });
  });

  test('what hits saved is told by the mean load of the policy', () => {
    const stats = new CacheStats();
    Object.assign(stats.of('a'), { loads: 4, loadMs: 200 });
    stats.read('a', 'l1_hit', undefined);
    stats.read('a', 'stale_hit', undefined);
    stats.read('a', 'miss', 'cold');
    stats.read('b', 'l1_hit', undefined);
    const { policies, totals } = stats.snapshot();
    expect([policies.a!.loadMsSaved, policies.b!.loadMsSaved, totals.loadMsSaved]).toEqual([100, 0, 100]);
  });

  test('a snapshot does not change afterwards', () => {
    const stats = new CacheStats();
    const before = stats.snapshot();
    stats.read('a', 'miss', 'cold');
    const after = stats.snapshot();
    stats.read('a', 'miss', 'cold');
    expect([before.totals.gets, after.totals.gets, after.policies.a!.outcomes.miss]).toEqual([0, 1, 1]);
  });
});
