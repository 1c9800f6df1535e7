import type { Asked } from './messages';
import { claimsOf, markdownOf, readsOf, rowsOf, saved, warmReadsOf, type Side } from './report';

const side = (
  byRoute: Record<string, Asked>,
  statements: number,
  more: Partial<Side['played']> = {},
): Side => ({
  byRoute,
  statements,
  half: { byRoute: { 'GET /a': asked(4, 1) }, requests: { 'GET /a': 4 } },
  played: {
    requests: { 'GET /a': 10, 'PATCH /a': 2 },
    failures: {},
    staleness: { olderHere: 0, olderElsewhere: 0, withinBound: 0, longestMs: 0, judged: 4 },
    revoked: { tried: 1, admitted: 0 },
    ...{ lateP99Ms: 1, p50Ms: 2, p99Ms: 3 },
    ...more,
  },
});
const asked = (queries: number, ollama = 0): Asked => ({ queries, ollama });
const without = side({ 'GET /a': asked(20, 4), 'PATCH /a': asked(2), background: asked(1) }, 23);
const withIt = side({ 'GET /a': asked(5, 1), 'PATCH /a': asked(2) }, 7);

describe('the report of origin load', () => {
  it('has a row for each route, reads first, and what no request asked for last', () => {
    const rows = rowsOf(without, withIt);
    expect(rows.map(({ route, queries }) => [route, ...queries])).toEqual([
      ['GET /a', 20, 5],
      ['PATCH /a', 2, 2],
      ['background', 1, 0],
    ]);
    expect(readsOf(rows)).toMatchObject({ requests: 10, queries: [20, 5], ollama: [4, 1] });
  });

  it('has what the second half of the reads asked for, apart from what began cold', () => {
    expect(warmReadsOf(without, withIt)).toMatchObject({ requests: 6, queries: [16, 1], ollama: [3, 0] });
  });

  it.each<[readonly [number, number], number | null]>([
    [[20, 5], 0.75],
    [[4, 5], -0.25],
    [[0, 3], null],
  ])('of %j was saved %j', (pair, share) => {
    expect(saved(pair)).toBe(share);
  });

  it.each<[string, Side, Side, boolean[]]>([
    ['as it should be', without, withIt, [true, true, true, true]],
    ['a statement of nobody', without, { ...withIt, statements: 8 }, [false, true, true, true]],
    [
      'a failed request',
      side(without.byRoute, 23, { failures: { x: 1 } }),
      withIt,
      [true, false, true, true],
    ],
    [
      'an old version',
      without,
      side(withIt.byRoute, 7, { staleness: { ...withIt.played.staleness, olderHere: 1 } }),
      [true, true, false, true],
    ],
    [
      'a revoked key',
      without,
      side(withIt.byRoute, 7, { revoked: { tried: 1, admitted: 1 } }),
      [true, true, true, false],
    ],
  ])('tells what is not reached: %s', (_what, one, other, reached) => {
    expect(claimsOf(one, other).map(claim => claim.reached)).toEqual(reached);
  });

  it('is a table with shares', () => {
    const text = markdownOf(without, withIt, 'So and so.');
    expect(text).toContain('| GET /a | 10 | 20 | 5 | 75.0 % | 4 | 1 | 75.0 % |');
    expect(text).toContain('| background | – | 1 | 0 | 100.0 % | 0 | 0 | – |');
  });
});
