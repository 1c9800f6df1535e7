import fc from 'fast-check';
import type { Outcome } from './outcomes';
import { FakeClock } from '../../../test/fakes/fake-clock';
import { emptyCounters } from './counters';
import { CacheStats, maxPoliciesCounted, otherPolicies, rates } from './stats';
import { statsWindows, type StatsWindow } from './windows';

const nothingCompressed = { compressions: 0, bytesIn: 0, bytesOut: 0 };
const statsOn = (clock = new FakeClock()): CacheStats => new CacheStats(clock, nothingCompressed);

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
    const stats = statsOn();
    stats.read('a', 'l1_hit', undefined);
    stats.read('a', 'miss', 'cold');
    stats.read('b', 'miss', 'expired');
    stats.add('b', 'loads', 4);
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
    const stats = statsOn();
    stats.add('a', 'loads', 4);
    stats.add('a', 'loadMs', 200);
    stats.read('a', 'l1_hit', undefined);
    stats.read('a', 'stale_hit', undefined);
    stats.read('a', 'miss', 'cold');
    stats.read('b', 'l1_hit', undefined);
    const { policies, totals } = stats.snapshot();
    expect([policies.a!.loadMsSaved, policies.b!.loadMsSaved, totals.loadMsSaved]).toEqual([100, 0, 100]);
  });

  test('a snapshot does not change afterwards', () => {
    const stats = statsOn();
    const before = stats.snapshot();
    stats.read('a', 'miss', 'cold');
    const after = stats.snapshot();
    stats.read('a', 'miss', 'cold');
    expect([before.totals.gets, after.totals.gets, after.policies.a!.outcomes.miss]).toEqual([0, 1, 1]);
  });

  test('of more policies than are counted apart the rest is counted together', () => {
    const stats = statsOn();
    for (let at = 0; at < maxPoliciesCounted + 1_000; at += 1) stats.read(`p${at}`, 'miss', 'cold');
    const { policies, totals } = stats.snapshot();
    expect(Object.keys(policies)).toHaveLength(maxPoliciesCounted + 1);
    expect([policies[otherPolicies]!.gets, totals.gets]).toEqual([1_000, maxPoliciesCounted + 1_000]);
  });
});

