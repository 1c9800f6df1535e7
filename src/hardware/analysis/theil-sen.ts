import { median, medianOfSorted } from './statistics';

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A straight line through points, and how sure its slope is. */
export interface Trend {
  /** Change of y for each unit of x. */
  readonly slope: number;
  /** Value at x = 0. */
  readonly intercept: number;
  /** The slope is from `low` to `high` with the confidence of `confidence`. */
  readonly low: number;
  readonly high: number;
}

/** Share of intervals made like this that hold the true slope. */
export const confidence = 0.95;
/** Quantile of the normal distribution for a two-sided interval of that confidence. */
const z = 1.959964;
/** Fewer points leave an interval without ends. */
export const minPoints = 8;
/** The work grows with the square of the points: 240 of them are 28,680 slopes, a few milliseconds. */
export const maxPoints = 240;

/**
 * The Theil–Sen estimator: the median of the slopes between all pairs of points (Theil 1950; Sen, "Estimates of the
 * regression coefficient based on Kendall's tau", JASA 63, 1968). Up to 29 % of the points may be wild without moving it far,
 * which least squares does not survive. The interval is Sen's: with N slopes in order and
 * C = z · √(n(n−1)(2n+5)/18, less t(t−1)(2t+5)/18 for each t equal values), its ends are the (N−C)/2-th and the
 * ((N+C)/2 + 1)-th slope, rounded outwards. It takes the points for independent; those of a history are less than that, so
 * that the true interval is somewhat wider.
 *
 * Undefined with fewer than 8 points. @throws RangeError for more than 240
 */
export function theilSen(points: readonly Point[]): Trend | undefined {
  const count = points.length;
  if (count > maxPoints) throw new RangeError(`theilSen takes ${maxPoints} points at most, not ${count}`);
  if (count < minPoints) return undefined;
  const slopes = slopesOf(points);
  if (slopes.length === 0) return undefined;
  const slope = medianOfSorted(slopes);
  const spread = z * Math.sqrt(varianceOfS(points));
  const low = Math.max(0, Math.floor((slopes.length - spread) / 2) - 1);
  const high = Math.min(slopes.length - 1, Math.ceil((slopes.length + spread) / 2));
  return {
    slope,
    intercept: median(points.map(({ x, y }) => y - slope * x)),
    low: slopes[low]!,
    high: slopes[high]!,
  };
}

function slopesOf(points: readonly Point[]): Float64Array {
  const slopes = new Float64Array((points.length * (points.length - 1)) / 2);
  let count = 0;
  for (let i = 0; i < points.length; i += 1) {
    for (let j = i + 1; j < points.length; j += 1) {
      const [from, to] = [points[i]!, points[j]!];
      if (to.x !== from.x) slopes[count++] = (to.y - from.y) / (to.x - from.x);
    }
  }
  return slopes.subarray(0, count).sort();
}

/** Variance of Kendall's S, ties among the values taken off. */
function varianceOfS(points: readonly Point[]): number {
  const term = (n: number): number => n * (n - 1) * (2 * n + 5);
  const ties = new Map<number, number>();
  for (const { y } of points) ties.set(y, (ties.get(y) ?? 0) + 1);
  let sum = term(points.length);
  for (const equal of ties.values()) sum -= term(equal);
  return Math.max(0, sum) / 18;
}
