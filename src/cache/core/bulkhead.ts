import { CacheOverloadError } from './errors';

/** A policy lets this many loads wait for each one that runs. */
const queuePerLoad = 4;

/**
 * Bounds the loads of a policy that run at once, so that a cold cache or an outage of Redis does not become an
 * outage of the source. What does not fit waits in a bounded queue; what does not fit there is refused.
 */
export class Bulkhead {
  #running = 0;
  readonly #queue: (() => void)[] = [];

  constructor(
    private readonly policy: string,
    private readonly maxConcurrent: number,
  ) {}

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** @throws CacheOverloadError when the queue is full */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running >= this.maxConcurrent) {
      if (this.#queue.length >= this.maxConcurrent * queuePerLoad)
        throw new CacheOverloadError(this.policy, this.maxConcurrent);
      await new Promise<void>(resolve => this.#queue.push(resolve));
    } else {
      this.#running += 1;
    }
    try {
      return await task();
    } finally {
      // The place goes to the next in line without becoming free in between.
      const next = this.#queue.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}