describe('windows', () => {
  /** Gets in each window, and how much time each covers, in seconds. */
  const seen = (stats: CacheStats): Record<string, readonly number[]> =>
    Object.fromEntries(
      statsWindows.map(window => {
        const { totals, windowMs } = stats.snapshot(window);
        return [window, [totals.gets, windowMs / 1_000]];
      }),
    );

  test('tell what was counted within them, and how much time they cover: whole buckets', async () => {
    const clock = new FakeClock();
    const stats = statsOn(clock);
    stats.read('a', 'miss', 'cold');
    expect(seen(stats)).toEqual({ '1m': [1, 0], '5m': [1, 0], '1h': [1, 0], all: [1, 0] });
    await clock.advance(62_000);
    stats.read('a', 'miss', 'cold');
    stats.hit('a', 'l1_hit', clock.nowMs());
    expect(seen(stats)).toEqual({ '1m': [3, 62], '5m': [3, 62], '1h': [3, 62], all: [3, 62] });
    await clock.advance(4_000);
    expect(seen(stats)).toEqual({ '1m': [2, 61], '5m': [3, 66], '1h': [3, 66], all: [3, 66] });
    await clock.advance(300_000);
    stats.read('b', 'l2_hit', undefined);
    expect(seen(stats)).toEqual({ '1m': [1, 61], '5m': [1, 301], '1h': [4, 366], all: [4, 366] });
    await clock.advance(3_600_000);
    expect(seen(stats)).toEqual({ '1m': [0, 61], '5m': [0, 301], '1h': [1, 3_606], all: [4, 3_966] });
  });

  test('agree with a list of everything that was counted, through hours of bursts and pauses', async () => {
    const clock = new FakeClock();
    const startedAtMs = clock.nowMs();
    const stats = statsOn(clock);
    const times: number[] = [];
    // Pauses from nothing to half an hour, with no pattern that a bucket could fit.
    for (let step = 1; step <= 4_000; step += 1) {
      await clock.advance(step % 500 === 0 ? 1_800_000 : (step * 7_919) % 9_001);
      stats.read('a', 'miss', 'cold');
      times.push(clock.nowMs());
      if (step % 97 !== 0) continue;
      for (const window of statsWindows) {
        const { totals, windowMs } = stats.snapshot(window);
        const sinceMs = clock.nowMs() - windowMs;
        const within = times.filter(atMs => atMs >= sinceMs || sinceMs === startedAtMs).length;
        expect([window, step, totals.gets, totals.causes.cold]).toEqual([window, step, within, within]);
      }
    }
  });

  test('agree with a list of everything, whatever hits and other reads under whatever policies come in whatever order', async () => {
    const policy = fc.constantFrom('a', 'b', 'c');
    const step = fc.oneof(
      fc.record({ kind: fc.constant('hit' as const), policy, times: fc.integer({ min: 1, max: 9 }) }),
      fc.record({
        kind: fc.constantFrom('stale_hit', 'negative_hit', 'l2_hit', 'miss', 'coalesced'),
        policy,
      }),
      fc.record({ kind: fc.constant('load' as const), policy }),
      fc.record({ kind: fc.constant('pause' as const), ms: fc.integer({ min: 1, max: 700_000 }) }),
      fc.record({ kind: fc.constant('look' as const), window: fc.constantFrom(...statsWindows) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 200 }), async steps => {
        const clock = new FakeClock();
        const startedAtMs = clock.nowMs();
        const stats = statsOn(clock);
        const all: { atMs: number; policy: string; fields: string[] }[] = [];
        const listed = (of: string, fields: string[]): void =>
          void all.push({ atMs: clock.nowMs(), policy: of, fields });
        const compare = (window: StatsWindow): void => {
          const { policies, totals, windowMs } = stats.snapshot(window);
          const sinceMs = clock.nowMs() - windowMs;
          const within = all.filter(({ atMs }) => atMs >= sinceMs || sinceMs === startedAtMs);
          for (const [name, counters] of [...Object.entries(policies), ['', totals] as const]) {
            const own = within.filter(each => name === '' || each.policy === name);
            const count = (field: string): number => own.filter(each => each.fields.includes(field)).length;
            const { gets, loads, outcomes, causes, l1 } = counters;
            expect({ gets, loads, l1Hits: l1.hits, cold: causes.cold, ...outcomes }).toEqual({
              ...Object.fromEntries(Object.keys(outcomes).map(outcome => [outcome, count(outcome)])),
              ...{ gets: count('gets'), loads: count('loads'), l1Hits: count('l1Hits'), cold: count('cold') },
            });
          }
        };
        for (const each of steps) {
          if (each.kind === 'pause') await clock.advance(each.ms);
          else if (each.kind === 'look') compare(each.window);
          else if (each.kind === 'load') {
            stats.add(each.policy, 'loads');
            listed(each.policy, ['loads']);
          } else if (each.kind === 'hit') {
            for (let time = 0; time < each.times; time += 1) {
              stats.hit(each.policy, 'l1_hit', clock.coarseMs());
              listed(each.policy, ['gets', 'l1Hits', 'l1_hit']);
            }
          } else if (each.kind === 'stale_hit' || each.kind === 'negative_hit') {
            stats.hit(each.policy, each.kind, clock.coarseMs());
            listed(each.policy, ['gets', 'l1Hits', each.kind]);
          } else {
            const cause = each.kind === 'miss' ? 'cold' : undefined;
            stats.read(each.policy, each.kind, cause);
            listed(each.policy, ['gets', each.kind, ...(cause ? [cause] : [])]);
          }
        }
        statsWindows.forEach(compare);
      }),
    );
  });

  test('hold what belongs to no policy as well, and what the codec counts', async () => {
    const clock = new FakeClock();
    const compression = { ...nothingCompressed };
    const stats = new CacheStats(clock, compression);
    stats.count('evictions', 3);
    Object.assign(compression, { compressions: 1, bytesIn: 2_000, bytesOut: 500 });
    await clock.advance(66_000);
    stats.count('checksum');
    Object.assign(compression, { compressions: 3, bytesIn: 9_000, bytesOut: 2_500 });
    expect(stats.snapshot('1m')).toMatchObject({
      evictions: 0,
      corrupt: { checksum: 1 },
      compression: { compressions: 2, bytesIn: 7_000, bytesOut: 2_000 },
    });
    expect(stats.snapshot('all')).toMatchObject({
      evictions: 3,
      compression: { compressions: 3, bytesIn: 9_000, bytesOut: 2_500 },
    });
  });

  test('stale answers are told by how far past their fresh life they were', () => {
    const stats = statsOn();
    for (const pastMs of [0, 1_000, 1_001, 10_000, 60_000, 60_001, 600_000, 600_001])
      stats.stale('a', pastMs);
    expect(stats.snapshot().totals).toMatchObject({
      staleMs: 1_332_003,
      staleAges: { up_to_1s: 2, up_to_10s: 2, up_to_1m: 1, up_to_10m: 2, over_10m: 1 },
    });
  });
});
