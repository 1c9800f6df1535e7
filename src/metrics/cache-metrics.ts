import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { TieredCache, type CacheCounters, type CacheStatistics } from '../cache';
import type { Sample } from './collected';
import { PrometheusRegistry } from './prometheus-registry';

/** What the cache has counted: reads, loads, tiers. The same numbers as `GET /api/v1/cache/stats` for this instance. */
@Injectable()
export class CacheMetrics implements OnApplicationShutdown {
  private readonly stopTiming: () => void;

  constructor(
    private readonly cache: TieredCache,
    private readonly metrics: PrometheusRegistry,
  ) {
    this.addReads();
    this.addLoads();
    this.addTiers();
    this.addWrites();
    const durations = metrics.histogram(
      'cache_load_duration_seconds',
      'Time of a run of a loader, by policy, and whether it ran behind an answer and failed.',
      ['policy', 'refresh', 'failed'],
    );
    this.stopTiming = cache.events.on('load', ({ policy, refresh, error, durationMs }) =>
      durations.observe(
        { policy: cache.countedAs(policy), refresh: String(refresh), failed: String(error !== undefined) },
        durationMs / 1_000,
      ),
    );
  }

  onApplicationShutdown(): void {
    this.stopTiming();
  }

  private addReads(): void {
    this.ofPolicies('cache_requests_total', 'Reads by policy and outcome.', ['outcome'], ({ outcomes }) =>
      Object.entries(outcomes).map(([outcome, count]) => [{ outcome }, count]),
    );
    this.ofPolicies('cache_misses_total', 'Misses by policy and cause.', ['cause'], ({ causes }) =>
      Object.entries(causes).map(([cause, count]) => [{ cause }, count]),
    );
    this.ofPolicies(
      'cache_stale_answers_total',
      'Stale answers by how far past their fresh life they were.',
      ['age'],
      ({ staleAges }) => Object.entries(staleAges).map(([age, count]) => [{ age }, count]),
    );
  }

  private addLoads(): void {
    this.ofPolicies('cache_loads_total', 'Runs of loaders.', [], ({ loads }) => [[{}, loads]]);
    this.ofPolicies('cache_load_errors_total', 'Runs of loaders that failed.', [], ({ loadErrors }) => [
      [{}, loadErrors],
    ]);
    this.ofPolicies('cache_load_seconds_total', 'Time spent in loaders.', [], ({ loadMs }) => [
      [{}, loadMs / 1_000],
    ]);
    this.ofPolicies(
      'cache_load_seconds_saved',
      'Time that answers from the cache would have spent in loaders, at the mean of their policy.',
      [],
      ({ loadMsSaved }) => [[{}, loadMsSaved / 1_000]],
      'gauge',
    );
    this.ofPolicies(
      'cache_origin_calls_avoided',
      'Answers without a load of their own, less the refreshes; negative where refreshing costs more than is read.',
      [],
      ({ originCallsAvoided }) => [[{}, originCallsAvoided]],
      'gauge',
    );
    this.ofPolicies(
      'cache_refreshes_total',
      'Loads behind an answer that had been given.',
      [],
      ({ refreshes }) => [[{}, refreshes]],
    );
    this.ofPolicies(
      'cache_fills_refused_total',
      'Loads whose value was invalidated meanwhile.',
      [],
      ({ fillsRefused }) => [[{}, fillsRefused]],
    );
    this.metrics.collected.gauge('cache_loads_in_flight', 'Loaders running now.', [], () => [
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
    this.counter('cache_l2_bytes_total', 'Bytes of entries, as they are in Redis.', ['direction'], stats => [
      [{ direction: 'read' }, stats.tiers.l2.bytesRead],
      [{ direction: 'written' }, stats.tiers.l2.bytesWritten],
    ]);
    this.counter(
      'cache_corrupt_entries_total',
      'Entries that could not be read.',
      ['reason'],
      ({ corrupt }) => Object.entries(corrupt).map(([reason, count]) => [{ reason }, count]),
    );
    const { collected } = this.metrics;
    collected.gauge('cache_l1_entries', 'Entries in memory.', [], () => [
      [{}, this.cache.status().l1Entries],
    ]);
    collected.gauge('cache_l1_bytes', 'Bytes in memory.', [], () => [[{}, this.cache.status().l1Bytes]]);
  }

  private addWrites(): void {
    this.ofPolicies('cache_sets_total', 'Values set by their owners.', [], ({ sets }) => [[{}, sets]]);
    this.counter('cache_invalidations_total', 'Invalidations made here.', ['kind'], ({ invalidations }) =>
      Object.entries(invalidations).map(([kind, count]) => [{ kind }, count]),
    );
    this.counter(
      'cache_compression_bytes_total',
      'Bytes before and after compression.',
      ['direction'],
      ({ compression }) => [
        [{ direction: 'in' }, compression.bytesIn],
        [{ direction: 'out' }, compression.bytesOut],
      ],
    );
  }

  private counter(
    name: string,
    help: string,
    labelNames: readonly string[],
    read: (stats: CacheStatistics) => readonly Sample[],
  ): void {
    this.metrics.collected.counter(name, help, labelNames, () => read(this.cache.stats()));
  }

  private ofPolicies(
    name: string,
    help: string,
    labelNames: readonly string[],
    read: (counters: CacheCounters) => readonly Sample[],
    kind: 'counter' | 'gauge' = 'counter',
  ): void {
    this.metrics.collected[kind](name, help, ['policy', ...labelNames], () =>
      Object.entries(this.cache.stats().policies).flatMap(([policy, counters]) =>
        read(counters).map(([labels, value]): Sample => [{ policy, ...labels }, value]),
      ),
    );
  }
}
