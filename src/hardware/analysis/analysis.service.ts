import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/app-config';
import {
  type AnalysisDto,
  type CapacityAnalysisDto,
  type PerformanceAnalysisDto,
  type RecommendationsDto,
  toForecastDto,
  toPerformanceDto,
} from '../dto/analysis.dto';
import { AlertsRepository } from '../monitoring/alerts.repository';
import type { MonitoringConfig } from '../monitoring/monitoring-config';
import { MonitoringRepository } from '../monitoring/monitoring.repository';
import { resources } from '../monitoring/resources';
import { SamplesRepository, type History } from '../monitoring/samples.repository';
import { capacityNeeds, capacityResources, forecastCapacity, horizonDays } from './capacity';
import { analysePerformance, performanceNeeds, performanceWindowHours } from './performance';
import { recommend } from './recommendations';

const hourSeconds = 3_600;
const performanceWants = { ...performanceNeeds, hours: 0 };

/** What the recorded history of this host tells. Each call computes it; the routes are cached. */
@Injectable()
export class AnalysisService {
  constructor(
    private readonly app: AppConfig,
    private readonly monitoring: MonitoringRepository,
    private readonly samples: SamplesRepository,
    private readonly alerts: AlertsRepository,
  ) {}

  async performance(): Promise<PerformanceAnalysisDto> {
    const nowMs = Date.now();
    const history = await this.history(nowMs, performanceWindowHours);
    const results = await analysePerformance(history, nowMs);
    const known = new Set(results.map(({ resource }) => resource));
    return {
      ...this.head(nowMs, history, performanceWindowHours, performanceWants, results.length > 0),
      resources: results.map(toPerformanceDto),
      unknown: resources.filter(resource => !known.has(resource)),
    };
  }

  async capacity(): Promise<CapacityAnalysisDto> {
    const nowMs = Date.now();
    const { config } = await this.monitoring.read();
    const windowHours = config.retentionDays * 24;
    const history = await this.history(nowMs, windowHours);
    const forecasts = await forecastCapacity(history, config.thresholds, nowMs);
    const known = new Set(forecasts.map(({ resource }) => resource));
    return {
      ...this.head(nowMs, history, windowHours, capacityNeeds, forecasts.length > 0),
      horizon_days: horizonDays,
      forecasts: forecasts.map(forecast => toForecastDto(forecast, nowMs)),
      unknown: capacityResources.filter(resource => !known.has(resource)),
    };
  }

  async recommendations(): Promise<RecommendationsDto> {
    const nowMs = Date.now();
    const { config, updatedAt } = await this.monitoring.read();
    const lastDay = await this.history(nowMs, performanceWindowHours);
    const performance = await analysePerformance(lastDay, nowMs);
    const head = this.head(nowMs, lastDay, performanceWindowHours, performanceWants, performance.length > 0);
    if (head.status !== 'ok') return { ...head, recommendations: [] };
    const all = await this.history(nowMs, config.retentionDays * 24);
    const since = new Date(nowMs - performanceWindowHours * hourSeconds * 1_000).toISOString();
    const recommendations = recommend({
      performance,
      forecasts: await forecastCapacity(all, config.thresholds, nowMs),
      thresholds: config.thresholds,
      raised: await this.alerts.raisedSince(this.host, since),
      recorded: lastDay.total,
      expected: expectedSamples(lastDay, config, updatedAt),
    });
    return { ...head, recommendations };
  }

  private get host(): string {
    return this.app.hardware.hostId;
  }

  private history(nowMs: number, hours: number): Promise<History> {
    const now = Math.floor(nowMs / 1_000);
    return this.samples.history(this.host, now - hours * hourSeconds, now);
  }

  private head(
    nowMs: number,
    history: History,
    windowHours: number,
    needs: { readonly samples: number; readonly hours: number },
    isEnough: boolean,
  ): AnalysisDto {
    return {
      status: isEnough ? 'ok' : 'insufficient_data',
      host: this.host,
      computed_at: new Date(nowMs).toISOString(),
      window_hours: windowHours,
      samples: {
        count: history.total,
        needed: needs.samples,
        hours: Number((spanSeconds(history) / hourSeconds).toFixed(2)),
        needed_hours: needs.hours,
      },
    };
  }
}

function spanSeconds({ samples }: History): number {
  const [first, last] = [samples[0], samples.at(-1)];
  return first && last ? last.tick - first.tick : 0;
}

/** How many samples there would be without gaps; 0 where nobody can say, because the interval changed within their time. */
function expectedSamples(history: History, config: MonitoringConfig, updatedAt: string | null): number {
  const first = history.samples[0];
  const isSteady = first && (updatedAt === null || Date.parse(updatedAt) / 1_000 < first.tick);
  return isSteady ? Math.floor(spanSeconds(history) / config.intervalSeconds) + 1 : 0;
}
