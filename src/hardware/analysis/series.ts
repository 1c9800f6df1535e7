import type { Sample } from '../monitoring/samples.repository';
import type { Resource } from '../monitoring/resources';
import { median } from './statistics';
import type { Point } from './theil-sen';

/** Stretches that a history is cut into for a trend: each becomes one point, so that bursts weigh as little as they last. */
const maxStretches = 120;

/** The known values of one resource, the oldest first; `x` in hours before (negative) or after `nowMs`. */
export function seriesOf(samples: readonly Sample[], resource: Resource, nowMs: number): Point[] {
  return samples.flatMap(({ tick, reading }) => {
    const value = reading[resource];
    return value === null ? [] : [{ x: (tick * 1_000 - nowMs) / 3_600_000, y: value }];
  });
}

/** The series as at most 120 medians of stretches of equal length; stretches without values are left out. */
export function mediansOf(series: readonly Point[], stretches = maxStretches): Point[] {
  const [first, last] = [series[0], series.at(-1)];
  if (!first || !last || series.length <= stretches) return [...series];
  const width = (last.x - first.x) / stretches;
  const parts = new Map<number, Point[]>();
  for (const point of series) {
    const place = Math.min(stretches - 1, Math.floor((point.x - first.x) / width));
    const part = parts.get(place);
    if (part) part.push(point);
    else parts.set(place, [point]);
  }
  return [...parts.values()].map(part => ({
    x: median(part.map(({ x }) => x)),
    y: median(part.map(({ y }) => y)),
  }));
}

/** Hours between the first and the last of a series. */
export function hoursOf(series: readonly Point[]): number {
  const [first, last] = [series[0], series.at(-1)];
  return first && last ? last.x - first.x : 0;
}
