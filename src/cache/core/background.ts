/** What runs behind an answer. `close` waits for it. */
export class Background {
  readonly #running = new Set<Promise<unknown>>();
  #inside = 0;
  #left: (() => void)[] = [];

  get size(): number {
    return this.#running.size + this.#inside;
  }

  /** Something begins that `leave` ends: for what has no promise. */
  enter(): void {
    this.#inside += 1;
  }

  leave(): void {
    this.#inside -= 1;
    if (this.#inside > 0) return;
    for (const resolve of this.#left.splice(0)) resolve();
  }

  /** `task` reports its own failure; a rejection here is a programming error and must not be swallowed. */
  track(task: Promise<unknown>): void {
    const done = task.finally(() => this.#running.delete(done));
    this.#running.add(done);
  }

  async settled(): Promise<void> {
    while (this.size > 0) {
      await Promise.allSettled(this.#running);
      if (this.#inside > 0) await new Promise<void>(resolve => this.#left.push(resolve));
    }
  }
}
