import { SystemClock } from '../../src/cache/core';

/** Milliseconds of the monotonic clock of the machine (CLOCK_MONOTONIC), the same in every process. */
export function hrtimeMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** `performance.now()` counts from the start of its process; this is the difference, to a few microseconds. */
const processStartMs = narrowest(100);

/** Reads both clocks so many times; the pair that were read closest together says most. The first ones are slow. */
function narrowest(times: number): number {
  let best = { gap: Infinity, difference: NaN };
  for (let left = times; left > 0; left -= 1) {
    const before = hrtimeMs();
    const now = performance.now();
    const gap = hrtimeMs() - before;
    if (gap < best.gap) best = { gap, difference: before + gap / 2 - now };
  }
  return best.difference;
}

/** The clock of an instance under test: that of the application, on the scale that all processes share. */
export class SharedClock extends SystemClock {
  override nowMs(): number {
    return processStartMs + super.nowMs();
  }

  override coarseMs(): number {
    return processStartMs + super.coarseMs();
  }
}
