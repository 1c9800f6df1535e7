import { SystemClock } from '../../src/cache/core';

/** A clock that is wrong by so many milliseconds, and can be made to jump; it goes on monotonically as clocks do. */
export class OffsetClock extends SystemClock {
  constructor(public offsetMs: number) {
    super();
  }

  override nowMs(): number {
    return super.nowMs() + this.offsetMs;
  }

  override coarseMs(): number {
    return super.coarseMs() + this.offsetMs;
  }
}
