/** The middle of some numbers, or of the two in the middle their mean. NaN of none. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which a share of the others lies, between two neighbours in proportion. NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) return NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!];
  return below + (above - below) * (at - Math.floor(at));
}

/** How far apart the middle half of the values lies, as a share of the median: what a ratio may be wrong by. */
export function spread(values: readonly number[]): number {
  const middle = median(values);
  return middle === 0 ? 0 : (quantile(values, 0.75) - quantile(values, 0.25)) / middle;
}

/**
 * The middle of the ratios of two contenders, each round by itself: they stood side by side in it, so a slow moment of the
 * machine is in both. One value each is a ratio of its own.
 */
export function pairedRatio(of: readonly number[], over: readonly number[]): number {
  if (of.length !== over.length) throw new RangeError(`${of.length} rounds beside ${over.length}`);
  return median(of.map((value, round) => value / over[round]!));
}
