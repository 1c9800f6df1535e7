import type { Clock } from './clock';

/** Those who wait for word about a key: a message wakes them, a timer is the fallback. */
export class Waiters {
  readonly #byName = new Map<string, Set<() => void>>();

  constructor(private readonly clock: Clock) {}

  get size(): number {
    return this.#byName.size;
  }

  /** Resolves at the next word about the key, or after `timeoutMs`. */
  wait(name: string, timeoutMs: number): Promise<void> {
    return new Promise(resolve => {
      const waiting = this.#byName.get(name) ?? new Set();
      this.#byName.set(name, waiting);
      const wake = (): void => {
        timer.cancel();
        waiting.delete(wake);
        if (waiting.size === 0 && this.#byName.get(name) === waiting) this.#byName.delete(name);
        resolve();
      };
      const timer = this.clock.schedule(timeoutMs, wake);
      waiting.add(wake);
    });
  }

  wake(name: string): void {
    const waiting = this.#byName.get(name);
    if (waiting) for (const wake of [...waiting]) wake();
  }

  wakeAll(): void {
    for (const name of [...this.#byName.keys()]) this.wake(name);
  }
}
