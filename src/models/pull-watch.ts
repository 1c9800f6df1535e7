import type { PullProgress } from './pull-progress';

/** Lines that one watcher is owed at most: one for each layer of a model and each step, of which there are some dozens. */
const maxWaiting = 256;

/**
 * What one watcher of a pull gets, at the pace at which he takes it. A pull does not wait for its slowest watcher, and nothing is
 * kept without limit for him: of the lines of one layer, or of one step without a layer, that he has not taken, the latest
 * stands for all. So every step is told in its order, and one who keeps up gets each line.
 */
export class PullWatch implements AsyncIterableIterator<PullProgress, undefined> {
  readonly #waiting = new Map<string, PullProgress>();
  #wake: (() => void) | undefined;
  #isOver = false;

  /** @param onLeave the watcher has gone, or has got everything */
  constructor(private readonly onLeave: () => void) {}

  /** Lines that are not taken yet. */
  get waiting(): number {
    return this.#waiting.size;
  }

  tell(progress: PullProgress): void {
    if (this.#isOver) return;
    this.#waiting.set(progress.digest ?? progress.status, progress);
    if (this.#waiting.size > maxWaiting) this.#waiting.delete(this.#waiting.keys().next().value!);
    this.#wake?.();
  }

  /** Nothing more will come; what waits is still given out. */
  end(): void {
    this.#isOver = true;
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<PullProgress, undefined>> {
    while (this.#waiting.size === 0) {
      if (this.#isOver) {
        this.onLeave();
        return { done: true, value: undefined };
      }
      await new Promise<void>(resolve => (this.#wake = resolve));
      this.#wake = undefined;
    }
    const [name, value] = this.#waiting.entries().next().value!;
    this.#waiting.delete(name);
    return { done: false, value };
  }

  /** The watcher goes. The pull goes on. */
  return(): Promise<IteratorResult<PullProgress, undefined>> {
    this.#waiting.clear();
    this.end();
    this.onLeave();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
