import { createHistogram, PerformanceObserver } from 'node:perf_hooks';
import { heldUpMs } from './held-up';
import type { Scheduler, ThreadTimes } from './scheduler';

const periodMs = 1;

/** How long the event loop was held up, in milliseconds. */
export interface Delay {
  p50: number;
  p99: number;
  max: number;
  /** The same as a clock on the wall saw it: with what other processes of the machine took away. */
  maxOnTheWall: number;
  /** The longest pause of the garbage collector on the wall; it is part of the others. */
  maxPause: number;
}

/** A timer of a millisecond that looks how late it is, and how much of that is the loop's own. */
export class LoopProbe {
  readonly #own = createHistogram();
  #maxOnTheWall = 0;
  #maxPause = 0;
  #lastMs = performance.now();
  #lastTimes: ThreadTimes | undefined;

  constructor(private readonly scheduler: Scheduler | undefined) {
    this.#lastTimes = scheduler?.now();
  }

  start(): void {
    new PerformanceObserver(list => {
      for (const { duration } of list.getEntries()) this.#maxPause = Math.max(this.#maxPause, duration);
    }).observe({ entryTypes: ['gc'] });
    setInterval(() => this.#look(), periodMs).unref();
  }

  /** Since it was taken last. */
  take(): Delay {
    const ms = (microseconds: number): number => microseconds / 1_000;
    const own = this.#own;
    const delay = {
      ...{ p50: ms(own.percentile(50)), p99: ms(own.percentile(99)), max: ms(own.max) },
      ...{ maxOnTheWall: this.#maxOnTheWall, maxPause: this.#maxPause },
    };
    own.reset();
    this.#maxOnTheWall = 0;
    this.#maxPause = 0;
    return delay;
  }

  #look(): void {
    const nowMs = performance.now();
    const times = this.scheduler?.now();
    const lateMs = Math.max(nowMs - this.#lastMs - periodMs, 0);
    const ownMs = times && this.#lastTimes ? heldUpMs(lateMs, this.#lastTimes, times) : lateMs;
    this.#own.record(Math.max(Math.round(1_000 * ownMs), 1));
    this.#maxOnTheWall = Math.max(this.#maxOnTheWall, lateMs);
    this.#lastMs = nowMs;
    this.#lastTimes = times;
  }
}
