import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { TieredCache } from '../../cache';
import { AppConfig } from '../../config/app-config';
import { isDatabaseAway, reasonOf } from '../../database/database-errors';
import { HardwareCountsService } from '../hardware-counts.service';
import { HardwareService } from '../hardware.service';
import { AlertsRepository } from './alerts.repository';
import { AlertsService } from './alerts.service';
import { type MonitoringConfig, monitoringDefaults } from './monitoring-config';
import { MonitoringRepository } from './monitoring.repository';
import { readingOf } from './resources';
import { SamplesRepository } from './samples.repository';

/**
 * It is looked whether a tick has come at the beginning of each second, whatever part of it the look before has taken: at an interval of a
 * second none is left out. A change of the interval counts from the next look on.
 */
const lookMs = 1_000;
const pruneEverySeconds = 600;
/** Batches of 250 rows that one tick drops at most; what is left waits for the next one. */
const maxPruneBatches = 80;

/**
 * Records the load of this host: each interval one row, written by whichever of its instances comes first, which then
 * looks after the alerts and drops what is too old. The configuration is asked for each second, through the cache, so
 * that every instance follows a change of it. While the database is away ticks are lost, counted, and told once.
 */
@Injectable()
export class Sampler implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #log = new Logger('Hardware');
  readonly #closed = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #config: MonitoringConfig = monitoringDefaults;
  #lastTick: number | undefined;
  #prunedAtTick: number | undefined;
  #prunedToDays: number | undefined;
  #isAway = false;
  #isConfigBad = false;

  constructor(
    private readonly app: AppConfig,
    private readonly cache: TieredCache,
    private readonly hardware: HardwareService,
    private readonly monitoring: MonitoringRepository,
    private readonly samples: SamplesRepository,
    private readonly alerts: AlertsService,
    private readonly alertRows: AlertsRepository,
    private readonly counts: HardwareCountsService,
  ) {}

  onApplicationBootstrap(): void {
    if (this.app.hardware.monitoring) this.#running = this.#run();
  }

  /** Waits for the tick under way, while the database is still open. */
  async onModuleDestroy(): Promise<void> {
    this.#closed.abort();
    await this.#running;
  }

  /** Records the tick that a time falls into, unless that has been done. Never rejects. */
  async look(nowMs: number): Promise<void> {
    try {
      // Nobody's request: what is read here counts in no hit rate.
      const isRecorded = await this.cache.runAs('admin', () => this.#record(nowMs));
      if (isRecorded && this.#isAway) this.#log.log('the load of this host is recorded again');
      if (isRecorded) this.#isAway = false;
    } catch (error) {
      this.counts.monitoring.failed += 1;
      if (!this.#isAway) this.#log.warn(`the load of this host cannot be recorded: ${reasonOf(error)}`);
      this.#isAway = true;
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      await this.look(Date.now());
      await sleep(lookMs - (Date.now() % lookMs), undefined, { signal, ref: false }).catch((error: Error) => {
        if (error.name !== 'AbortError') throw error;
      });
    }
  }

  /** Whether there was something to record. */
  async #record(nowMs: number): Promise<boolean> {
    const config = await this.#currentConfig();
    const tick = Math.floor(nowMs / 1_000 / config.intervalSeconds) * config.intervalSeconds;
    if (tick === this.#lastTick || this.#closed.signal.aborted) return false;
    this.#lastTick = tick;
    const { hostId } = this.app.hardware;
    const reading = readingOf(await this.hardware.vitals(true));
    // At the end nothing can be read any more, and that is no gap in what is known.
    if (this.#closed.signal.aborted) return false;
    if (!(await this.samples.insert(hostId, tick, reading))) {
      this.counts.monitoring.duplicate += 1;
      return true;
    }
    this.counts.monitoring.written += 1;
    await this.alerts.follow(hostId, tick, config);
    await this.#prune(tick, config.retentionDays);
    return true;
  }

  /** The last one known while it cannot be read. */
  async #currentConfig(): Promise<MonitoringConfig> {
    try {
      this.#config = (await this.monitoring.read()).config;
      if (this.#isConfigBad) this.#log.log('the configuration of the monitoring is read again');
      this.#isConfigBad = false;
    } catch (error) {
      // That the database is away is told of the tick, which cannot be written either.
      if (!isDatabaseAway(error) && !this.#isConfigBad) {
        this.#isConfigBad = true;
        this.#log.warn(
          `the configuration of the monitoring cannot be read, the last one stays: ${reasonOf(error)}`,
        );
      }
    }
    return this.#config;
  }

  /** When is the business of this host's clock; what is too old is not: the rows are those of every host. */
  async #prune(tick: number, retentionDays: number): Promise<void> {
    const isDue = this.#prunedAtTick === undefined || tick - this.#prunedAtTick >= pruneEverySeconds;
    if (!isDue && this.#prunedToDays === retentionDays) return;
    for (let batch = 0; batch < maxPruneBatches && !this.#closed.signal.aborted; batch += 1) {
      const dropped = await this.samples.prune(retentionDays);
      this.counts.monitoring.pruned += dropped;
      await nextTurn();
      if (dropped > 0) continue;
      await this.alertRows.prune(retentionDays);
      this.#prunedAtTick = tick;
      this.#prunedToDays = retentionDays;
      return;
    }
  }
}
