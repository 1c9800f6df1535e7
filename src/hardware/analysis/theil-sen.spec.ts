import fc from 'fast-check';
import { Random } from '../../../test/history/random';
import { median, quantileOfSorted } from './statistics';
import { maxPoints, minPoints, theilSen, type Point } from './theil-sen';

const line = (count: number, of: (x: number) => number): Point[] =>
  Array.from({ length: count }, (_, x) => ({ x, y: of(x) }));

describe('quantiles', () => {
  it.each([
    [[1, 2, 3, 4, 5], 0.25, 2],
    [[1, 2, 3, 4], 0.5, 2.5],
    [[10, 20, 30, 40, 50, 60, 70, 80, 90, 100], 0.95, 95.5],
    [[7], 0.99, 7],
    [[1, 2], 0, 1],
    [[1, 2], 1, 2],
  ])('of %j at %d are those of percentile_cont: %d', (sorted, share, expected) => {
    expect(quantileOfSorted(sorted, share)).toBeCloseTo(expected, 10);
  });

  it('of nothing are no number', () => {
    expect(median([])).toBeNaN();
  });

  it('put the numbers in order as numbers', () => {
    expect(median([10, 9, 100])).toBe(10);
  });
});

describe('the line through points', () => {
  it('is exactly the line that they lie on, with an interval without width', () => {
    expect(theilSen(line(20, x => 3 * x - 7))).toEqual({ slope: 3, intercept: -7, low: 3, high: 3 });
  });

  it('is flat through equal values', () => {
    expect(theilSen(line(20, () => 5))).toEqual({ slope: 0, intercept: 5, low: 0, high: 0 });
  });

  it('does not move when a fifth of the points are wild, where least squares would', () => {
    const points = line(50, x => 2 * x + 1).map((point, at) => (at % 5 === 2 ? { ...point, y: 1e6 } : point));
    const trend = theilSen(points)!;
    expect(trend.slope).toBeCloseTo(2, 6);
    expect(trend.intercept).toBeCloseTo(1, 6);
  });

  it('is the one that scipy.stats.theilslopes(y, method="joint") of SciPy 1.17 gives, one rank further out at each end', () => {
    const ys = [61.2, 60.8, 62.9, 61.7, 64.4, 63.0, 75.1, 64.9, 66.2, 65.0, 67.3, 66.1];
    const trend = theilSen(ys.map((y, x) => ({ x, y })))!;
    expect(trend.slope).toBeCloseTo(0.55, 10);
    expect(trend.intercept).toBeCloseTo(61.125, 10);
    expect(trend.low).toBeGreaterThan(0.2);
    expect(trend.low).toBeLessThanOrEqual(0.3 + 1e-9);
    expect(trend.high).toBeGreaterThanOrEqual(0.8 - 1e-9);
    expect(trend.high).toBeLessThan(0.9);
  });

  it('has the slopes of the ranks that Sen gives for its interval', () => {
    // n = 10, values without ties: C = 1.96 · √(10·9·25/18) = 21.9 of N = 45 slopes; ends are the 11.5th, so the 11th, and the
    // 34.5th, so the 35th.
    const points = line(10, x => x * x);
    const slopes = points.flatMap((a, i) => points.slice(i + 1).map(b => (b.y - a.y) / (b.x - a.x)));
    slopes.sort((a, b) => a - b);
    expect(theilSen(points)).toMatchObject({ slope: slopes[22], low: slopes[10], high: slopes[34] });
  });

  it('holds the true slope in its interval about as often as it says', () => {
    const random = new Random(20_260_101);
    const runs = 400;
    let held = 0;
    for (let run = 0; run < runs; run += 1) {
      const { low, high } = theilSen(
        line(40, x => 0.5 * x + 20 * (random.next() + random.next() + random.next())),
      )!;
      if (low <= 0.5 && 0.5 <= high) held += 1;
    }
    expect(held / runs).toBeGreaterThan(0.92);
    expect(held / runs).toBeLessThan(0.99);
  });

  it('tells a trend from noise alone hardly ever, and a clear one always', () => {
    const random = new Random(7);
    const isTold = (slope: number): boolean => {
      const { low, high } = theilSen(line(60, x => slope * x + 10 * random.next()))!;
      return low > 0 || high < 0;
    };
    const count = (slope: number): number => Array.from({ length: 200 }, () => isTold(slope)).filter(Boolean).length; // prettier-ignore
    expect(count(0)).toBeLessThan(200 * 0.1);
    expect(count(0.5)).toBe(200);
  });

  it('turns with its points: scaled and shifted values have a scaled and shifted line', () => {
    const values = fc.array(fc.integer({ min: -1_000, max: 1_000 }), { minLength: minPoints, maxLength: 30 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 9 }), fc.integer({ min: -50, max: 50 }), (ys, a, b) => {
        const one = theilSen(ys.map((y, x) => ({ x, y })))!;
        const other = theilSen(ys.map((y, x) => ({ x, y: a * y + b })))!;
        expect(other.slope).toBeCloseTo(a * one.slope, 6);
        expect(other.intercept).toBeCloseTo(a * one.intercept + b, 6);
        expect(other.low).toBeCloseTo(a * one.low, 6);
        expect(other.high).toBeCloseTo(a * one.high, 6);
        expect(one.low).toBeLessThanOrEqual(one.slope);
        expect(one.high).toBeGreaterThanOrEqual(one.slope);
      }),
    );
  });

  it('is not drawn through fewer than eight points, nor through points of one time', () => {
    expect(theilSen(line(minPoints - 1, x => x))).toBeUndefined();
    expect(theilSen(Array.from({ length: 10 }, (_, y) => ({ x: 1, y })))).toBeUndefined();
  });

  it('refuses more points than it can take in a few milliseconds', () => {
    expect(() => theilSen(line(maxPoints + 1, x => x))).toThrow(RangeError);
  });
});
