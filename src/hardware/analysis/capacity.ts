import type { MonitoringConfig } from '../monitoring/monitoring-config';
import type { Resource } from '../monitoring/resources';
import type { History } from '../monitoring/samples.repository';
import { inTurns } from './in-turns';
import { hoursOf, mediansOf, seriesOf } from './series';
import { theilSen } from './theil-sen';

/** What can run full. */
export const capacityResources = ['memory', 'swap', 'disk'] as const satisfies readonly Resource[];
export type CapacityResource = (typeof capacityResources)[number];

/** Under these a forecast would be a guess. */
export const capacityNeeds = Object.freeze({ samples: 120, hours: 1 });
/** Nothing is forecast further ahead. */
export const horizonDays = 365;
/** The limit of a resource that is not watched. */
const full = 100;

/**
 * `reached`: at or above the limit now. `growing`: it will be, within the horizon. `steady`: the samples do not tell a trend
 * from chance, or it leads beyond the horizon. `shrinking`: certainly falling.
 */
export const outlooks = ['reached', 'growing', 'steady', 'shrinking'] as const;
export type Outlook = (typeof outlooks)[number];

export const confidenceRatings = ['high', 'moderate', 'low'] as const;

export interface Forecast {
  resource: CapacityResource;
  outlook: Outlook;
  /** Percent now, on the line of the trend. */
  current: number;
  /** The percentage that must not be reached: where the monitoring raises, or 100 when it does not watch. */
  limit: number;
  /** Percentage points in a day, and the ends of the 95 % interval. */
  perDay: number;
  low: number;
  high: number;
  /** Hours until the limit is reached: most likely, at the earliest and at the latest; null when not within the horizon. */
  reachedInHours: number | null;
  earliestInHours: number | null;
  latestInHours: number | null;
  confidence: {
    /**
     * How far the forecast reaches beyond what was seen: `high` up to as long as the history is, `moderate` up to three
     * times that, `low` further. A line through a day says little of next month.
     */
    rating: (typeof confidenceRatings)[number];
    /** Points that the line goes through: medians of stretches of the history. */
    points: number;
    hours: number;
  };
}

/** When each resource that can run full will have; those of which too little is known are left out. */
export function forecastCapacity(
  history: History,
  thresholds: MonitoringConfig['thresholds'],
  nowMs: number,
): Promise<Forecast[]> {
  return inTurns(capacityResources, resource => {
    const series = seriesOf(history.samples, resource, nowMs);
    const hours = hoursOf(series);
    if (series.length < capacityNeeds.samples || hours < capacityNeeds.hours) return null;
    const points = mediansOf(series);
    const trend = theilSen(points);
    if (!trend) return null;
    const limit = thresholds[resource]?.raise ?? full;
    const current = trend.intercept; // x is 0 now
    // How long the line takes from here to the limit, at a slope of so many points an hour.
    const hoursAt = (slope: number): number | null => {
      const needed = slope > 0 ? (limit - current) / slope : Infinity;
      return needed <= horizonDays * 24 ? Math.max(0, needed) : null;
    };
    const isReached = current >= limit;
    const reachedInHours = trend.low > 0 ? hoursAt(trend.slope) : null;
    const isGrowing = !isReached && reachedInHours !== null;
    const reach = isGrowing ? reachedInHours / hours : 0;
    return {
      resource,
      outlook: isReached ? 'reached' : isGrowing ? 'growing' : trend.high < 0 ? 'shrinking' : 'steady',
      current,
      limit,
      perDay: trend.slope * 24,
      low: trend.low * 24,
      high: trend.high * 24,
      reachedInHours: isReached ? 0 : reachedInHours,
      earliestInHours: isGrowing ? hoursAt(trend.high) : null,
      latestInHours: isGrowing ? hoursAt(trend.low) : null,
      confidence: {
        rating: reach <= 1 ? 'high' : reach <= 3 ? 'moderate' : 'low',
        points: points.length,
        hours,
      },
    };
  });
}
