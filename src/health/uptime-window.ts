/** Length of the window, in seconds. */
export const uptimeWindowSeconds = 3_600;
const buckets = 60;
const bucketMs = (uptimeWindowSeconds * 1_000) / buckets;

/**
 * Share of the last hour in which something was up, from checks that come as they will: a ring of minutes, in each of which it
 * was up for the share of that minute's checks that succeeded. Every minute that had a check counts the same, so that a
 * minute in which many have asked does not outweigh one in which nobody did.
 */
export class UptimeWindow {
  readonly #minutes = new Float64Array(buckets).fill(-1);
  readonly #checks = new Uint32Array(buckets);
  readonly #successes = new Uint32Array(buckets);

  /** @param nowMs monotonic milliseconds */
  constructor(private readonly nowMs: () => number = () => performance.now()) {}

  add(isUp: boolean): void {
    const minute = this.#minute();
    const at = minute % buckets;
    if (this.#minutes[at] !== minute) {
      this.#minutes[at] = minute;
      this.#checks[at] = this.#successes[at] = 0;
    }
    this.#checks[at]! += 1;
    if (isUp) this.#successes[at]! += 1;
  }

  /** From 0 to 100 with two decimals; null when there was no check in the window. */
  percent(): number | null {
    const oldest = this.#minute() - buckets;
    let minutes = 0;
    let up = 0;
    for (let at = 0; at < buckets; at += 1) {
      if (this.#minutes[at]! < 0 || this.#minutes[at]! <= oldest) continue;
      minutes += 1;
      up += this.#successes[at]! / this.#checks[at]!;
    }
    return minutes === 0 ? null : Number(((100 * up) / minutes).toFixed(2));
  }

  #minute(): number {
    return Math.floor(this.nowMs() / bucketMs);
  }
}
