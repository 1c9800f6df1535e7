import { Bulkhead } from './bulkhead';
import type { Clock } from './clock';
import { checkTags } from './cache-key';
import { CacheClosedError, CacheLoadTimeoutError, CacheOptionsError } from './errors';
import type { CachePolicy } from './policy';

/** What a loader is given. */
export interface LoadControl {
  readonly key: string;
  /** Aborted when the load is given up: it timed out, or the cache is closed. */
  readonly signal: AbortSignal;
  /**
   * Tags that only the loaded value tells. Needs `dynamicTags: true` in the call.
   * @throws CacheTagError, or CacheOptionsError when the call did not say so
   */
  addTags(...tags: string[]): void;
  /** The answer is for this caller alone: it is neither stored nor handed to others who wait. */
  doNotStore(): void;
  /** Shortens the fresh life of this value, in milliseconds; never lengthens it. */
  setTtlMs(ttlMs: number): void;
}

/** Loads a value. `undefined` is "no value" and is not stored; `null` is a value. */
export type Loader<T> = (load: LoadControl) => T | Promise<T>;

export interface Loaded {
  value: unknown;
  isPrivate: boolean;
  tags: readonly string[];
  ttlMs: number | undefined;
  durationMs: number;
}

/** Runs loaders: bounded in number and in time, and stopped when the cache closes. */
export class LoadRunner {
  readonly #bulkheads = new Map<string, Bulkhead>();
  readonly #running = new Set<(error: Error) => void>();
  #closed = false;

  constructor(private readonly clock: Clock) {}

  get running(): number {
    return this.#running.size;
  }

  /**
   * @param around runs the loader in its async context
   * @throws whatever the loader throws, CacheLoadTimeoutError, CacheOverloadError, CacheClosedError
   */
  run(
    key: string,
    policy: CachePolicy,
    loader: Loader<unknown>,
    dynamicTags: boolean,
    around: <R>(run: () => R) => R,
  ): Promise<Loaded> {
    let bulkhead = this.#bulkheads.get(policy.name);
    if (!bulkhead)
      this.#bulkheads.set(policy.name, (bulkhead = new Bulkhead(policy.name, policy.maxConcurrentLoads)));
    return bulkhead.run(() => this.#runOne(key, policy.loaderTimeoutMs, loader, dynamicTags, around));
  }

  /** Gives up every load under way. */
  close(): void {
    this.#closed = true;
    for (const giveUp of [...this.#running]) giveUp(new CacheClosedError());
  }

  async #runOne(
    key: string,
    timeoutMs: number,
    loader: Loader<unknown>,
    dynamicTags: boolean,
    around: <R>(run: () => R) => R,
  ): Promise<Loaded> {
    if (this.#closed) throw new CacheClosedError();
    const abort = new AbortController();
    const loaded: Loaded = { value: undefined, isPrivate: false, tags: [], ttlMs: undefined, durationMs: 0 };
    const control: LoadControl = {
      key,
      signal: abort.signal,
      addTags: (...tags) => {
        if (!dynamicTags)
          throw new CacheOptionsError('addTags needs dynamicTags: true in the options of the call');
        checkTags([...loaded.tags, ...tags]);
        loaded.tags = [...loaded.tags, ...tags];
      },
      doNotStore: () => {
        loaded.isPrivate = true;
      },
      setTtlMs: ttlMs => {
        if (!Number.isInteger(ttlMs) || ttlMs < 1) {
          throw new CacheOptionsError(
            `ttlMs must be a whole number from 1, not ${String(ttlMs)}`,
            'TTL_INVALID',
          );
        }
        loaded.ttlMs = ttlMs;
      },
    };
    const startedAtMs = this.clock.nowMs();
    let giveUp!: (error: Error) => void;
    const givenUp = new Promise<never>((_resolve, reject) => {
      giveUp = error => {
        reject(error);
        abort.abort(error);
      };
    });
    const timer = this.clock.schedule(timeoutMs, () => giveUp(new CacheLoadTimeoutError(key, timeoutMs)));
    this.#running.add(giveUp);
    try {
      loaded.value = await Promise.race([around(() => settled(loader, control)), givenUp]);
      return loaded;
    } finally {
      loaded.durationMs = this.clock.nowMs() - startedAtMs;
      timer.cancel();
      this.#running.delete(giveUp);
    }
  }
}

/** A loader that throws at once fails like one that rejects. */
function settled(loader: Loader<unknown>, control: LoadControl): Promise<unknown> {
  return new Promise(resolve => resolve(loader(control)));
}
