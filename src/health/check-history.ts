import { UptimeWindow } from './uptime-window';

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
  /** Of the last hour, in percent; null when there was no check in it. */
  uptimePercent: number | null;
}

/**
 * What the checks of one service came to; times of the last success and failure outlive the window of the uptime. In memory, and each
 * instance its own (docs/decisions/0014).
 */
export class CheckHistory {
  readonly #uptime: UptimeWindow;
  #lastSuccessMs: number | null = null;
  #lastFailureMs: number | null = null;
  #consecutiveFailures = 0;

  /** @param nowMs monotonic milliseconds, for the window */
  constructor(nowMs?: () => number) {
    this.#uptime = new UptimeWindow(nowMs);
  }

  /** Adds a check; `disabled` says nothing about a service and is left out. */
  add({ status, atMs }: Check): void {
    if (status === 'disabled') return;
    const isUp = status === 'up';
    this.#uptime.add(isUp);
    this.#consecutiveFailures = isUp ? 0 : this.#consecutiveFailures + 1;
    if (isUp) this.#lastSuccessMs = atMs;
    else this.#lastFailureMs = atMs;
  }

  summary(): CheckSummary {
    return {
      lastSuccessMs: this.#lastSuccessMs,
      lastFailureMs: this.#lastFailureMs,
      consecutiveFailures: this.#consecutiveFailures,
      uptimePercent: this.#uptime.percent(),
    };
  }
}
