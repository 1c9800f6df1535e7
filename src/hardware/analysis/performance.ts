import { resources, type Resource } from '../monitoring/resources';
import type { History } from '../monitoring/samples.repository';
import { inTurns } from './in-turns';
import { hoursOf, mediansOf, seriesOf } from './series';
import { quantileOfSorted } from './statistics';
import { theilSen } from './theil-sen';

/** The last day. */
export const performanceWindowHours = 24;
/** Samples of a resource under which nothing is said about it. */
export const performanceNeeds = Object.freeze({ samples: 30 });

export type TrendDirection = 'rising' | 'falling' | 'steady';

export interface ResourcePerformance {
  resource: Resource;
  /** Samples that the numbers are made of. */
  samples: number;
  hours: number;
  latest: number;
  mean: number;
  p50: number;
  p95: number;
  p99: number;
  max: number;
  trend: {
    /** Change in an hour, and the ends of its 95 % interval. */
    perHour: number;
    low: number;
    high: number;
    /** `steady` when the interval holds 0: the samples do not tell a trend from chance. */
    direction: TrendDirection;
  } | null;
}

/** What a history says about each resource; those with too few known values are left out. */
export function analysePerformance(history: History, nowMs: number): Promise<ResourcePerformance[]> {
  return inTurns(resources, resource => {
    const series = seriesOf(history.samples, resource, nowMs);
    const latest = series.at(-1);
    if (series.length < performanceNeeds.samples || !latest) return null;
    const sorted = Float64Array.from(series, ({ y }) => y).sort();
    const trend = theilSen(mediansOf(series));
    return {
      resource,
      samples: series.length,
      hours: hoursOf(series),
      latest: latest.y,
      mean: series.reduce((sum, { y }) => sum + y, 0) / series.length,
      p50: quantileOfSorted(sorted, 0.5),
      p95: quantileOfSorted(sorted, 0.95),
      p99: quantileOfSorted(sorted, 0.99),
      max: sorted[sorted.length - 1] ?? NaN,
      trend: trend
        ? {
            perHour: trend.slope,
            low: trend.low,
            high: trend.high,
            direction: trend.low > 0 ? 'rising' : trend.high < 0 ? 'falling' : 'steady',
          }
        : null,
    };
  });
}
