import {
  HealthIndicatorService,
  type HealthCheckService,
  type HealthIndicatorFunction,
} from '@nestjs/terminus';
import type { CacheStatus, TieredCache, WarmingService } from '../cache';
import type { AppConfig } from '../config/app-config';
import type { Database } from '../database/database';
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
