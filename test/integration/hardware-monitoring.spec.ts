import { Logger } from '@nestjs/common';
import type { TieredCache } from '../../src/cache';
import type { AppConfig } from '../../src/config/app-config';
import { Database } from '../../src/database/database';
import { HardwareCountsService } from '../../src/hardware/hardware-counts.service';
import type { HardwareService } from '../../src/hardware/hardware.service';
import type { Vitals } from '../../src/hardware/health-score';
import { AlertsRepository } from '../../src/hardware/monitoring/alerts.repository';
import { AlertsService } from '../../src/hardware/monitoring/alerts.service';
import { mergeMonitoring, monitoringDefaults } from '../../src/hardware/monitoring/monitoring-config';
import { MonitoringRepository } from '../../src/hardware/monitoring/monitoring.repository';
import { SamplesRepository } from '../../src/hardware/monitoring/samples.repository';
import { Sampler } from '../../src/hardware/monitoring/sampler';
import { PostgresServer } from '../e2e/harness/postgres-server';

const host = 'one';
/** A full hour: within the retention by the clock of the database too. */
const startMs = Math.floor(Date.now() / 3_600_000) * 3_600_000;
const start = startMs / 1_000;
const none = { cpu: null, load: null, memory: null, swap: null, disk: null };

describe('the monitoring on a PostgreSQL server', () => {
  let server: PostgresServer;
  let url: string;
  let database: Database;
  let samples: SamplesRepository;
  let alertRows: AlertsRepository;
  let counts: HardwareCountsService;
  let alerts: AlertsService;
  const query = (sql: string) => server.query(sql, [], url);
  const open = (): Promise<Database> => Database.open({ mode: 'server', url, dataDir: '', poolSize: 4, connectTimeoutMs: 2_000, statementTimeoutMs: 5_000 }); // prettier-ignore

  beforeAll(async () => {
    Logger.overrideLogger(false);
    server = await PostgresServer.start();
    url = await server.createDatabase('monitoring');
    database = await open();
    samples = new SamplesRepository(database);
    alertRows = new AlertsRepository(database);
  });
  afterAll(async () => {
    await database.close();
    await server.stop();
  });
  beforeEach(async () => {
    await query('TRUNCATE hardware_samples, hardware_alerts, hardware_monitoring');
    counts = new HardwareCountsService();
    alerts = new AlertsService(alertRows, samples, counts);
  });

  describe('alerts', () => {
    const config = mergeMonitoring(monitoringDefaults, {
      intervalSeconds: 10,
      thresholds: { ...none, cpu: { raise: 90, clear: 80, samples: 3 } },
    });
    /** Writes a sample and looks, as the instance that wrote it does. */
    const sample = async (tick: number, cpu: number | null): Promise<void> => {
      await samples.insert(host, tick, { ...none, cpu });
      await alerts.follow(host, tick, config);
    };
    const states = async () =>
      (await alertRows.page({ limit: 10 })).map(({ clearedAt, raisedValue, clearedValue }) => [
        clearedAt === null ? 'open' : 'cleared',
        raisedValue,
        clearedValue,
      ]);

    it('are raised and cleared by the samples of their host', async () => {
      for (const [at, cpu] of [95, 96, 97].entries()) await sample(start + 10 * at, cpu);
      expect(await states()).toEqual([['open', 97, null]]);
      await alerts.follow('another', start + 20, config);
      for (const [at, cpu] of [80, 79, 78].entries()) await sample(start + 30 + 10 * at, cpu);
      expect(await states()).toEqual([['cleared', 97, 78]]);
      expect(counts.monitoring).toMatchObject({ raised: 1, cleared: 1 });
    });

    it('about what can no longer be read are cleared after ten minutes, and not by a short fault of reading', async () => {
      for (const [at, cpu] of [95, 96, 97].entries()) await sample(start + 10 * at, cpu);
      // A fault that is over just in time.
      for (let at = 3; at < 63; at += 1) await sample(start + 10 * at, null);
      await sample(start + 630, 85);
      for (let at = 64; at < 124; at += 1) await sample(start + 10 * at, null);
      expect(await states()).toEqual([['open', 97, null]]);
      await sample(start + 1_240, null);
      expect(await states()).toEqual([['cleared', 97, null]]);
      expect(counts.monitoring).toMatchObject({ raised: 1, cleared: 1 });
    });

    it('about swap are cleared when the machine has none any more', async () => {
      const watched = mergeMonitoring(config, { thresholds: { swap: { raise: 80, clear: 60, samples: 3 } } });
      const read = async (at: number, memory: number | null, swap: number | null): Promise<void> => {
        await samples.insert(host, start + 10 * at, { ...none, memory, swap });
        await alerts.follow(host, start + 10 * at, watched);
      };
      for (const at of [0, 1, 2]) await read(at, 50, 90);
      for (const at of [3, 4, 5]) await read(at, null, null);
      expect(await states()).toEqual([['open', 90, null]]);
      for (const at of [6, 7, 8]) await read(at, 50, null);
      expect(await states()).toEqual([['cleared', 90, 0]]);
    });

    it('do not count what lies before a pause', async () => {
      await sample(start, 95);
      await sample(start + 10, 95);
      await sample(start + 70, 95);
      expect(await states()).toEqual([]);
      await sample(start + 80, 95);
      await sample(start + 90, 95);
      expect(await states()).toEqual([['open', 95, null]]);
    });

    it('are raised once by instances that look at once', async () => {
      for (const at of [0, 10, 20]) await samples.insert(host, start + at, { ...none, cpu: 99 });
      await Promise.all(Array.from({ length: 8 }, () => alerts.follow(host, start + 20, config)));
      expect(await states()).toEqual([['open', 99, null]]);
      expect(counts.monitoring.raised).toBe(1);
    });

    it('are one open for each resource, whatever is written', async () => {
      const row = `INSERT INTO hardware_alerts (host, resource, raised_at, raised_value, raise_threshold, clear_threshold, samples) VALUES ('one', 'cpu', now(), 99, 90, 80, 1)`;
      await query(row);
      await expect(query(row)).rejects.toThrow('hardware_alerts_open');
    });
  });

  describe('the history', () => {
    const write = (count: number, everySeconds: number): Promise<unknown> =>
      query(
        `INSERT INTO hardware_samples (host, tick, cpu_percent) SELECT '${host}', ${start} + ${everySeconds} * n, n FROM generate_series(0, ${count - 1}) AS n`,
      );
    const values = async (untilTick: number) => {
      const { total, samples: read } = await samples.history(host, start, untilTick);
      return { total, cpu: read.map(({ reading }) => reading.cpu) };
    };

    it('is whole while it is short', async () => {
      await write(1_440, 30);
      const all = Array.from({ length: 1_440 }, (_, n) => n);
      expect(await values(start + 30 * 1_439)).toEqual({ total: 1_440, cpu: all });
      expect((await values(start + 30 * 1_440)).total).toBe(1_440);
    });

    it('is thinned evenly when it is long, and counted whole', async () => {
      await write(20_160, 30);
      const { total, cpu } = await values(start + 30 * 20_159);
      expect(total).toBe(20_160);
      expect(cpu.length).toBeLessThanOrEqual(1_440);
      expect(cpu.length).toBeGreaterThan(1_400);
      const steps = cpu.slice(1).map((value, at) => value! - cpu[at]!);
      expect(new Set(steps)).toEqual(new Set([14]));
    });

    it('begins with its first sample and not with its window, and knows gaps', async () => {
      await query(`INSERT INTO hardware_samples (host, tick, cpu_percent) VALUES ('one', ${start + 100_000}, 1), ('one', ${start + 100_030}, 2), ('one', ${start + 104_000}, 3), ('other', ${start + 100_001}, 9)`); // prettier-ignore
      expect(await values(start + 104_000)).toEqual({ total: 3, cpu: [1, 2, 3] });
      expect(await samples.history('nobody', start, start + 104_000)).toEqual({ total: 0, samples: [] });
    });
  });

  describe('the sampler', () => {
    let vitals: Vitals;
    let isAway: boolean;
    const monitoring = (): MonitoringRepository => new MonitoringRepository(database);
    function sampler(): Sampler {
      const app = { hardware: { hostId: host, monitoring: true } } as AppConfig;
      const cache = { runAs: (_: string, run: () => unknown) => run() } as unknown as TieredCache;
      const hardware = { vitals: () => Promise.resolve(vitals) } as unknown as HardwareService;
      const faulty = new Proxy(samples, {
        get: (target, name: keyof SamplesRepository) => {
          if (isAway && name === 'insert') return () => Promise.reject(new Error('away'));
          return target[name].bind(target);
        },
      });
      return new Sampler(app, cache, hardware, monitoring(), faulty, alerts, alertRows, counts);
    }
    const ticks = async () =>
      (await query(`SELECT tick::int FROM hardware_samples ORDER BY tick`)).map(
        row => Number(row['tick']) - start,
      );
    beforeEach(() => {
      isAway = false;
      vitals = { cpuPercent: 10, loadPerCore: 1, memoryPercent: 20, swapPercent: null, diskPercent: 30 };
    });

    it('writes one row for each tick, which begins at a multiple of the interval', async () => {
      const one = sampler();
      for (const seconds of [3, 4, 29.9, 30, 31, 95]) await one.look(startMs + 1_000 * seconds);
      expect(await ticks()).toEqual([0, 30, 90]);
      expect(counts.monitoring).toMatchObject({ written: 3, duplicate: 0, failed: 0 });
      const [row] = await query('SELECT * FROM hardware_samples LIMIT 1');
      expect(row).toMatchObject({ host, cpu_percent: 10, load_per_core: 1, memory_percent: 20, swap_percent: null, disk_percent: 30 }); // prettier-ignore
    });

    it('leaves a tick to whichever instance of the host was first', async () => {
      const [one, two] = [sampler(), sampler()];
      for (const seconds of [0, 30, 60])
        await Promise.all([one.look(startMs + 1_000 * seconds), two.look(startMs + 1_000 * seconds)]);
      expect(await ticks()).toEqual([0, 30, 60]);
      expect(counts.monitoring).toMatchObject({ written: 3, duplicate: 3 });
    });

    it('follows a change of the interval with the next look', async () => {
      const one = sampler();
      await one.look(startMs);
      await monitoring().change({ intervalSeconds: 5 }, 'test', () => undefined);
      for (const seconds of [5, 9, 10]) await one.look(startMs + 1_000 * seconds);
      expect(await ticks()).toEqual([0, 5, 10]);
    });

    it('counts the ticks that it cannot write, once each, and goes on', async () => {
      const one = sampler();
      isAway = true;
      for (const seconds of [0, 1, 2, 30]) await one.look(startMs + 1_000 * seconds);
      expect(counts.monitoring).toMatchObject({ written: 0, failed: 2 });
      isAway = false;
      await one.look(startMs + 60_000);
      expect(await ticks()).toEqual([60]);
    });

    const day = 86_400;
    /** Samples of a host that is gone, so many, from so many seconds ago on. */
    const old = (count: number, secondsAgo = 7 * day): Promise<unknown> =>
      query(`INSERT INTO hardware_samples (host, tick) SELECT 'gone', extract(epoch FROM now())::bigint - ${secondsAgo} - n FROM generate_series(1, ${count}) AS n ON CONFLICT DO NOTHING`); // prettier-ignore

    it('drops what is past the retention in batches, now and then', async () => {
      await old(600);
      await old(1, 6 * day);
      const one = sampler();
      await one.look(startMs);
      expect(counts.monitoring.pruned).toBe(600);
      expect(await query('SELECT host FROM hardware_samples ORDER BY host')).toEqual([{ host: 'gone' }, { host }]); // prettier-ignore
      await old(10, 8 * day);
      await one.look(startMs + 30_000); // not each time
      expect(counts.monitoring.pruned).toBe(600);
      await one.look(startMs + 600_000);
      expect(counts.monitoring.pruned).toBe(610);
    });

    it.each([400, -400])('drops nothing of other hosts where its own clock is %d days off', async days => {
      const alert = (ago: string): Promise<unknown> =>
        query(`INSERT INTO hardware_alerts (host, resource, raised_at, raised_value, raise_threshold, clear_threshold, samples, cleared_at) VALUES ('other', 'cpu', now(), 99, 90, 80, 1, now() - interval '${ago}')`); // prettier-ignore
      await old(5, 6 * day);
      await old(5, 8 * day);
      await alert('6 days');
      await alert('8 days');
      await sampler().look(startMs + days * day * 1_000);
      const [left] = await query(
        `SELECT (SELECT count(*)::int FROM hardware_samples WHERE host = 'gone') AS samples, (SELECT count(*)::int FROM hardware_alerts) AS alerts`,
      );
      expect(left).toEqual({ samples: 5, alerts: 1 });
    });

    it('drops no more in one tick than would hold it up, and the rest with the next', async () => {
      await query(
        `INSERT INTO hardware_samples (host, tick) SELECT 'gone', n FROM generate_series(1, 20300) AS n`,
      );
      const one = sampler();
      await one.look(startMs);
      expect(counts.monitoring.pruned).toBe(20_000);
      await one.look(startMs + 30_000);
      expect(counts.monitoring.pruned).toBe(20_300);
    });

    it('writes nothing after it was told to end, when nothing can be read any more', async () => {
      const one = sampler();
      await one.onModuleDestroy();
      await one.look(startMs);
      expect(await ticks()).toEqual([]);
    });
  });

  test('two changes of the configuration at once are both kept', async () => {
    const repository = new MonitoringRepository(database);
    await Promise.all([
      repository.change({ intervalSeconds: 5 }, 'one', () => undefined),
      repository.change({ retentionDays: 3 }, 'two', () => undefined),
      repository.change({ thresholds: { swap: null } }, 'three', () => undefined),
    ]);
    const { config } = await repository.read();
    expect(config).toMatchObject({ intervalSeconds: 5, retentionDays: 3 });
    expect(config.thresholds.swap).toBeNull();
    expect(config.thresholds.cpu).toEqual(monitoringDefaults.thresholds.cpu);
  });
});
