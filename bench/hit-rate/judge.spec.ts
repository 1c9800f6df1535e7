import { judge, type Acknowledged, type Read } from './judge';
import { classes, idealHits, sum, workload, type WorkloadEvent } from './workload';

const read = (instance: number, version: number, startMs: number): Read => ({
  ...{ instance, of: 0, key: 1, version, startMs },
  ...{ durationMs: 0, lateMs: 0, outcome: 'l1_hit' },
});

describe('the judge of served versions', () => {
  const changes: Acknowledged[] = [{ instance: 0, of: 0, key: 1, version: 2, atMs: 100 }];
  const of = (...reads: Read[]): unknown => {
    const { olderHere, olderElsewhere, withinBound, longestMs } = judge(reads, changes, 50);
    return [olderHere, olderElsewhere, withinBound, longestMs];
  };

  it.each<[string, Read, unknown]>([
    ['a read that began before', read(0, 1, 99), [0, 0, 0, 0]],
    ['a new version', read(0, 2, 101), [0, 0, 0, 0]],
    ['an old version where it was changed', read(0, 1, 100), [1, 0, 0, 0]],
    ['an old version elsewhere, within the bound', read(1, 1, 130), [0, 0, 1, 30]],
    ['an old version elsewhere, after it', read(1, 1, 151), [0, 1, 0, 0]],
    ['another record', { ...read(0, 1, 200), key: 2 }, [0, 0, 0, 0]],
  ])('%s', (_what, one, verdict) => {
    expect(of(one)).toEqual(verdict);
  });
});

describe('the ideal', () => {
  const event = (at: number, kind: 'read' | 'write' = 'read'): WorkloadEvent => ({
    ...{ at, kind, of: 0, key: 0, instance: 0 },
  });

  it('loads at the first read after the end of a life, or after a change', () => {
    const ttl = classes[0]!.ttlSeconds;
    const events = [
      event(0),
      event(ttl - 1),
      event(ttl),
      event(ttl + 1),
      event(ttl + 2, 'write'),
      event(ttl + 3),
    ];
    const { hits, reads } = idealHits(events);
    expect([sum(hits), sum(reads)]).toEqual([2, 5]);
  });

  it('of the workload is what renewal theory says: λT/(1+λT) for each key, with changes', () => {
    const seconds = 2_000;
    const { hits, reads } = idealHits(workload(5, seconds, 1));
    for (const [of, each] of classes.entries()) {
      // Keys that begin cold make a difference where a life is as long as the run.
      if (each.ttlSeconds > 100) continue;
      const weights = Array.from({ length: each.keys }, (_, at) => (at + 1) ** -each.alpha);
      const expected = sum(
        weights.map(weight => {
          const share = weight / sum(weights);
          const changes = each.writesPerSecond * (each.writesLikeReads ? share : 1 / each.keys);
          const life = changes === 0 ? each.ttlSeconds : (1 - Math.exp(-changes * each.ttlSeconds)) / changes;
          const perSecond = each.readsPerSecond * share;
          return (share * perSecond * life) / (1 + perSecond * life);
        }),
      );
      expect(Math.abs(hits[of]! / reads[of]! - expected)).toBeLessThan(0.01);
    }
  });

  it('is the same for the same seed, and another for another', () => {
    expect(workload(1, 5, 2)).toEqual(workload(1, 5, 2));
    expect(workload(1, 5, 2)).not.toEqual(workload(2, 5, 2));
  });
});
