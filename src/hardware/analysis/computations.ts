import { Injectable } from '@nestjs/common';
import { CacheHeavyComputation } from '../../cache';
import { hardwareCache } from '../cache';
import { AlertsRepository } from '../monitoring/alerts.repository';
import { MonitoringRepository } from '../monitoring/monitoring.repository';
import { SamplesRepository, type History } from '../monitoring/samples.repository';
import { type Forecast, forecastCapacity } from './capacity';
import { analysePerformance, performanceWindowHours, type ResourcePerformance } from './performance';
import { type Recommendation, recommend } from './recommendations';

/** A result with when and from how much it was computed. */
export interface Computed<T> {
  readonly computedAtMs: number;
  /** Samples in the window. */
  readonly samples: number;
  /** Between the first and the last of them. */
  readonly hours: number;
  readonly results: readonly T[];
}

const hourSeconds = 3_600;
const daySeconds = 86_400;

/**
 * What is computed from the history of one host, whose name is in the key: instances of a host share it, hosts do not.
 * Undefined, which is not stored, while there is too little: it should not take half an hour to notice that there is enough.
 */
@Injectable()
export class Computations {
  constructor(
    private readonly samples: SamplesRepository,
    private readonly monitoring: MonitoringRepository,
    private readonly alerts: AlertsRepository,
  ) {}

  @CacheHeavyComputation(hardwareCache.performanceOf)
  async performance(host: string): Promise<Computed<ResourcePerformance> | undefined> {
    const nowMs = Date.now();
    const history = await this.samples.history(host, tickBefore(nowMs, performanceWindowHours * hourSeconds));
    return computed(nowMs, history, analysePerformance(history, nowMs));
  }

  @CacheHeavyComputation(hardwareCache.capacityOf)
  async capacity(host: string): Promise<Computed<Forecast> | undefined> {
    const nowMs = Date.now();
    const { config } = await this.monitoring.read();
    const history = await this.samples.history(host, tickBefore(nowMs, config.retentionDays * daySeconds));
    return computed(nowMs, history, forecastCapacity(history, config.thresholds, nowMs));
  }

  @CacheHeavyComputation(hardwareCache.recommendationsOf)
  async recommendations(host: string): Promise<Computed<Recommendation> | undefined> {
    const nowMs = Date.now();
    const [performance, capacity, { config, updatedAt }] = await Promise.all([
      this.performance(host),
      this.capacity(host),
      this.monitoring.read(),
    ]);
    if (!performance) return undefined;
    const sinceMs = nowMs - performanceWindowHours * hourSeconds * 1_000;
    // With another interval within the window nobody can say how many there should be.
    const isSteady = updatedAt === null || Date.parse(updatedAt) < nowMs - performance.hours * 3_600_000;
    const results = recommend({
      performance: performance.results,
      forecasts: capacity?.results ?? [],
      thresholds: config.thresholds,
      raised: await this.alerts.raisedSince(host, new Date(sinceMs).toISOString()),
      recorded: performance.samples,
      expected: isSteady ? Math.floor((performance.hours * hourSeconds) / config.intervalSeconds) + 1 : 0,
    });
    return { computedAtMs: nowMs, samples: performance.samples, hours: performance.hours, results };
  }
}

function tickBefore(nowMs: number, seconds: number): number {
  return Math.floor(nowMs / 1_000) - seconds;
}

function computed<T>(computedAtMs: number, history: History, results: readonly T[]): Computed<T> | undefined {
  const [first, last] = [history.samples[0], history.samples.at(-1)];
  if (results.length === 0 || !first || !last) return undefined;
  return { computedAtMs, samples: history.total, hours: (last.tick - first.tick) / hourSeconds, results };
}
