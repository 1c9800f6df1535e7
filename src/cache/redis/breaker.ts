import {
  circuitBreaker,
  CircuitState,
  handleWhen,
  type CircuitBreakerPolicy,
  type IBreaker,
  ConsecutiveBreaker,
  SamplingBreaker,
} from 'cockatiel';

/** Numbers of the breaker around Redis. */
export interface BreakerOptions {
  /** Opens after so many failures in a row. Default 5. */
  consecutiveFailures: number;
  /** Or when this share of the calls fails… Default 0.5. */
  failureShare: number;
  /** …within so many milliseconds. Default 10,000. */
  windowMs: number;
  /** …at a rate of at least so many calls a second: 20 calls in the window. Default 2. */
  minCallsPerSecond: number;
  /** A probe may go out so long after it opened. Default 500. */
  halfOpenAfterMs: number;
}

export const breakerDefaults: BreakerOptions = Object.freeze({
  consecutiveFailures: 5,
  failureShare: 0.5,
  windowMs: 10_000,
  minCallsPerSecond: 2,
  halfOpenAfterMs: 500,
});

/** Opens on a run of failures or on a share of them, whichever comes first. */
class EitherBreaker implements IBreaker {
  constructor(private readonly breakers: readonly IBreaker[]) {}

  get state(): unknown {
    return this.breakers.map(breaker => breaker.state);
  }

  set state(states: unknown) {
    (states as unknown[]).forEach((state, index) => (this.breakers[index]!.state = state));
  }

  success(state: CircuitState): void {
    for (const breaker of this.breakers) breaker.success(state);
  }

  failure(state: CircuitState): boolean {
    // Each must count the failure: no short circuit.
    return this.breakers.map(breaker => breaker.failure(state)).some(open => open);
  }
}

export function redisBreaker(options: BreakerOptions = breakerDefaults): CircuitBreakerPolicy {
  return circuitBreaker(handleWhen(isOutage), {
    halfOpenAfter: options.halfOpenAfterMs,
    breaker: new EitherBreaker([
      new ConsecutiveBreaker(options.consecutiveFailures),
      new SamplingBreaker({
        threshold: options.failureShare,
        duration: options.windowMs,
        minimumRps: options.minCallsPerSecond,
      }),
    ]),
  });
}

/**
 * Whether an error says that the server is away, rather than that it refused one command. A full Redis still answers
 * reads and removes what is invalidated: opening the breaker would take that away.
 */
export function isOutage(error: unknown): boolean {
  const message = error instanceof Error ? error.message : '';
  // Servers before Redis 7 wrap what a script ran into: `ERR Error running script (call to f_…): …: -OOM command not…`.
  return !/^(ERR Error running script .*-)?(OOM|WRONGTYPE|NOREPLICAS)\b/.test(message);
}

export function breakerName(state: CircuitState): 'closed' | 'open' | 'half-open' {
  if (state === CircuitState.Closed) return 'closed';
  return state === CircuitState.HalfOpen ? 'half-open' : 'open';
}
