import { Logger } from '@nestjs/common';
import { DrizzleQueryError } from 'drizzle-orm';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TieredCache } from '../../cache';
import type { AppConfig } from '../../config/app-config';
import { DatabaseUnavailableError } from '../../database/database-errors';
import { HardwareCountsService } from '../hardware-counts.service';
import type { HardwareService } from '../hardware.service';
import type { AlertsRepository } from './alerts.repository';
import type { AlertsService } from './alerts.service';
import { type MonitoringConfig, monitoringDefaults } from './monitoring-config';
import type { MonitoringRepository, StoredMonitoring } from './monitoring.repository';
import { Sampler } from './sampler';
import type { SamplesRepository } from './samples.repository';

jest.mock('node:timers/promises', () => ({
  ...jest.requireActual<object>('node:timers/promises'),
  setTimeout: jest.fn(),
}));

const vitals = { cpuPercent: 1, loadPerCore: 1, memoryPercent: 1, swapPercent: 1, diskPercent: 1 };

describe('the sampler', () => {
  let nowMs: number;
  let readingMs: number;
  /** What a reading of the host waits for. */
  let held: (() => Promise<void>) | undefined;
  let config: MonitoringConfig;
  let read: () => Promise<StoredMonitoring>;
  let ticks: number[];
  let sampler: Sampler;

  beforeEach(() => {
    nowMs = 1_750_000_000_400;
    readingMs = 0;
    held = undefined;
    config = { ...monitoringDefaults, intervalSeconds: 1 };
    read = async () => ({ config, updatedAt: null, updatedBy: null });
    ticks = [];
    jest.spyOn(Date, 'now').mockImplementation(() => nowMs);
    sampler = new Sampler(
      { hardware: { monitoring: true, hostId: 'host' } } as AppConfig,
      { runAs: (_: string, work: () => unknown) => work() } as unknown as TieredCache,
      {
        vitals: async () => {
          nowMs += readingMs;
          await held?.();
          return vitals;
        },
      } as unknown as HardwareService,
      { read: () => read() } as MonitoringRepository,
      {
        insert: async (_: string, tick: number) => ticks.push(tick) > 0,
        prune: async () => 0,
      } as unknown as SamplesRepository,
      { follow: async () => undefined } as unknown as AlertsService,
      { prune: async () => 0 } as unknown as AlertsRepository,
      new HardwareCountsService(),
    );
  });
  afterEach(() => jest.restoreAllMocks());

  it('leaves no second out while reading the host takes less than one', async () => {
    readingMs = 300;
    let destroyed: Promise<void> | undefined;
    const looked = new Promise<void>(resolve => {
      jest.mocked(sleep).mockImplementation(async ms => {
        nowMs += ms!;
        if (ticks.length < 20) return;
        destroyed = sampler.onModuleDestroy();
        resolve();
      });
    });
    sampler.onApplicationBootstrap();
    await looked;
    await destroyed;
    expect(ticks).toEqual(Array.from({ length: 20 }, (_, n) => 1_750_000_000 + n));
  });

  it('writes nothing more when it is closed while the host is read: what a host that closes tells is no reading', async () => {
    held = () => sampler.onModuleDestroy();
    await sampler.look(nowMs);
    expect(ticks).toEqual([]);
  });

  it('goes on with the last configuration when there is one that cannot be read, and says so once', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    const log = jest.spyOn(Logger.prototype, 'log').mockReturnValue(undefined);
    const good = read;
    const look = async (times: number): Promise<void> => {
      for (let n = 0; n < times; n += 1) await sampler.look((nowMs += 1_000));
    };
    await look(1);
    read = () => Promise.reject(new DrizzleQueryError('select document', [], new DatabaseUnavailableError()));
    await look(2);
    expect(warn).not.toHaveBeenCalled();
    read = () => Promise.reject(new TypeError('not a row'));
    await look(3);
    expect(warn.mock.calls).toEqual([[expect.stringContaining('not a row')]]);
    expect(log).not.toHaveBeenCalled();
    read = good;
    await look(2);
    expect(log.mock.calls).toEqual([['the configuration of the monitoring is read again']]);
    expect(ticks).toHaveLength(8);
  });
});
