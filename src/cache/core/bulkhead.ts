import type { Clock } from './clock';
import { CacheOverloadError } from './errors';

/** A policy lets this many loads wait for each one that runs. */
const queuePerLoad = 4;

/**
 * Bounds the loads of a policy that run at once, so that a cold cache or an outage of Redis does not become an
 * outage of the source. What does not fit waits in a bounded queue for a bounded time; what does not fit there is refused.
 */
export class Bulkhead {
  #running = 0;
  /** In the order of arrival. */
  readonly #queue = new Set<() => void>();

  constructor(
    private readonly clock: Clock,
    private readonly policy: string,
    private readonly maxConcurrent: number,
  ) {}

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  /** @throws CacheOverloadError when the queue is full, or no place has become free within `maxWaitMs` */
  async run<T>(task: () => Promise<T>, maxWaitMs: number): Promise<T> {
    if (this.#running < this.maxConcurrent) this.#running += 1;
    else await this.#place(maxWaitMs);
    try {
      return await task();
    } finally {
      // The place goes to the next in line without becoming free in between.
      const [next] = this.#queue;
      if (next) next();
      else this.#running -= 1;
    }
  }

  #place(maxWaitMs: number): Promise<void> {
    const overload = new CacheOverloadError(this.policy, this.maxConcurrent);
    if (this.#queue.size >= this.maxConcurrent * queuePerLoad) return Promise.reject(overload);
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        timer.cancel();
        this.#queue.delete(enter);
        resolve();
      };
      const timer = this.clock.schedule(maxWaitMs, () => {
        this.#queue.delete(enter);
        reject(overload);
      });
      this.#queue.add(enter);
    });
  }
}
