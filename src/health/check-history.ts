/** One look at a service. */
export interface Check {
  /** `disabled`: there is none to look at, as configured. */
  status: 'up' | 'down' | 'disabled';
  /** When it began, in milliseconds since 1970. */
  atMs: number;
  /** How long the answer took; null without one. */
  responseTimeMs: number | null;
  /** What is wrong, in words for callers: never text of a driver. */
  error: string | null;
}

export interface CheckSummary {
  lastSuccessMs: number | null;
  lastFailureMs: number | null;
  consecutiveFailures: number;
  /** Share of the recorded checks that succeeded, in percent; null when there is none. */
  uptimePercent: number | null;
}

/** The last checks of one service; times of the last success and failure outlive them. */
export class CheckHistory {
  readonly #results: boolean[] = [];
  #lastSuccessMs: number | null = null;
  #lastFailureMs: number | null = null;
  #consecutiveFailures = 0;

  constructor(private readonly maxChecks = 1_000) {}

  /** Adds a check; `disabled` says nothing about a service and is left out. */
  add({ status, atMs }: Check): void {
    if (status === 'disabled') return;
    const isUp = status === 'up';
    this.#results.push(isUp);
    if (this.#results.length > this.maxChecks) this.#results.shift();
    this.#consecutiveFailures = isUp ? 0 : this.#consecutiveFailures + 1;
    if (isUp) this.#lastSuccessMs = atMs;
    else this.#lastFailureMs = atMs;
  }

  summary(): CheckSummary {
    const total = this.#results.length;
    const successes = this.#results.filter(Boolean).length;
    return {
      lastSuccessMs: this.#lastSuccessMs,
      lastFailureMs: this.#lastFailureMs,
      consecutiveFailures: this.#consecutiveFailures,
      uptimePercent: total === 0 ? null : Number(((100 * successes) / total).toFixed(2)),
    };
  }
}
