/** The middle of sorted numbers; the mean of the two in the middle of an even count. NaN of none. */
export function medianOfSorted(sorted: ArrayLike<number>): number {
  return quantileOfSorted(sorted, 0.5);
}

/**
 * A quantile of sorted numbers, linear between two of them: type 7 of Hyndman and Fan (The American Statistician 50, 1996),
 * the same as `percentile_cont` of SQL. `share` is from 0 to 1; NaN of no numbers.
 */
export function quantileOfSorted(sorted: ArrayLike<number>, share: number): number {
  const place = (sorted.length - 1) * share;
  const below = Math.floor(place);
  const low = sorted[below] ?? NaN;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? NaN;
  return low + (high - low) * (place - below);
}

export function median(values: readonly number[]): number {
  return medianOfSorted(Float64Array.from(values).sort());
}
