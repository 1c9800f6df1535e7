import type { Vitals } from '../health-score';

/** What of a host is recorded and watched. */
export const resources = ['cpu', 'load', 'memory', 'swap', 'disk'] as const;
export type Resource = (typeof resources)[number];

/** Numbers of one moment by resource; null is not known. */
export type Reading = Readonly<Record<Resource, number | null>>;

interface ResourceDescription {
  /** As a sentence begins with it. */
  readonly what: string;
  /** Behind a number: ` %`, or nothing for a ratio. */
  readonly unit: string;
  /** Largest threshold that makes sense. */
  readonly max: number;
}

export const resourceDescriptions: Readonly<Record<Resource, ResourceDescription>> = Object.freeze({
  cpu: { what: 'CPU use', unit: ' %', max: 100 },
  load: { what: 'Load per core', unit: '', max: 1_000 },
  memory: { what: 'Memory use', unit: ' %', max: 100 },
  swap: { what: 'Swap use', unit: ' %', max: 100 },
  disk: { what: 'Use of the fullest disk', unit: ' %', max: 100 },
});

export function readingOf(vitals: Vitals): Reading {
  return {
    cpu: vitals.cpuPercent,
    load: vitals.loadPerCore,
    memory: vitals.memoryPercent,
    swap: vitals.swapPercent,
    disk: vitals.diskPercent,
  };
}

/** What thresholds are held against. A machine whose memory was read, and that has no swap, uses none of it. */
export function watchedValue(resource: Resource, reading: Reading): number | null {
  if (resource === 'swap' && reading.memory !== null) return reading.swap ?? 0;
  return reading[resource];
}

/** A number of a resource as a sentence shows it: `91.5 %`, or `2.4` for a load. */
export function shownValue(resource: Resource, value: number): string {
  return `${Number(value.toFixed(2))}${resourceDescriptions[resource].unit}`;
}
