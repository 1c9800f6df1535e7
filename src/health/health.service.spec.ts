import {
  HealthIndicatorService,
  type HealthCheckService,
  type HealthIndicatorFunction,
} from '@nestjs/terminus';
import {
  CacheLoadTimeoutError,
  emptyCounters,
  type CacheStatus,
  type TieredCache,
  type WarmingService,
} from '../cache';
import type { AppConfig } from '../config/app-config';
import type { Database } from '../database/database';
import { DatabaseUnavailableError } from '../database/database-errors';
import type { HardwareService } from '../hardware/hardware.service';
import type { SettingsService } from '../settings/settings.service';
import type { HealthChecks } from './health-checks.service';
import { HealthService } from './health.service';

/** The probe over a cache of which only the status is looked at. */
function probeWith(gate: CacheStatus['gate'], isReady = true): HealthService {
  const terminus = {
    check: async (indicators: HealthIndicatorFunction[]) => ({
      status: 'ok',
      details: Object.assign(
        {},
        ...(await Promise.all(indicators.map(async indicator => indicator()))),
      ) as unknown,
    }),
  };
  const up = { status: 'up', atMs: 0, responseTimeMs: 1, error: null };
  return new HealthService(
    terminus as unknown as HealthCheckService,
    new HealthIndicatorService(),
    { of: () => Promise.resolve(up) } as unknown as HealthChecks,
    {} as HardwareService,
    {
      status: () => ({
        remote: { mode: 'redis', state: 'up', breaker: 'closed' },
        gate,
        pendingInvalidations: 0,
      }),
    } as unknown as TieredCache,
    { isReady } as WarmingService,
    { mode: 'server' } as Database,
    {} as AppConfig,
    {} as SettingsService,
  );
}

describe('the probe for readiness', () => {
  it('is degraded, with the reason, while Redis answers and its changes are not heard', async () => {
    const reason = 'no canary received within 2000 ms';
    const report = await probeWith({ open: false, ageMs: null, lagMs: null, reason }).ready();
    expect(report.status).toBe('degraded');
    expect(report.details).toMatchObject({
      redis: { status: 'up', degraded: true, message: `Changes in Redis are not heard: ${reason}.` },
    });
  });

  it('is ok while they are heard', async () => {
    const report = await probeWith({ open: true, ageMs: 1, lagMs: 1 }).ready();
    expect(report.status).toBe('ok');
    expect(report.details).toMatchObject({ redis: { status: 'up' } });
  });

  it('is down until what is critical has been warmed', async () => {
    const report = await probeWith({ open: true, ageMs: 1, lagMs: 1 }, false).ready();
    expect(report.details).toMatchObject({
      warming: { status: 'down', message: 'What is critical is being warmed.' },
    });
  });
});

/** The details where the settings cannot be read; those in force call it an alert when a check takes 1 ms. */
function detailsWithout(settings: Error): HealthService {
  const check = { status: 'up', atMs: 0, responseTimeMs: 5, error: null };
  const summary = { lastSuccessMs: 0, lastFailureMs: null, consecutiveFailures: 0, uptimePercent: 100 };
  const vitals = { cpuPercent: 1, loadPerCore: 0, memoryPercent: 1, swapPercent: 0, diskPercent: 1 };
  const status = {
    remote: { mode: 'redis', state: 'up', breaker: 'closed' },
    gate: { open: true },
    pendingInvalidations: 0,
    l1Entries: 0,
    l1Bytes: 0,
  };
  const inForce = { health: { consecutive_failures: 1, response_time_ms: 1, uptime_percent: 99 } };
  return new HealthService(
    {} as HealthCheckService,
    new HealthIndicatorService(),
    { of: () => Promise.resolve(check), summaryOf: () => summary } as unknown as HealthChecks,
    {
      vitals: () => Promise.resolve(vitals),
      scoreOf: () => ({ score: 100, reasons: [] }),
    } as unknown as HardwareService,
    {
      status: () => status,
      stats: () => ({ totals: emptyCounters(), policies: {}, tiers: { l1: { evictions: 0 } }, corrupt: {} }),
    } as unknown as TieredCache,
    {} as WarmingService,
    { mode: 'server' } as Database,
    { cache: { l1MaxEntries: 10, l1MaxBytes: 10 } } as AppConfig,
    {
      current: () => Promise.reject(settings),
      inForce: () => inForce,
    } as unknown as SettingsService,
  );
}

describe('the details of the health', () => {
  it.each([
    ['the database is away', new DatabaseUnavailableError()],
    ['a query says so', new Error('Failed query', { cause: new DatabaseUnavailableError() })],
    ['it hangs', new CacheLoadTimeoutError('settings:row', 30_000)],
  ])('go by the settings in force while they cannot be read: %s', async (_why, error) => {
    const { alerts } = await detailsWithout(error).detailed();
    expect(alerts.map(({ source }) => source)).toEqual(['database', 'redis', 'models']);
  });

  it('do not hide a fault behind them', async () => {
    const fault = new TypeError('no such property');
    await expect(detailsWithout(fault).detailed()).rejects.toBe(fault);
  });
});
