import { resources, type Resource } from './resources';

/** When an alert is raised and cleared. Between `clear` and `raise` it stays as it is: a value that wavers raises nothing. */
export interface Threshold {
  /** Raised when the last `samples` samples were all at or above it. */
  raise: number;
  /** Cleared when the last `samples` samples were all at or below it; below `raise`. */
  clear: number;
  /** Samples in a row. */
  samples: number;
}

/** How hosts are watched. */
export interface MonitoringConfig {
  /** Seconds between two samples. */
  intervalSeconds: number;
  /** Days that samples, and alerts that were cleared, are kept. */
  retentionDays: number;
  /** Null for what is recorded and not watched. */
  thresholds: Record<Resource, Threshold | null>;
}

export interface MonitoringChange {
  intervalSeconds?: number | undefined;
  retentionDays?: number | undefined;
  thresholds?: { [R in Resource]?: Threshold | null | undefined } | undefined;
}

/** Smallest and largest values. */
export const monitoringLimits = Object.freeze({
  intervalSeconds: [1, 3_600],
  retentionDays: [1, 90],
  samples: [1, 100],
  /** Rows of one host that the retention may come to. */
  rowsOfHost: 1_000_000,
} as const);

export const monitoringDefaults: MonitoringConfig = Object.freeze({
  intervalSeconds: 30,
  retentionDays: 7,
  thresholds: Object.freeze({
    cpu: { raise: 90, clear: 75, samples: 4 },
    load: { raise: 4, clear: 2, samples: 4 },
    memory: { raise: 90, clear: 85, samples: 4 },
    swap: { raise: 80, clear: 60, samples: 4 },
    disk: { raise: 90, clear: 85, samples: 2 },
  }),
});

/** The configuration with a change laid over it; a threshold is changed as a whole. The base stays as it is. */
export function mergeMonitoring(base: MonitoringConfig, change: MonitoringChange): MonitoringConfig {
  const thresholds = { ...base.thresholds };
  for (const resource of resources) {
    const given = change.thresholds?.[resource];
    if (given !== undefined) thresholds[resource] = given;
  }
  return {
    intervalSeconds: change.intervalSeconds ?? base.intervalSeconds,
    retentionDays: change.retentionDays ?? base.retentionDays,
    thresholds,
  };
}

/** Why a configuration cannot be used although each of its numbers is right: place and sentence, or undefined. */
export function monitoringContradiction(
  config: MonitoringConfig,
): { path: string; message: string } | undefined {
  for (const resource of resources) {
    const threshold = config.thresholds[resource];
    if (threshold && threshold.clear >= threshold.raise)
      return {
        path: `thresholds.${resource}.clear`,
        message: `must be below thresholds.${resource}.raise (${threshold.raise})`,
      };
  }
  const rows = Math.floor((config.retentionDays * 86_400) / config.intervalSeconds);
  return rows > monitoringLimits.rowsOfHost
    ? {
        path: 'retention_days',
        message: `${config.retentionDays} days of samples every ${config.intervalSeconds} s are ${rows} rows of each host; there may be ${monitoringLimits.rowsOfHost}`,
      }
    : undefined;
}

/**
 * The same of a change alone: whatever is set where it says nothing, what comes of it could not be used. That is left least in its way
 * here.
 */
export function contradictionWithin(change: MonitoringChange): ReturnType<typeof monitoringContradiction> {
  const lenient: MonitoringConfig = {
    intervalSeconds: monitoringLimits.intervalSeconds[1],
    retentionDays: monitoringLimits.retentionDays[0],
    thresholds: { cpu: null, load: null, memory: null, swap: null, disk: null },
  };
  return monitoringContradiction(mergeMonitoring(lenient, change));
}
