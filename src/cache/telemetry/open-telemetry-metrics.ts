import { metrics, type Meter, type ObservableResult } from '@opentelemetry/api';
import type { CacheCounters, CacheStatistics, TieredCache } from '../core';
import { instrumentationName } from './open-telemetry-tracer';

/**
 * The counts of a cache as instruments of OpenTelemetry, read when somebody collects them. The SDK has to be registered before
 * the application is made, as its `--import` does.
 */
export class OpenTelemetryMetrics {
  readonly #stop: (() => void)[] = [];

  constructor(private readonly cache: TieredCache) {
    const meter = metrics.getMeter(instrumentationName);
    this.observePolicies(meter);
    this.observeTiers(meter);
    this.measureTimes(meter);
  }

  stop(): void {
    for (const each of this.#stop.splice(0)) each();
  }

  private observePolicies(meter: Meter): void {
    this.counter(meter, 'cache.requests', 'Reads by policy and outcome.', ({ outcomes }) =>
      Object.entries(outcomes).map(([outcome, count]) => [count, { 'cache.outcome': outcome }]),
    );
    this.counter(meter, 'cache.misses', 'Misses by policy and cause.', ({ causes }) =>
      Object.entries(causes).map(([cause, count]) => [count, { 'cache.cause': cause }]),
    );
    this.counter(meter, 'cache.loads', 'Runs of loaders.', ({ loads }) => [[loads, {}]]);
    this.counter(meter, 'cache.load.errors', 'Runs of loaders that failed.', ({ loadErrors }) => [
      [loadErrors, {}],
    ]);
  }

  private observeTiers(meter: Meter): void {
    const entries = meter.createObservableGauge('cache.l1.entries', {
      description: 'Entries in memory.',
      unit: '{entry}',
    });
    const bytes = meter.createObservableGauge('cache.l1.size', {
      description: 'Bytes in memory.',
      unit: 'By',
    });
    const evictions = meter.createObservableCounter('cache.l1.evictions', {
      description: 'Entries dropped from memory for room.',
      unit: '{entry}',
    });
    const observe = (instrument: typeof entries, read: (stats: CacheStatistics) => number): void => {
      const callback = (result: ObservableResult): void => result.observe(read(this.cache.stats()));
      instrument.addCallback(callback);
      this.#stop.push(() => instrument.removeCallback(callback));
    };
    observe(entries, ({ tiers }) => tiers.l1.entries);
    observe(bytes, ({ tiers }) => tiers.l1.bytes);
    observe(evictions, ({ tiers }) => tiers.l1.evictions);
  }

  private measureTimes(meter: Meter): void {
    const loads = meter.createHistogram('cache.load.duration', {
      description: 'Time of a run of a loader.',
      unit: 's',
    });
    const operations = meter.createHistogram('cache.operation.duration', {
      description: 'Time until Redis has answered.',
      unit: 's',
    });
    const lag = meter.createHistogram('cache.coherence.lag', {
      description: 'Time from a change in Redis to hearing of it.',
      unit: 's',
    });
    const { events } = this.cache;
    this.#stop.push(
      events.on('load', ({ policy, refresh, durationMs, error }) =>
        loads.record(durationMs / 1_000, {
          'cache.policy': this.cache.countedAs(policy),
          'cache.refresh': refresh,
          'cache.failed': error !== undefined,
        }),
      ),
      events.on('operation', ({ operation, durationMs, failed }) =>
        operations.record(durationMs / 1_000, { 'cache.operation': operation, 'cache.failed': failed }),
      ),
      events.on('canary', ({ lagMs }) => lag.record(lagMs / 1_000)),
    );
  }

  private counter(
    meter: Meter,
    name: string,
    description: string,
    read: (counters: CacheCounters) => [count: number, attributes: Record<string, string>][],
  ): void {
    const instrument = meter.createObservableCounter(name, { description });
    const callback = (result: ObservableResult): void => {
      for (const [policy, counters] of Object.entries(this.cache.stats().policies))
        for (const [count, attributes] of read(counters))
          result.observe(count, { 'cache.policy': policy, ...attributes });
    };
    instrument.addCallback(callback);
    this.#stop.push(() => instrument.removeCallback(callback));
  }
}
