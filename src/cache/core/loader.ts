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
