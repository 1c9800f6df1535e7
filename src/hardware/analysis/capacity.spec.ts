import type { Threshold } from '../monitoring/monitoring-config';
import { monitoringDefaults } from '../monitoring/monitoring-config';
import type { History, Sample } from '../monitoring/samples.repository';
import { resources } from '../monitoring/resources';
import { capacityNeeds, capacityResources, forecastCapacity } from './capacity';
import { analysePerformance, performanceNeeds } from './performance';
import { hoursOf, mediansOf, seriesOf } from './series';
import { maxPoints } from './theil-sen';

const nowMs = Date.UTC(2_026, 0, 15);
const now = nowMs / 1_000;

/** A sample a minute up to now; each field by the hours that it lies before now (negative). */
function history(count: number, of: (hours: number) => Partial<Sample['reading']>): History {
  const samples = Array.from({ length: count }, (_, at): Sample => {
    const tick = now - 60 * (count - 1 - at);
    const none = { cpu: null, load: null, memory: null, swap: null, disk: null };
    return { tick, reading: { ...none, ...of((tick - now) / 3_600) } };
  });
  return { total: count, samples };
}
const thresholds = monitoringDefaults.thresholds; // memory and disk at 90
const limitOf = (raise: number): Threshold => ({ raise, clear: raise - 10, samples: 1 });

describe('the series of a resource', () => {
  it('leaves out what is not known and counts hours from now', () => {
    const { samples } = history(3, hours => (hours === 0 ? { cpu: null } : { cpu: 60 * hours }));
    const series = seriesOf(samples, 'cpu', nowMs);
    expect(series.map(({ y }) => y)).toEqual([-2, -1]);
    expect(series[0]!.x).toBeCloseTo(-2 / 60, 10);
  });

  it('becomes medians of stretches of equal length, in their order, and never more than asked for', () => {
    const { samples } = history(1_000, hours => ({ cpu: Math.abs(hours) < 0.1 ? 1e6 : 50 }));
    const points = mediansOf(seriesOf(samples, 'cpu', nowMs));
    expect(points.length).toBeLessThanOrEqual(120);
    expect(points.length).toBeLessThanOrEqual(maxPoints);
    const xs = points.map(({ x }) => x);
    expect(xs).toEqual([...xs].sort((a, b) => a - b));
    // Six wild samples at the end are one stretch of 120, and not one point in 167.
    expect(points.filter(({ y }) => y !== 50)).toHaveLength(1);
  });

  it('stays as it is when it is short', () => {
    const series = seriesOf(history(5, () => ({ cpu: 1 })).samples, 'cpu', nowMs);
    expect(mediansOf(series)).toEqual(series);
    expect(hoursOf(series)).toBeCloseTo(4 / 60, 10);
  });
});

