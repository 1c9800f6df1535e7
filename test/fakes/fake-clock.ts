import type { Clock, TimerHandle } from '../../src/cache/core';

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

/** A clock that stands still until it is told to go on. Starts at 1,000,000 ms, so that 0 is never taken for a time. */
export class FakeClock implements Clock {
  #nowMs = 1_000_000;
  readonly #timers = new Set<Timer>();

  /** Timers that have neither run nor been cancelled. */
  get pending(): number {
    return this.#timers.size;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  coarseMs(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, run: () => void): TimerHandle {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), run };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  /**
   * Lets `ms` pass. Timers run when they are due, in the order of their times, those that others schedule on the way
   * included; between any two of them promises settle, as they do in a real event loop.
   */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await settled();
    for (let next = this.#earliest(untilMs); next; next = this.#earliest(untilMs)) {
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
      await settled();
    }
    this.#nowMs = untilMs;
  }

  #earliest(untilMs: number): Timer | undefined {
    let earliest: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.atMs <= untilMs && (!earliest || timer.atMs < earliest.atMs)) earliest = timer;
    }
    return earliest;
  }
}

/** Resolves when every promise that can settle without time or the network has settled. */
export async function settled(): Promise<void> {
  await new Promise<void>(resolve => setImmediate(resolve));
}
