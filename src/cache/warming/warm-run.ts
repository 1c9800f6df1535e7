import { CacheError } from '../core';

/** One run of warming, while it goes on and afterwards. */
export interface WarmRun {
  readonly id: string;
  readonly categories: readonly string[];
  /** ISO 8601. */
  readonly startedAt: string;
  durationMs: number;
  /** Entries that were loaded and stored. */
  warmed: number;
  /** Entries that were fresh already. */
  skipped: number;
  failed: number;
  failures: { job: string; error: string }[];
  /** `failed` when anything failed, or the run was given up. */
  state: 'running' | 'done' | 'failed';
}

/** A category that no job belongs to. */
export class WarmJobUnknownError extends CacheError {
  constructor(
    readonly unknown: readonly string[],
    known: readonly string[],
  ) {
    super(
      'WARM_JOB_UNKNOWN',
      `there is nothing to warm under ${unknown.map(name => JSON.stringify(name.slice(0, 64))).join(', ')}; there is ${known.join(', ')}`,
    );
  }
}

/** The last runs; older ones are forgotten. */
export class WarmRuns {
  readonly #runs: WarmRun[] = [];

  constructor(readonly maxRuns = 20) {}

  add(run: WarmRun): void {
    this.#runs.push(run);
    if (this.#runs.length > this.maxRuns) this.#runs.shift();
  }

  find(id: string): WarmRun | undefined {
    return this.#runs.find(run => run.id === id);
  }

  /** The latest first. */
  list(): readonly WarmRun[] {
    return [...this.#runs].reverse();
  }
}
