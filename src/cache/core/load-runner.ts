import { Bulkhead } from './bulkhead';
import type { Clock } from './clock';
import type { Call } from './call';
import type { LoadControl, Loader } from './loader';
import type { LoadScope } from './load-scope';
import type { CachePolicy } from './policy';
import { checkTags } from './cache-key';
import { CacheClosedError, CacheLoadTimeoutError, CacheOptionsError } from './errors';

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
  run(call: Call, around: <R>(run: () => Promise<R>) => Promise<R>): Promise<Loaded> {
    const { key, policy, dynamicTags } = call;
    const run = (): Promise<Loaded> =>
      this.#runOne(key, policy.loaderTimeoutMs, call.loader!, dynamicTags, around);
    // Many keys at once are one load: it has its place when all of them are here.
    return call.batch ? run() : this.inPlace(policy, call.scope, run);
  }

  /** Runs a load when there is room for one more. @throws CacheOverloadError */
  inPlace<R>(policy: CachePolicy, scope: LoadScope | undefined, run: () => Promise<R>): Promise<R> {
    // Inside a load that has a place already: waiting for a second one could be waiting for oneself.
    if (scope?.load) return run();
    const name = `${policy.name}:${policy.maxConcurrentLoads}`;
    let bulkhead = this.#bulkheads.get(name);
    if (!bulkhead) {
      bulkhead = new Bulkhead(this.clock, policy.name, policy.maxConcurrentLoads);
      this.#bulkheads.set(name, bulkhead);
    }
    return bulkhead.run(run, policy.loaderTimeoutMs);
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
    around: <R>(run: () => Promise<R>) => Promise<R>,
  ): Promise<Loaded> {
    if (this.#closed) throw new CacheClosedError();
    // Made for whoever asks for it: it costs more than the rest of a load, and the garbage collector an extra turn.
    let abort: AbortController | undefined;
    let reason: Error | undefined;
    const loaded: Loaded = { value: undefined, isPrivate: false, tags: [], ttlMs: undefined, durationMs: 0 };
    const control: LoadControl = {
      key,
      get signal() {
        if (!abort) {
          abort = new AbortController();
          if (reason) abort.abort(reason);
        }
        return abort.signal;
      },
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
        reason = error;
        reject(error);
        abort?.abort(error);
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
