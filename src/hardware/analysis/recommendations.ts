import type { MonitoringConfig } from '../monitoring/monitoring-config';
import { resourceDescriptions, type Resource, shownValue } from '../monitoring/resources';
import type { Forecast } from './capacity';
import type { ResourcePerformance } from './performance';

export const recommendationKinds = [
  'running_full',
  'sustained_load',
  'memory_growth',
  'alert_flood',
  'oversized',
  'gaps_in_history',
] as const;
export type RecommendationKind = (typeof recommendationKinds)[number];

export const severities = ['critical', 'warning', 'info'] as const;

export interface Recommendation {
  kind: RecommendationKind;
  resource: Resource | null;
  severity: (typeof severities)[number];
  /** What to do, with the numbers why. */
  message: string;
  /** The numbers behind it. */
  evidence: Record<string, number>;
}

/** What a recommendation is made from. */
export interface Findings {
  performance: readonly ResourcePerformance[];
  forecasts: readonly Forecast[];
  thresholds: MonitoringConfig['thresholds'];
  /** How often an alert of each resource was raised within the last day. */
  raised: ReadonlyMap<Resource, number>;
  /** Samples of the last day that there are, and that there would be without gaps since the first of them. */
  recorded: number;
  expected: number;
}

/** Alerts of one resource in a day that are too many to be looked at. */
const floodAlerts = 5;
/** Below these a host is larger than its work. */
const idle = Object.freeze({ cpuP99: 20, memoryP99: 40, hours: 12 });
/** Share of samples that may be missing: restarts, a database that was away for a moment. */
const maxGapShare = 0.1;

/** Advice that follows from the numbers, the most urgent first; none is given without them. */
export function recommend(findings: Findings): Recommendation[] {
  const all = [
    ...findings.forecasts.flatMap(runningFull),
    ...findings.performance.flatMap(each => sustainedLoad(each, findings)),
    ...memoryGrowth(findings),
    ...alertFlood(findings),
    ...oversized(findings),
    ...gaps(findings),
  ];
  const rank = ({ severity }: Recommendation): number => severities.indexOf(severity);
  return all.sort((a, b) => rank(a) - rank(b));
}

function runningFull(forecast: Forecast): Recommendation[] {
  const { resource, outlook, current, limit, perDay, reachedInHours, earliestInHours } = forecast;
  const { what } = resourceDescriptions[resource];
  const numbers = { current_percent: current, limit_percent: limit, percent_per_day: perDay };
  if (outlook === 'reached') {
    return [
      {
        kind: 'running_full',
        resource,
        severity: 'critical',
        message: `${what} is ${shownValue(resource, current)}, at or above its limit of ${limit} %: free some, or enlarge it.`,
        evidence: rounded(numbers),
      },
    ];
  }
  if (outlook !== 'growing' || reachedInHours === null) return [];
  const days = reachedInHours / 24;
  const earliest = earliestInHours === null ? '' : `, at the earliest in ${shownDays(earliestInHours / 24)}`;
  return [
    {
      kind: 'running_full',
      resource,
      severity: days < 1 ? 'critical' : days < 14 ? 'warning' : 'info',
      message: `${what} is ${shownValue(resource, current)} and grows by ${rounded({ perDay }).perDay} points a day: it reaches ${limit} % in ${shownDays(days)}${earliest}. Free some, or enlarge it before.`,
      evidence: rounded({
        ...numbers,
        days,
        confidence_points: forecast.confidence.points,
        observed_hours: forecast.confidence.hours,
      }),
    },
  ];
}

