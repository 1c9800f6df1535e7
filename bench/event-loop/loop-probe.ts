import { availableParallelism } from 'node:os';
import { createHistogram, PerformanceObserver } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
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

/** A delay that is looked at when it is known what the collector did meanwhile, which is told some turns later. */
interface Look {
  readonly beganMs: number;
  readonly endedMs: number;
  readonly before: ThreadTimes;
  readonly after: ThreadTimes;
}
interface Pause {
  readonly beganMs: number;
  readonly endedMs: number;
}

/** Shorter delays are what they are on the wall. */
const worthALookMs = 1;
const toldLaterMs = 200;

/** A timer of a millisecond that looks how late it is, and how much of that is the loop's own. */
export class LoopProbe {
  readonly #own = createHistogram();
  readonly #processors = availableParallelism();
  #looks: Look[] = [];
  #pauses: Pause[] = [];
  #maxOnTheWall = 0;
  #maxPause = 0;
  #lastMs = performance.now();
  #lastTimes: ThreadTimes | undefined;

  constructor(private readonly scheduler: Scheduler | undefined) {
    this.#lastTimes = scheduler?.now();
  }

  start(): void {
    new PerformanceObserver(list => {
      for (const { startTime, duration } of list.getEntries()) {
        this.#pauses.push({ beganMs: startTime, endedMs: startTime + duration });
        this.#maxPause = Math.max(this.#maxPause, duration);
      }
    }).observe({ entryTypes: ['gc'] });
    this.#lastMs = performance.now();
    this.#lastTimes = this.scheduler?.now();
    setInterval(() => this.#look(), periodMs).unref();
  }

  /** Since it was taken last. */
  async take(): Promise<Delay> {
    await setTimeout(toldLaterMs);
    this.#judge(Infinity);
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
    const look = { beganMs: this.#lastMs, endedMs: nowMs };
    if (lateMs < worthALookMs || !times || !this.#lastTimes) this.#record(lateMs);
    else this.#looks.push({ ...look, before: this.#lastTimes, after: times });
    this.#maxOnTheWall = Math.max(this.#maxOnTheWall, lateMs);
    this.#lastMs = nowMs;
    this.#lastTimes = times;
    this.#judge(nowMs - toldLaterMs);
  }

  #judge(untilMs: number): void {
    for (let look = this.#looks[0]; look && look.endedMs <= untilMs; look = this.#looks[0]) {
      this.#looks.shift();
      const { beganMs, endedMs, before, after } = look;
      this.#pauses = this.#pauses.filter(pause => pause.endedMs >= beganMs);
      const pauseMs = this.#pauses
        .map(pause => Math.min(pause.endedMs, endedMs) - Math.max(pause.beganMs, beganMs))
        .reduce((sum, ms) => sum + Math.max(ms, 0), 0);
      this.#record(heldUpMs(endedMs - beganMs - periodMs, before, after, pauseMs, this.#processors));
    }
  }

  #record(ms: number): void {
    this.#own.record(Math.max(Math.round(1_000 * ms), 1));
  }
}
