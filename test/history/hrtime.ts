import { SystemClock } from '../../src/cache/core';

/** Milliseconds of the monotonic clock of the machine (CLOCK_MONOTONIC), the same in every process. */
export function hrtimeMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** `performance.now()` counts from the start of its process; this is the difference, to a few microseconds. */
const processStartMs = hrtimeMs() - performance.now();

/** The clock of an instance under test: that of the application, on the scale that all processes share. */
export class SharedClock extends SystemClock {
  override nowMs(): number {
    return processStartMs + super.nowMs();
  }

  override coarseMs(): number {
    return processStartMs + super.coarseMs();
  }
}
