export interface Sample {
  atMs: number;
  value: number;
}

/** By how much the values grow in a minute, by least squares, without the first third, in which caches and pools fill. */
export function slopePerMinute(samples: readonly Sample[]): number {
  const settled = samples.slice(Math.floor(samples.length / 3));
  const meanAt = mean(settled.map(({ atMs }) => atMs));
  const meanValue = mean(settled.map(({ value }) => value));
  const spread = settled.reduce((sum, { atMs }) => sum + (atMs - meanAt) ** 2, 0);
  if (spread === 0) return 0;
  const together = settled.reduce((sum, { atMs, value }) => sum + (atMs - meanAt) * (value - meanValue), 0);
  return (together / spread) * 60_000;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
