import { monitoringDefaults } from '../monitoring/monitoring-config';
import type { Forecast } from './capacity';
import type { ResourcePerformance } from './performance';
import { recommend, type Findings } from './recommendations';

const calm: ResourcePerformance = {
  resource: 'cpu',
  samples: 2_880,
  hours: 24,
  latest: 30,
  mean: 30,
  p50: 30,
  p95: 50,
  p99: 60,
  max: 70,
  trend: { perHour: 0, low: -1, high: 1, direction: 'steady' },
};
const growing: Forecast = {
  resource: 'disk',
  outlook: 'growing',
  current: 71.4,
  limit: 90,
  perDay: 1.05,
  low: 0.8,
  high: 1.3,
  reachedInHours: 17.7 * 24,
  earliestInHours: 14.3 * 24,
  latestInHours: 23.25 * 24,
  confidence: { rating: 'moderate', points: 120, hours: 168 },
};
const nothing: Findings = {
  performance: [calm],
  forecasts: [],
  thresholds: monitoringDefaults.thresholds,
  raised: new Map(),
  recorded: 2_880,
  expected: 2_880,
};
const of = (findings: Partial<Findings>) => recommend({ ...nothing, ...findings });
const rising = { perHour: 0.5, low: 0.4, high: 0.6, direction: 'rising' } as const;

describe('recommendations', () => {
  it('are none where nothing follows from the numbers', () => {
    expect(of({})).toEqual([]);
    expect(of({ forecasts: [{ ...growing, outlook: 'steady', reachedInHours: null }] })).toEqual([]);
  });

  it('say when something runs full, by which numbers', () => {
    expect(of({ forecasts: [growing] })).toEqual([
      {
        kind: 'running_full',
        resource: 'disk',
        severity: 'info',
        message:
          'Use of the fullest disk is 71.4 % and grows by 1.05 points a day: it reaches 90 % in 18 days, at the earliest in 14 days. Free some, or enlarge it before.',
        evidence: {
          current_percent: 71.4,
          limit_percent: 90,
          percent_per_day: 1.05,
          days: 17.7,
          confidence_points: 120,
          observed_hours: 168,
        },
      },
    ]);
  });

  it.each([
    [0.5 * 24, 'critical'],
    [13 * 24, 'warning'],
    [15 * 24, 'info'],
  ])('are as urgent as the time that is left: %d hours are %s', (reachedInHours, severity) => {
    expect(of({ forecasts: [{ ...growing, reachedInHours }] })[0]).toMatchObject({ severity });
  });

  it('name what has reached its limit first', () => {
    const reached: Forecast = {
      ...growing,
      resource: 'memory',
      outlook: 'reached',
      current: 93,
      reachedInHours: 0,
    };
    expect(
      of({ forecasts: [growing, reached] }).map(({ severity, resource }) => [severity, resource]),
    ).toEqual([
      ['critical', 'memory'],
      ['info', 'disk'],
    ]);
  });

  it('tell load that lasts from load that passes', () => {
    expect(of({ performance: [{ ...calm, p95: 89.9 }] })).toEqual([]);
    expect(of({ performance: [{ ...calm, p95: 90 }] })).toMatchObject([
      {
        kind: 'sustained_load',
        severity: 'warning',
        evidence: { p50: 30, p95: 90, threshold: 90, samples: 2_880 },
      },
    ]);
    expect(of({ performance: [{ ...calm, p50: 92, p95: 99 }] })).toMatchObject([{ severity: 'critical' }]);
    const unwatched = { ...monitoringDefaults.thresholds, cpu: null };
    expect(of({ performance: [{ ...calm, p95: 99 }], thresholds: unwatched })).toEqual([]);
  });

  it('see a leak where memory and swap rise together, and only there', () => {
    const memory: ResourcePerformance = { ...calm, resource: 'memory', trend: rising };
    const swap: ResourcePerformance = { ...calm, resource: 'swap', trend: rising };
    expect(of({ performance: [memory, swap] })).toMatchObject([
      { kind: 'memory_growth', evidence: { memory_per_hour: 0.5, swap_per_hour: 0.5 } },
    ]);
    expect(of({ performance: [memory, { ...swap, trend: calm.trend }] })).toEqual([]);
  });

  it('find alerts that come too often', () => {
    expect(of({ raised: new Map([['cpu', 4]]) })).toEqual([]);
    expect(of({ raised: new Map([['cpu', 5]]) })).toMatchObject([
      { kind: 'alert_flood', resource: 'cpu', evidence: { alerts: 5, raise: 90, clear: 75, samples: 4 } },
    ]);
  });

  it('find a host that is larger than its work, after half a day', () => {
    const cpu: ResourcePerformance = { ...calm, p99: 12 };
    const memory: ResourcePerformance = { ...calm, resource: 'memory', p99: 33 };
    expect(of({ performance: [cpu, memory] })).toMatchObject([
      { kind: 'oversized', evidence: { cpu_p99: 12, memory_p99: 33, hours: 24 } },
    ]);
    expect(of({ performance: [{ ...cpu, hours: 11 }, memory] })).toEqual([]);
    expect(of({ performance: [cpu, { ...memory, p99: 40 }] })).toEqual([]);
  });

  it('find gaps of more than a tenth', () => {
    expect(of({ recorded: 2_592 })).toEqual([]);
    expect(of({ recorded: 2_591 })).toMatchObject([
      { kind: 'gaps_in_history', evidence: { recorded: 2_591, expected: 2_880, missing: 289 } },
    ]);
    expect(of({ recorded: 10, expected: 0 })).toEqual([]);
  });
});
