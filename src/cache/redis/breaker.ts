import {
  circuitBreaker,
  CircuitState,
  handleWhen,
  type CircuitBreakerPolicy,
  type IBreaker,
  ConsecutiveBreaker,
} from 'cockatiel';
import type { BreakerReport, RemoteStatus } from '../core';
import { FailureShareBreaker } from './failure-share';

/** Numbers of the breaker around Redis. */
export interface BreakerOptions {
  /** Opens after so many failures in a row. Default 5. */
  consecutiveFailures: number;
  /** Or when this share of the calls fails… Default 0.5. */
  failureShare: number;
  /** …within so many milliseconds. Default 10,000. */
  windowMs: number;
  /** …if there are at least so many of them. Default 20. */
  minCalls: number;
  /** A probe may go out so long after it opened. Default 500. */
  halfOpenAfterMs: number;
}

export const breakerDefaults: BreakerOptions = Object.freeze({
  consecutiveFailures: 5,
  failureShare: 0.5,
  windowMs: 10_000,
  minCalls: 20,
  halfOpenAfterMs: 500,
});

/** Opens on a run of failures or on a share of them, whichever comes first. Counts both for whoever looks at it. */
class EitherBreaker implements IBreaker {
  successes = 0;
  failures = 0;

  constructor(private readonly breakers: readonly IBreaker[]) {}

  get state(): unknown {
    return this.breakers.map(breaker => breaker.state);
  }

  set state(states: unknown) {
    (states as unknown[]).forEach((state, index) => (this.breakers[index]!.state = state));
  }

  success(state: CircuitState): void {
    this.successes += 1;
    for (const breaker of this.breakers) breaker.success(state);
  }

  failure(state: CircuitState): boolean {
    this.failures += 1;
    // Each must count the failure: no short circuit.
    return this.breakers.map(breaker => breaker.failure(state)).some(open => open);
  }
}

/** The breaker in front of one Redis server. */
export class RedisBreaker {
  readonly #rules: EitherBreaker;
  readonly #policy: CircuitBreakerPolicy;
  readonly #halfOpenAfterMs: number;
  #openedAtMs: number | null = null;

  constructor(options: BreakerOptions = breakerDefaults) {
    this.#rules = new EitherBreaker([
      new ConsecutiveBreaker(options.consecutiveFailures),
      new FailureShareBreaker(options.failureShare, options.windowMs, options.minCalls),
    ]);
    this.#halfOpenAfterMs = options.halfOpenAfterMs;
    this.#policy = circuitBreaker(handleWhen(isOutage), {
      halfOpenAfter: options.halfOpenAfterMs,
      breaker: this.#rules,
    });
    this.#policy.onBreak(() => (this.#openedAtMs = Date.now()));
    this.#policy.onReset(() => (this.#openedAtMs = null));
  }

  get state(): RemoteStatus['breaker'] {
    return breakerName(this.#policy.state);
  }

  onStateChange(listener: () => void): void {
    this.#policy.onStateChange(listener);
  }

  /** @throws BrokenCircuitError without a call, while it is open; whatever the call throws */
  execute<T>(run: () => Promise<T>): Promise<T> {
    return this.#policy.execute(run);
  }

  report(name: string): BreakerReport {
    const { state } = this;
    return {
      name,
      state,
      failures: this.#rules.failures,
      successes: this.#rules.successes,
      openedAtMs: this.#openedAtMs,
      nextProbeAtMs:
        state === 'open' && this.#openedAtMs !== null ? this.#openedAtMs + this.#halfOpenAfterMs : null,
    };
  }

  /** Closes it and forgets what has been counted, so that one more failure does not open it at once. */
  reset(): void {
    this.#rules.state = [0, []];
    this.#rules.failures = this.#rules.successes = 0;
    // The library closes what it is no longer asked to hold open.
    if (this.#policy.state !== CircuitState.Closed) this.#policy.isolate().dispose();
  }
}

/**
 * Whether an error says that the server is away, rather than that it refused one command. A full Redis still answers
 * reads and removes what is invalidated: opening the breaker would take that away. In a Cluster a slot that is moving
 * refuses commands on several keys, which says nothing about its nodes.
 */
export function isOutage(error: unknown): boolean {
  const message = error instanceof Error ? error.message : '';
  // Servers before Redis 7 wrap what a script ran into: `ERR Error running script (call to f_…): …: -OOM command not…`.
  return !/^(ERR Error running script .*-)?(OOM|WRONGTYPE|NOREPLICAS)\b/.test(message) && !isUnsettled(error);
}

/** Whether a Cluster has refused a command because its keys are between two nodes, or its slot somewhere else. */
export function isUnsettled(error: unknown): boolean {
  const message = error instanceof Error ? error.message : '';
  return /^(TRYAGAIN|MOVED|ASK|CROSSSLOT)\b|^Too many Cluster redirections/.test(message);
}

/** Whether Redis has refused a command because something else than it is for stands under the key. */
export function isOfOtherType(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('WRONGTYPE');
}

export function breakerName(state: CircuitState): 'closed' | 'open' | 'half-open' {
  if (state === CircuitState.Closed) return 'closed';
  return state === CircuitState.HalfOpen ? 'half-open' : 'open';
}
