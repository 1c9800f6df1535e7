/** What runs behind an answer. `close` waits for it. */
export class Background {
  readonly #running = new Set<Promise<unknown>>();

  get size(): number {
    return this.#running.size;
  }

  /** `task` reports its own failure; a rejection here is a programming error and must not be swallowed. */
  track(task: Promise<unknown>): void {
    const done = task.finally(() => this.#running.delete(done));
    this.#running.add(done);
  }

  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }
}
