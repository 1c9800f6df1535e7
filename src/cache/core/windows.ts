import type { Row } from './counters';

/** The time that statistics tell of: the last minute, five minutes, hour, or all since the start. */
export const statsWindows = ['1m', '5m', '1h', 'all'] as const;
export type StatsWindow = (typeof statsWindows)[number];

interface Ring {
  readonly windowMs: number;
  readonly bucketMs: number;
}
const fine = { bucketMs: 5_000, buckets: 60 };
const coarse = { bucketMs: 60_000, buckets: 60 };
const ringOf: Readonly<Record<Exclude<StatsWindow, 'all'>, Ring>> = {
  '1m': { windowMs: 60_000, bucketMs: fine.bucketMs },
  '5m': { windowMs: 300_000, bucketMs: fine.bucketMs },
  '1h': { windowMs: 3_600_000, bucketMs: coarse.bucketMs },
};

/** How often a bucket ends, in milliseconds. */
export const turnEveryMs = fine.bucketMs;

/**
 * A row of counts with a memory of what it was at the ends of the last sixty buckets of five seconds, and of the last sixty
 * of a minute. A window is the difference between now and then, so that counting touches one number, whatever the number of
 * windows, and all of it has a fixed size. Buckets end with the first count after their time, and not by a timer.
 */
export class CountedRow {
  readonly now: Row;
  readonly #fine: Float64Array;
  readonly #coarse: Float64Array;

  constructor(readonly length: number) {
    this.now = new Float64Array(length);
    this.#fine = new Float64Array(length * (fine.buckets + 1));
    this.#coarse = new Float64Array(length * (coarse.buckets + 1));
  }

  /** The bucket number `from` and all up to `to` have ended without anything having been counted since. */
  endBuckets(from: number, to: number): void {
    const perCoarse = coarse.bucketMs / fine.bucketMs;
    for (let bucket = Math.max(from, to - fine.buckets); bucket <= to; bucket += 1)
      this.#fine.set(this.now, (bucket % (fine.buckets + 1)) * this.length);
    const firstCoarse = Math.ceil(from / perCoarse);
    const lastCoarse = Math.floor(to / perCoarse);
    for (let bucket = Math.max(firstCoarse, lastCoarse - coarse.buckets); bucket <= lastCoarse; bucket += 1)
      this.#coarse.set(this.now, (bucket % (coarse.buckets + 1)) * this.length);
  }

  /** What was counted in a window that ends now, `sinceStartMs` after the first count could be made. */
  within(window: StatsWindow, sinceStartMs: number): Row {
    const difference = this.now.slice();
    const bucket = window === 'all' ? 0 : beginOf(window, sinceStartMs);
    if (window === 'all' || bucket <= 0) return difference;
    const isFine = ringOf[window].bucketMs === fine.bucketMs;
    const ring = isFine ? this.#fine : this.#coarse;
    const at = (bucket % ((isFine ? fine : coarse).buckets + 1)) * this.length;
    for (let index = 0; index < this.length; index += 1) difference[index]! -= ring[at + index]!;
    return difference;
  }
}

/** How much time a window covers that ends now: whole buckets, so up to one bucket more than its name says. */
export function coveredMs(window: StatsWindow, sinceStartMs: number): number {
  if (window === 'all') return sinceStartMs;
  const begin = beginOf(window, sinceStartMs);
  return begin <= 0 ? sinceStartMs : sinceStartMs - begin * ringOf[window].bucketMs;
}

function beginOf(window: Exclude<StatsWindow, 'all'>, sinceStartMs: number): number {
  const { windowMs, bucketMs } = ringOf[window];
  return Math.floor((sinceStartMs - windowMs) / bucketMs);
}
