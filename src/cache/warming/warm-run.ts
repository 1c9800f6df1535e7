import { CacheError } from '../core';

/** What a run was begun by. */
export const warmTriggers = ['start', 'schedule', 'request'] as const;
export type WarmTrigger = (typeof warmTriggers)[number];

/** One run of warming, while it goes on and afterwards. */
export interface WarmRun {
  readonly id: string;
  readonly trigger: WarmTrigger;
  readonly categories: readonly string[];
  readonly jobs: readonly string[];
  /** ISO 8601. */
  readonly startedAt: string;
  durationMs: number;
  /** Entries that there are to be warmed; undefined until they have been counted. */
  total: number | undefined;
  /** Entries that were loaded and stored. */
  warmed: number;
  /** Entries that were fresh already. */
  skipped: number;
  /** Entries that nobody has read lately, and that a scheduled run therefore leaves alone. */
  unread: number;
  /** Entries that a leader before this one has done. */
  resumed: number;
  failed: number;
  /** Entries that were not begun when the time was over. */
  left: number;
  failures: { job: string; error: string }[];
  /**
   * `failed` when anything failed; `cut` when the deadline, the end of the application or another leader has ended it.
   */
  state: 'running' | 'done' | 'failed' | 'cut';
}

/** A category that no job belongs to, or a job that there is not. */
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
