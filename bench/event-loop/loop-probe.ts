import { readFileSync } from 'node:fs';
import { createHistogram, PerformanceObserver } from 'node:perf_hooks';

const periodMs = 1;
/** Of the main thread: nanoseconds on a processor, nanoseconds of waiting for one, and turns. Linux alone has it. */
const schedulerFile = '/proc/self/schedstat';

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

/**
 * A timer of a millisecond that looks how late it is, and how much of that its thread was at work. The rest it was ready and
 * another process had the processor, or its collector waited for its helpers to get one: that says how busy the machine is and
 * not how long our code held up the loop, and would be most of it on any machine that is not idle.
 */
export class LoopProbe {
  readonly #own = createHistogram();
  #maxOnTheWall = 0;
  #maxPause = 0;
  #lastMs = performance.now();
  #lastWorkedMs = workedMs();

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
    const worked = workedMs();
    const lateMs = Math.max(nowMs - this.#lastMs - periodMs, 0);
    const ownMs = worked === undefined ? lateMs : Math.min(lateMs, worked - (this.#lastWorkedMs ?? 0));
    this.#own.record(Math.max(Math.round(1_000 * ownMs), 1));
    this.#maxOnTheWall = Math.max(this.#maxOnTheWall, lateMs);
    this.#lastMs = nowMs;
    this.#lastWorkedMs = worked;
  }
}

/** Milliseconds that the main thread was on a processor; undefined where the system does not tell. */
function workedMs(): number | undefined {
  if (process.platform !== 'linux') return undefined;
  return Number(readFileSync(schedulerFile, 'utf8').split(' ')[0]) / 1e6;
}
