import type { Read } from './judge';
import type { ReadOutcome } from './messages';
import { claimsOf, markdownOf, whyInvalid, type Result } from './report';
import { classes } from './workload';

describe('the report of the hit rate', () => {
  const read = (outcome: ReadOutcome, lateMs: number, durationMs = 1): Read => ({
    ...{ instance: 0, of: 0, key: 1, version: 1, startMs: 0 },
    ...{ durationMs, lateMs, outcome },
  });
  const result = (reads: readonly Read[]): Result => ({
    preset: 'demand',
    reads,
    changes: [],
    staleness: { olderHere: 0, olderElsewhere: 0, withinBound: 0, longestMs: 0, judged: 0 },
    loads: classes.map(() => 1),
    ideal: { hits: classes.map(() => 50), reads: classes.map(() => 100) },
  });
  const many = (count: number, one: Read): Read[] => Array.from({ length: count }, () => one);

  it('says that it says little when reads began late, as on a busy machine', () => {
    const onTime = result([...many(995, read('l1_hit', 2)), ...many(5, read('l1_hit', 900))]);
    expect(whyInvalid([onTime])).toBeUndefined();
    const late = result([...many(980, read('l1_hit', 2)), ...many(20, read('l1_hit', 51))]);
    expect(whyInvalid([onTime, late])).toMatch(/too busy: .* of demand began more than 50 ms late/);
    expect(markdownOf([late], 'here', 'chart.svg')).toContain('What follows says little.');
  });

  it('counts a read that failed as neither hit nor useful, and as a claim that is not reached', () => {
    const claims = claimsOf([result([...many(99, read('l1_hit', 0)), read('error', 0)])]);
    expect(claims).toContainEqual({ claim: 'reads that failed: none', value: '1', reached: false });
  });

  it('times hits by their share under 5 ms', () => {
    const of = (slow: number): boolean =>
      claimsOf([
        result([...many(1_000 - slow, read('l1_hit', 0)), ...many(slow, read('l2_hit', 0, 5))]),
      ]).find(({ claim }) => claim === 'demand: 99 % of the hits under 5 ms')!.reached;
    expect([of(10), of(11)]).toEqual([true, false]);
  });
});