describe('the forecast of a resource that can run full', () => {
  const of = (each: History, limits = thresholds) => forecastCapacity(each, limits, nowMs);
  const only = async (each: History, limits = thresholds) => (await of(each, limits))[0]!;

  it('knows when a straight line meets the limit', async () => {
    // 2 points an hour, 70 % now: 90 % in ten hours.
    const forecast = await only(history(1_441, hours => ({ disk: 70 + 2 * hours })));
    expect(forecast).toMatchObject({ resource: 'disk', outlook: 'growing', limit: 90 });
    expect(forecast.current).toBeCloseTo(70, 6);
    expect(forecast.perDay).toBeCloseTo(48, 6);
    for (const hours of [forecast.reachedInHours, forecast.earliestInHours, forecast.latestInHours])
      expect(hours).toBeCloseTo(10, 4);
    expect(forecast.confidence).toMatchObject({ rating: 'high', hours: 24 });
  });

  it('has an earliest and a latest time around the likely one when the samples waver', async () => {
    const wave = (hours: number): number => 3 * Math.sin(hours * 40) + 2 * Math.sin(hours * 173);
    const forecast = await only(history(1_441, hours => ({ memory: 70 + hours + wave(hours) })));
    expect(forecast.reachedInHours).toBeGreaterThan(18);
    expect(forecast.reachedInHours).toBeLessThan(22);
    expect(forecast.earliestInHours!).toBeLessThan(forecast.reachedInHours!);
    expect(forecast.latestInHours!).toBeGreaterThan(forecast.reachedInHours!);
  });

  it.each([
    ['two hours of history for one hour ahead', 121, 0.5, 89.5, 'high'],
    ['two hours for six', 121, 0.5, 87, 'moderate'],
    ['two hours for forty', 121, 0.5, 70, 'low'],
  ])('trusts itself by how far it reaches: %s', async (_, count, slope, current, rating) => {
    expect((await only(history(count, hours => ({ disk: current + slope * hours })))).confidence.rating).toBe(
      rating,
    );
  });

  it('is steady without a trend, and where the limit is further away than a year', async () => {
    expect(await only(history(600, hours => ({ disk: 50 + Math.sin(hours * 50) })))).toMatchObject({
      outlook: 'steady',
      reachedInHours: null,
      earliestInHours: null,
      latestInHours: null,
    });
    expect((await only(history(600, hours => ({ disk: 50 + hours / 10_000 })))).outlook).toBe('steady');
  });

  it('shrinks, or has reached its limit', async () => {
    expect((await only(history(600, hours => ({ swap: 40 - hours })))).outlook).toBe('shrinking');
    expect(await only(history(600, () => ({ memory: 95 })))).toMatchObject({
      outlook: 'reached',
      reachedInHours: 0,
    });
  });

  it('takes its limit from the monitoring, and 100 where that does not watch', async () => {
    const growing = history(600, hours => ({ disk: 70 + hours }));
    expect(await only(growing, { ...thresholds, disk: limitOf(80) })).toMatchObject({ limit: 80 });
    expect((await only(growing, { ...thresholds, disk: limitOf(80) })).reachedInHours).toBeCloseTo(10, 4);
    expect((await only(growing, { ...thresholds, disk: null })).reachedInHours).toBeCloseTo(30, 4);
  });

  it('says nothing of less than 120 known samples, or of less than an hour', async () => {
    const { samples, hours } = capacityNeeds;
    expect(await of(history(samples - 1, () => ({ disk: 50 })))).toEqual([]);
    expect(await of(history(samples, () => ({ disk: 50 })))).toHaveLength(1);
    const dense = history(samples, () => ({ disk: 50 }));
    const quick = dense.samples.map((each, at) => ({ ...each, tick: now - samples + at }));
    expect(quick.at(-1)!.tick - quick[0]!.tick).toBeLessThan(hours * 3_600);
    expect(await of({ total: samples, samples: quick })).toEqual([]);
  });
});

describe('the performance of a resource', () => {
  it('has the numbers of a series whose numbers are known', async () => {
    // 0 to 100 in 101 minutes.
    const [cpu, ...others] = await analysePerformance(
      history(101, hours => ({ cpu: 100 + 60 * hours })),
      nowMs,
    );
    expect(others).toEqual([]);
    expect(cpu).toMatchObject({ resource: 'cpu', samples: 101, trend: { direction: 'rising' } });
    for (const [name, value] of Object.entries({
      latest: 100,
      mean: 50,
      p50: 50,
      p95: 95,
      p99: 99,
      max: 100,
    }))
      expect(cpu![name as 'mean']).toBeCloseTo(value, 6);
    expect(cpu!.trend!.perHour).toBeCloseTo(60, 6);
    expect(cpu!.hours).toBeCloseTo(100 / 60, 6);
  });

  it.each([
    ['falling', (hours: number) => 50 - hours],
    ['steady', (hours: number) => 50 + Math.sin(hours * 99)],
  ])('is %s', async (direction, of) => {
    const [load] = await analysePerformance(
      history(300, hours => ({ load: of(hours) })),
      nowMs,
    );
    expect(load!.trend!.direction).toBe(direction);
  });

  it('is not told from fewer than thirty known samples', async () => {
    const { samples } = performanceNeeds;
    expect(
      await analysePerformance(
        history(samples - 1, () => ({ cpu: 1 })),
        nowMs,
      ),
    ).toEqual([]);
    const gaps = history(2 * samples, hours => ({ cpu: Math.round(-hours * 60) % 2 === 0 ? 1 : null }));
    expect(await analysePerformance(gaps, nowMs)).toMatchObject([{ samples }]);
  });

  it('is worked out with a turn of the event loop for each resource, as is the forecast', async () => {
    const each = history(300, hours => ({ cpu: 50 - hours, load: 1, memory: 40, swap: 1, disk: 50 }));
    const turnsOf = async (work: Promise<unknown[]>): Promise<number> => {
      let turns = 0;
      let count = (): void => undefined;
      count = (): void => void ((turns += 1), setImmediate(count));
      setImmediate(count);
      await work;
      count = (): void => undefined;
      return turns;
    };
    expect(await turnsOf(analysePerformance(each, nowMs))).toBeGreaterThanOrEqual(resources.length - 1);
    expect(await turnsOf(forecastCapacity(each, thresholds, nowMs))).toBeGreaterThanOrEqual(
      capacityResources.length - 1,
    );
  });
});
