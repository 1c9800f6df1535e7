import {
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  handleAll,
  type CircuitBreakerPolicy,
} from 'cockatiel';
import type { BreakerReport } from '../cache';

export interface HostBreakerOptions {
  /** Opens after so many failures in a row. Default 3. */
  failures?: number;
  /** An open one lets a call through after so many milliseconds. Default 60,000. */
  halfOpenAfterMs?: number;
  /** Hosts that have one; past it the one that was used longest ago goes, those without a failure in a row first, then closed ones. Default 10,000. */
  maxHosts?: number;
}

interface HostBreaker {
  readonly policy: CircuitBreakerPolicy;
  failures: number;
  /** Since the last success. */
  failuresInRow: number;
  successes: number;
  openedAtMs: number | null;
}

/** A circuit breaker for each host, so that one which does not answer is left alone, and no other one with it. */
export class HostBreakers {
  /** In the order of their last use. */
  readonly #hosts = new Map<string, HostBreaker>();
  readonly #options: Required<HostBreakerOptions>;

  constructor({ failures = 3, halfOpenAfterMs = 60_000, maxHosts = 10_000 }: HostBreakerOptions = {}) {
    this.#options = { failures, halfOpenAfterMs, maxHosts };
  }

  /** @throws BrokenCircuitError without calling, while the breaker of the host is open; otherwise what the call throws */
  async run<T>(host: string, call: () => Promise<T>): Promise<T> {
    const breaker = this.#use(host);
    return breaker.policy.execute(async () => {
      try {
        const result = await call();
        breaker.successes += 1;
        breaker.failuresInRow = 0;
        return result;
      } catch (error) {
        breaker.failures += 1;
        breaker.failuresInRow += 1;
        throw error;
      }
    });
  }

  /** All of them, by name. */
  list(): BreakerReport[] {
    return [...this.#hosts]
      .map(([host, { policy, failures, successes, openedAtMs }]) => ({
        name: `agents:${host}`,
        state: nameOf(policy.state),
        failures,
        successes,
        openedAtMs,
        nextProbeAtMs:
          openedAtMs !== null && policy.state === CircuitState.Open
            ? openedAtMs + this.#options.halfOpenAfterMs
            : null,
      }))
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** Forgets them, or those of the given names: the next call goes out. How many there were. */
  reset(names?: readonly string[]): number {
    const before = this.#hosts.size;
    if (names === undefined) this.#hosts.clear();
    else for (const name of names) this.#hosts.delete(name.replace(/^agents:/, ''));
    return before - this.#hosts.size;
  }

  #use(host: string): HostBreaker {
    const known = this.#hosts.get(host);
    const breaker = known ?? this.#make();
    this.#hosts.delete(host);
    if (!known && this.#hosts.size >= this.#options.maxHosts) this.#makeRoom();
    this.#hosts.set(host, breaker);
    return breaker;
  }

  #make(): HostBreaker {
    const policy = circuitBreaker(handleAll, {
      halfOpenAfter: this.#options.halfOpenAfterMs,
      breaker: new ConsecutiveBreaker(this.#options.failures),
    });
    const breaker: HostBreaker = { policy, failures: 0, failuresInRow: 0, successes: 0, openedAtMs: null };
    policy.onBreak(() => (breaker.openedAtMs = Date.now()));
    policy.onReset(() => (breaker.openedAtMs = null));
    return breaker;
  }

  #makeRoom(): void {
    let closed: string | undefined;
    for (const [host, { policy, failuresInRow }] of this.#hosts) {
      if (policy.state !== CircuitState.Closed) continue;
      // What has not failed has nothing to remember: more hosts than there is room for must not lose the count of dead ones.
      if (failuresInRow === 0) return void this.#hosts.delete(host);
      closed ??= host;
    }
    const [oldest] = this.#hosts.keys();
    const last = closed ?? oldest;
    if (last !== undefined) this.#hosts.delete(last);
  }
}

function nameOf(state: CircuitState): BreakerReport['state'] {
  if (state === CircuitState.Closed) return 'closed';
  return state === CircuitState.HalfOpen ? 'half-open' : 'open';
}
