/**
 * Time as the cache sees it: monotonic milliseconds and one-shot timers. Nothing in the core reads
 * the wall clock, so a jump of it changes neither a TTL nor a lease nor the gate (G6); tests supply
 * a clock that they advance by hand.
 */
export interface Clock {
  /** Monotonic milliseconds, a fresh reading. */
  nowMs(): number;
  /**
   * Monotonic milliseconds, at most one turn of the event loop old. The first use in a turn takes a
   * fresh reading, so that code which runs after a stall never sees a time from before it.
   */
  coarseMs(): number;
  /** Runs `run` once after `delayMs`. The timer does not keep the process alive. */
  schedule(delayMs: number, run: () => void): TimerHandle;
}

export interface TimerHandle {
  cancel(): void;
}

/** After this many uses in one turn a long synchronous stretch gets a fresh reading as well. */
const usesPerReading = 256;

export class SystemClock implements Clock {
  #reading = 0;
  #usesLeft = 0;
  readonly #expire = (): void => {
    this.#usesLeft = 0;
  };

  nowMs(): number {
    return performance.now();
  }

  coarseMs(): number {
    if (this.#usesLeft > 0) {
      this.#usesLeft -= 1;
      return this.#reading;
    }
    this.#reading = performance.now();
    this.#usesLeft = usesPerReading;
    // The reset belongs to the turn, not to a timer: timers run late after a stall, and an I/O
    // callback that came before them would be told the time of the turn before.
    // Not unref'd: an immediate that does not count lets the loop sleep before it has run.
    setImmediate(this.#expire);
    return this.#reading;
  }

  schedule(delayMs: number, run: () => void): TimerHandle {
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  }
}
