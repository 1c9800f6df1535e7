import { setTimeout as wait } from 'node:timers/promises';

/**
 * So many loads a second and no more, evenly: each load that was really made moves the time of the next one. Where something
 * was fresh already nothing is waited for.
 */
export class Pacer {
  #nextAtMs = 0;

  /** @param perSecond 0: as many as there are */
  constructor(
    private readonly perSecond: number,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /** Resolves when the next load may begin, or when `signal` is aborted. */
  async turn(signal: AbortSignal): Promise<void> {
    for (;;) {
      const waitMs = this.#nextAtMs - this.nowMs();
      if (waitMs <= 0 || signal.aborted) return;
      // The wait fails in one way alone, by being aborted, which is looked at above.
      await wait(waitMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /** A load was made. */
  loaded(): void {
    if (this.perSecond > 0) this.#nextAtMs = Math.max(this.#nextAtMs, this.nowMs()) + 1_000 / this.perSecond;
  }
}
