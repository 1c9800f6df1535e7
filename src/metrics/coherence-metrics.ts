import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { TieredCache } from '../cache';
import { PrometheusRegistry } from './prometheus-registry';

/** A change takes half a millisecond to be heard of, and with Δ at its default at most two seconds for L1 to be served. */
const lagBuckets = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2];
const breakerStates = ['closed', 'open', 'half-open'] as const;

/** How the cache and Redis get on: breaker, gate, lag, times of commands, what waits. */
@Injectable()
export class CoherenceMetrics implements OnApplicationShutdown {
  private readonly stop: (() => void)[];

  constructor(
    private readonly cache: TieredCache,
    metrics: PrometheusRegistry,
  ) {
    this.addState(metrics);
    const lag = metrics.histogram(
      'cache_coherence_lag_seconds',
      'Time from a change in Redis to hearing of it here, as measured with each canary.',
      [],
      lagBuckets,
    );
    const operations = metrics.histogram(
      'cache_operation_duration_seconds',
      'Time until Redis has answered, by what was asked; reads of one turn are one operation.',
      ['operation', 'failed'],
    );
    let opened = 0;
    let last = cache.status().remote.breaker;
    metrics.collected.counter(
      'cache_breaker_opened_total',
      'Times that the circuit breaker to Redis has opened.',
      [],
      () => [[{}, opened]],
    );
    this.stop = [
      cache.events.on('canary', ({ lagMs }) => lag.observe(lagMs / 1_000)),
      cache.events.on('operation', ({ operation, durationMs, failed }) =>
        operations.observe({ operation, failed: String(failed) }, durationMs / 1_000),
      ),
      cache.events.on('remote', ({ breaker }) => {
        if (breaker === 'open' && last !== 'open') opened += 1;
        last = breaker;
      }),
    ];
  }

  onApplicationShutdown(): void {
    for (const each of this.stop) each();
  }

  private addState({ collected }: PrometheusRegistry): void {
    const { cache } = this;
    collected.gauge('cache_redis_up', 'Whether Redis answers; 0 as well when there is none.', [], () => [
      [{}, cache.status().remote.state === 'up' ? 1 : 0],
    ]);
    collected.gauge(
      'cache_breaker_state',
      '1 for the state that the circuit breaker to Redis is in.',
      ['state'],
      () => {
        const { breaker } = cache.status().remote;
        return breakerStates.map(state => [{ state }, state === breaker ? 1 : 0]);
      },
    );
    collected.gauge('cache_gate_open', 'Whether changes of other instances are heard.', [], () => [
      [{}, cache.status().gate.open ? 1 : 0],
    ]);
    collected.gauge(
      'cache_gate_age_seconds',
      'Time since which changes of other instances are known.',
      [],
      () => {
        const { ageMs } = cache.status().gate;
        return ageMs === null ? [] : [[{}, ageMs / 1_000]];
      },
    );
    collected.counter(
      'cache_tracking_armings_total',
      'Times that listening for changes began, on any node; more than one a node means that it was lost.',
      [],
      () => [[{}, cache.status().gate.armings ?? 0]],
    );
    collected.gauge('cache_pending_invalidations', 'Invalidations that wait for Redis.', [], () => [
      [{}, cache.status().pendingInvalidations],
    ]);
    collected.counter(
      'cache_listener_errors_total',
      'Errors thrown by listeners to events of the cache.',
      [],
      () => [[{}, cache.events.listenerErrors]],
    );
  }
}
