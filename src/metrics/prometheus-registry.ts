import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { TieredCache, type CacheCounters, type CacheStatistics } from '../cache';
import { Database } from '../database/database';

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];

const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** A change takes half a millisecond to be heard of, and with Δ at its default at most two seconds for L1 to be served. */
const lagBuckets = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2];
const breakerStates = ['closed', 'open', 'half-open'] as const;

/**
 * The metrics of one application, in a registry of its own. What the cache and the database count themselves is read
 * from them at each scrape, so that there is one count and nothing is added to a hit. Labels come from closed lists: policies,
 * outcomes, causes, tiers, templates of routes.
 */
@Injectable()
export class PrometheusRegistry implements OnApplicationShutdown {
  readonly httpDuration: Histogram<'method' | 'route' | 'status'>;
  readonly registry = new Registry();
  private stopMeasuring: (() => void) | undefined;

  constructor(
    private readonly cache: TieredCache,
    private readonly database: Database,
  ) {
    collectDefaultMetrics({ register: this.registry });
    this.httpDuration = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time from the head of a request to the end of its answer, by template of the route.',
      labelNames: ['method', 'route', 'status'],
      buckets: durationBuckets,
      registers: [this.registry],
    });
    this.addReads();
    this.addLoads();
    this.addTiers();
    this.addState();
    this.counter('database_queries_total', 'SQL queries run.', [], () => [[{}, this.database.queries]]);
  }

  /** Content type of `text`. */
  get contentType(): string {
    return this.registry.contentType;
  }

  /** Everything in the text format of Prometheus. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  onApplicationShutdown(): void {
    this.stopMeasuring?.();
    this.registry.clear();
  }

  private addReads(): void {
    this.counter('cache_requests_total', 'Reads by policy and outcome.', ['policy', 'outcome'], stats =>
      ofPolicies(stats, ({ outcomes }) =>
        Object.entries(outcomes).map(([outcome, count]) => [{ outcome }, count]),
      ),
    );
    this.counter('cache_misses_total', 'Misses by policy and cause.', ['policy', 'cause'], stats =>
      ofPolicies(stats, ({ causes }) => Object.entries(causes).map(([cause, count]) => [{ cause }, count])),
    );
    this.counter('cache_sets_total', 'Values set by their owners.', ['policy'], stats =>
      ofPolicies(stats, ({ sets }) => [[{}, sets]]),
    );
  }

  private addLoads(): void {
    this.counter('cache_loads_total', 'Runs of loaders.', ['policy'], stats =>
      ofPolicies(stats, ({ loads }) => [[{}, loads]]),
    );
    this.counter('cache_load_errors_total', 'Runs of loaders that failed.', ['policy'], stats =>
      ofPolicies(stats, ({ loadErrors }) => [[{}, loadErrors]]),
    );
    this.counter('cache_load_seconds_total', 'Time spent in loaders.', ['policy'], stats =>
      ofPolicies(stats, ({ loadMs }) => [[{}, loadMs / 1_000]]),
    );
    this.counter('cache_refreshes_total', 'Loads behind an answer that had been given.', ['policy'], stats =>
      ofPolicies(stats, ({ refreshes }) => [[{}, refreshes]]),
    );
    this.counter(
      'cache_fills_refused_total',
      'Loads whose value was invalidated meanwhile.',
      ['policy'],
      stats => ofPolicies(stats, ({ fillsRefused }) => [[{}, fillsRefused]]),
    );
    this.gauge('cache_loads_in_flight', 'Loaders running now.', [], () => [
      [{}, this.cache.status().loadsInFlight],
    ]);
  }

  private addTiers(): void {
    const tiers = ['l1', 'l2'] as const;
    this.counter('cache_tier_hits_total', 'Entries found.', ['tier'], stats =>
      tiers.map(tier => [{ tier }, stats.tiers[tier].hits]),
    );
    this.counter('cache_tier_misses_total', 'Entries not found.', ['tier'], stats =>
      tiers.map(tier => [{ tier }, stats.tiers[tier].misses]),
    );
    this.counter('cache_l1_evictions_total', 'Entries dropped from memory for room.', [], stats => [
      [{}, stats.tiers.l1.evictions],
    ]);
    this.counter('cache_l2_errors_total', 'Commands that Redis did not carry out.', [], stats => [
      [{}, stats.tiers.l2.errors],
    ]);
    this.gauge('cache_l1_entries', 'Entries in memory.', [], stats => [[{}, stats.tiers.l1.entries]]);
    this.gauge('cache_l1_bytes', 'Bytes in memory.', [], stats => [[{}, stats.tiers.l1.bytes]]);
    this.counter(
      'cache_compression_bytes_total',
      'Bytes before and after compression.',
      ['direction'],
      ({ compression }) => [
        [{ direction: 'in' }, compression.bytesIn],
        [{ direction: 'out' }, compression.bytesOut],
      ],
    );
    this.counter('cache_invalidations_total', 'Invalidations made here.', ['kind'], ({ invalidations }) =>
      Object.entries(invalidations).map(([kind, count]) => [{ kind }, count]),
    );
  }

  private addState(): void {
    this.gauge('cache_redis_up', 'Whether Redis answers; 0 as well when there is none.', [], () => [
      [{}, this.cache.status().remote.state === 'up' ? 1 : 0],
    ]);
    this.gauge(
      'cache_breaker_state',
      '1 for the state that the circuit breaker to Redis is in.',
      ['state'],
      () => {
        const { breaker } = this.cache.status().remote;
        return breakerStates.map(state => [{ state }, state === breaker ? 1 : 0]);
      },
    );
    this.gauge('cache_gate_open', 'Whether changes of other instances are heard.', [], () => [
      [{}, this.cache.status().gate.open ? 1 : 0],
    ]);
    this.gauge('cache_gate_age_seconds', 'Time since which changes of other instances are known.', [], () => {
      const { ageMs } = this.cache.status().gate;
      return ageMs === null ? [] : [[{}, ageMs / 1_000]];
    });
    this.counter(
      'cache_tracking_armings_total',
      'Times that listening for changes began, on any node; more than one a node means that it was lost.',
      [],
      () => [[{}, this.cache.status().gate.armings ?? 0]],
    );
    const lag = new Histogram({
      name: 'cache_coherence_lag_seconds',
      help: 'Time from a change in Redis to hearing of it here, as measured with each canary.',
      buckets: lagBuckets,
      registers: [this.registry],
    });
    this.stopMeasuring = this.cache.events.on('canary', ({ lagMs }) => lag.observe(lagMs / 1_000));
    this.gauge('cache_pending_invalidations', 'Invalidations that wait for Redis.', [], () => [
      [{}, this.cache.status().pendingInvalidations],
    ]);
  }

  private counter(
    name: string,
    help: string,
    labelNames: readonly string[],
    read: (stats: CacheStatistics) => readonly Sample[],
  ): void {
    const { cache } = this;
    const counter: Counter = new Counter({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect: () => {
        counter.reset();
        for (const [labels, value] of read(cache.stats())) counter.inc(labels, value);
      },
    });
  }

  private gauge(
    name: string,
    help: string,
    labelNames: readonly string[],
    read: (stats: CacheStatistics) => readonly Sample[],
  ): void {
    const { cache } = this;
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect: () => {
        gauge.reset();
        // A gauge without labels begins at 0; one that has nothing to say is left out.
        if (labelNames.length === 0) gauge.remove();
        for (const [labels, value] of read(cache.stats())) gauge.set(labels, value);
      },
    });
  }
}

/** The samples of each policy, under its name. */
function ofPolicies(
  { policies }: CacheStatistics,
  samples: (counters: CacheCounters) => readonly Sample[],
): Sample[] {
  return Object.entries(policies).flatMap(([policy, counters]) =>
    samples(counters).map(([labels, value]): Sample => [{ policy, ...labels }, value]),
  );
}