function sustainedLoad(
  { resource, p50, p95, samples, hours }: ResourcePerformance,
  { thresholds }: Findings,
): Recommendation[] {
  const threshold = thresholds[resource];
  // The disk runs full or does not; that it is full for long is no load.
  if (!threshold || resource === 'disk' || p95 < threshold.raise) return [];
  const isMostly = p50 >= threshold.raise;
  const { what } = resourceDescriptions[resource];
  const share = isMostly ? 'half' : '5 %';
  return [
    {
      kind: 'sustained_load',
      resource,
      severity: isMostly ? 'critical' : 'warning',
      message: `${what} was at or above ${shownValue(resource, threshold.raise)} in at least ${share} of ${samples} samples over ${shownHours(hours)}: move work away, or give this host more.`,
      evidence: rounded({ p50, p95, threshold: threshold.raise, samples, hours }),
    },
  ];
}

/** A rising line of the memory with swap in use is the picture of a leak; the forecast alone does not see the swap. */
function memoryGrowth({ performance }: Findings): Recommendation[] {
  const memory = performance.find(({ resource }) => resource === 'memory');
  const swap = performance.find(({ resource }) => resource === 'swap');
  if (memory?.trend?.direction !== 'rising' || !swap || swap.trend?.direction !== 'rising') return [];
  return [
    {
      kind: 'memory_growth',
      resource: 'memory',
      severity: 'warning',
      message: `Memory use rises by ${rounded({ n: memory.trend.perHour }).n} points an hour and swap use by ${rounded({ n: swap.trend.perHour }).n}: look for the process that grows (/hardware/processes?sort_by=memory).`,
      evidence: rounded({
        memory_per_hour: memory.trend.perHour,
        swap_per_hour: swap.trend.perHour,
        memory_latest: memory.latest,
        swap_latest: swap.latest,
      }),
    },
  ];
}

function alertFlood({ raised, thresholds }: Findings): Recommendation[] {
  return [...raised].flatMap(([resource, count]): Recommendation[] => {
    const threshold = thresholds[resource];
    if (!threshold || count < floodAlerts) return [];
    const { raise, clear, samples } = threshold;
    return [
      {
        kind: 'alert_flood',
        resource,
        severity: 'info',
        message: `${count} alerts of ${resource} in a day, raised at ${raise} and cleared at ${clear} after ${samples} samples: widen the gap, or ask for more samples (POST /hardware/monitoring/config).`,
        evidence: rounded({ alerts: count, raise, clear, samples }),
      },
    ];
  });
}

function oversized({ performance }: Findings): Recommendation[] {
  const cpu = performance.find(({ resource }) => resource === 'cpu');
  const memory = performance.find(({ resource }) => resource === 'memory');
  if (!cpu || !memory || Math.min(cpu.hours, memory.hours) < idle.hours) return [];
  if (cpu.p99 >= idle.cpuP99 || memory.p99 >= idle.memoryP99) return [];
  return [
    {
      kind: 'oversized',
      resource: null,
      severity: 'info',
      message: `In 99 % of the samples over ${shownHours(cpu.hours)} CPU use was at most ${shownValue('cpu', cpu.p99)} and memory use ${shownValue('memory', memory.p99)}: a smaller host would do.`,
      evidence: rounded({ cpu_p99: cpu.p99, memory_p99: memory.p99, hours: cpu.hours }),
    },
  ];
}

function gaps({ recorded, expected }: Findings): Recommendation[] {
  const missing = expected - recorded;
  if (expected <= 0 || missing / expected <= maxGapShare) return [];
  return [
    {
      kind: 'gaps_in_history',
      resource: null,
      severity: 'info',
      message: `${missing} of ${expected} samples of the last day are missing: whether the database was away, or no instance ran, hardware_samples_total tells.`,
      evidence: { recorded, expected, missing },
    },
  ];
}

function rounded<T extends Record<string, number>>(numbers: T): T {
  return Object.fromEntries(
    Object.entries(numbers).map(([name, value]) => [name, Number(value.toPrecision(4))]),
  ) as T;
}

function shownDays(days: number): string {
  return days < 2 ? shownHours(days * 24) : `${Math.round(days)} days`;
}

function shownHours(hours: number): string {
  return hours < 1 ? `${Math.round(hours * 60)} minutes` : `${Number(hours.toFixed(1))} hours`;
}
