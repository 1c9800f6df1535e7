/** Samples a second, about. */
const samplesPerSecond = 500;
const maxStep = 4_096;

/**
 * Picks some of many events, all of them while there are few. The distance between picks is random around a step that
 * doubles and halves with the rate, so that it can fall into step with nothing; each pick stands for so many events.
 */
export class ReadSampler {
  #left = 1;
  #step = 1;
  #taken = 0;
  #secondEndsAtMs = 0;

  constructor(
    private readonly nowMs: () => number = () => performance.now(),
    private readonly random: () => number = Math.random,
  ) {}

  /** 0: not this one. Otherwise how many events it stands for. */
  take(): number {
    this.#left -= 1;
    if (this.#left > 0) return 0;
    const weight = this.#step;
    this.#adapt();
    // From 1 to 2 × step − 1: step on average.
    this.#left = 1 + Math.floor(this.random() * (2 * this.#step - 1));
    return weight;
  }

  #adapt(): void {
    this.#taken += 1;
    const nowMs = this.nowMs();
    if (nowMs >= this.#secondEndsAtMs) {
      if (this.#taken < samplesPerSecond / 4) this.#step = Math.max(1, this.#step / 2);
      this.#secondEndsAtMs = nowMs + 1_000;
      this.#taken = 0;
    } else if (this.#taken > samplesPerSecond) {
      this.#step = Math.min(maxStep, this.#step * 2);
      this.#taken = 0;
    }
  }
}
