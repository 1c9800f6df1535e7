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
import { MonitoringRepository } from '../monitoring/monitoring.repository';
import { resources } from '../monitoring/resources';
import { SamplesRepository } from '../monitoring/samples.repository';
import { capacityNeeds, capacityResources, horizonDays } from './capacity';
import { Computations, type Computed } from './computations';
import { performanceNeeds, performanceWindowHours } from './performance';

/** Life of a computation in seconds, as its policy has it. */
const lifeSeconds = 1_800;
/** An answer of too little data, or of a computation that is past its life, is asked for again after so long. */
const shortSeconds = 10;

/** An answer and for how many seconds it may be kept: what is left of the life of the computation behind it. */
export interface Analysed<T> {
  readonly answer: T;
  readonly freshSeconds: number;
}

interface Needs {
  readonly samples: number;
  readonly hours: number;
}

/** What the recorded history of this host tells. */
@Injectable()
export class AnalysisService {
  constructor(
    private readonly config: AppConfig,
    private readonly computations: Computations,
    private readonly monitoring: MonitoringRepository,
    private readonly samples: SamplesRepository,
  ) {}

  async performance(): Promise<Analysed<PerformanceAnalysisDto>> {
    const computed = await this.computations.performance(this.host);
    const needs = { ...performanceNeeds, hours: 0 };
    const known = new Set(computed?.results.map(({ resource }) => resource));
    return this.answer(computed, needs, performanceWindowHours, head => ({
      ...head,
      resources: computed?.results.map(toPerformanceDto) ?? [],
      unknown: resources.filter(resource => !known.has(resource)),
    }));
  }

  async capacity(): Promise<Analysed<CapacityAnalysisDto>> {
    const computed = await this.computations.capacity(this.host);
    const known = new Set(computed?.results.map(({ resource }) => resource));
    const { retentionDays } = (await this.monitoring.read()).config;
    return this.answer(computed, capacityNeeds, retentionDays * 24, head => ({
      ...head,
      horizon_days: horizonDays,
      forecasts: computed?.results.map(each => toForecastDto(each, computed.computedAtMs)) ?? [],
      unknown: capacityResources.filter(resource => !known.has(resource)),
    }));
  }

  async recommendations(): Promise<Analysed<RecommendationsDto>> {
    const computed = await this.computations.recommendations(this.host);
    const needs = { ...performanceNeeds, hours: 0 };
    return this.answer(computed, needs, performanceWindowHours, head => ({
      ...head,
      recommendations: computed?.results.map(each => ({ ...each, evidence: { ...each.evidence } })) ?? [],
    }));
  }

  private get host(): string {
    return this.config.hardware.hostId;
  }

  private async answer<T>(
    computed: Computed<unknown> | undefined,
    needs: Needs,
    windowHours: number,
    fill: (head: AnalysisDto) => T,
  ): Promise<Analysed<T>> {
    const nowMs = Date.now();
    const sinceTick = Math.floor(nowMs / 1_000) - windowHours * 3_600;
    const there = computed
      ? { total: computed.samples, hours: computed.hours }
      : await this.samples.span(this.host, sinceTick);
    const head: AnalysisDto = {
      status: computed ? 'ok' : 'insufficient_data',
      host: this.host,
      computed_at: new Date(computed?.computedAtMs ?? nowMs).toISOString(),
      window_hours: windowHours,
      samples: {
        count: there.total,
        needed: needs.samples,
        hours: Number(there.hours.toFixed(2)),
        needed_hours: needs.hours,
      },
    };
    const ageSeconds = computed ? Math.floor((nowMs - computed.computedAtMs) / 1_000) : lifeSeconds;
    return { answer: fill(head), freshSeconds: Math.max(shortSeconds, lifeSeconds - ageSeconds) };
  }
}
