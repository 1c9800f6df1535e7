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
  /** The first of them. `error` is for the log; `reason` quotes nobody and may be told. */
  failures: { job: string; error: string; reason: string }[];
  /**
   * `failed` when anything failed; `cut` when the deadline, the end of the application or another leader has ended it.
   */
  state: WarmState;
}

export const warmStates = ['running', 'done', 'failed', 'cut'] as const;
export type WarmState = (typeof warmStates)[number];

/** What can become of an entry that is to be warmed. */
export const warmEntryOutcomes = ['warmed', 'skipped', 'unread', 'failed', 'left'] as const;
export type WarmEntryOutcome = (typeof warmEntryOutcomes)[number];

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

  /** Runs that have ended, by what began them and how they ended. */
  readonly ended = new Map<`${WarmTrigger} ${WarmState}`, number>();
  /** Entries by what became of them, in the runs that have ended. */
  readonly entries: Record<WarmEntryOutcome, number> = {
    warmed: 0,
    skipped: 0,
    unread: 0,
    failed: 0,
    left: 0,
  };
  lastDurationMs: number | undefined;

  end(run: WarmRun): void {
    const name = `${run.trigger} ${run.state}` as const;
    this.ended.set(name, (this.ended.get(name) ?? 0) + 1);
    for (const outcome of warmEntryOutcomes) this.entries[outcome] += run[outcome];
    this.lastDurationMs = run.durationMs;
  }

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
