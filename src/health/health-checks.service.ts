import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { CacheApiResponse, SystemClock, TieredCache } from '../cache';
import { Database } from '../database/database';
import { ModelsService } from '../models/models.service';
import { healthCache } from './cache';
import { CheckHistory, type Check, type CheckSummary } from './check-history';
import { CheckSchedule } from './check-schedule';

export const serviceNames = ['database', 'redis', 'models'] as const;
export type ServiceName = (typeof serviceNames)[number];

/** A database that takes longer than this is not ready. */
const databaseTimeoutMs = 1_500;

/**
 * Looks at what the application depends on: each at most every five seconds however many ask, in one flight, and every ten
 * when nobody does. What they came to is remembered.
 */
@Injectable()
export class HealthChecks implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('Health');
  private readonly histories: Readonly<Record<ServiceName, CheckHistory>> = {
    database: new CheckHistory(),
    redis: new CheckHistory(),
    models: new CheckHistory(),
  };
  private readonly isDown = new Set<ServiceName>();
  private readonly schedule = new CheckSchedule(
    () => Promise.all(serviceNames.map(name => this.of(name))),
    new SystemClock(),
  );

  constructor(
    private readonly cache: TieredCache,
    private readonly databaseServer: Database,
    private readonly modelsProvider: ModelsService,
  ) {}

  onApplicationBootstrap(): void {
    this.schedule.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.schedule.stop();
  }

  /** The latest check of a service; probes are nobody's requests and are not counted in the statistics. */
  of(service: ServiceName): Promise<Check> {
    return this.cache.runAs('admin', () => this[service]());
  }

  /** What the checks of a service came to so far. */
  summaryOf(service: ServiceName): CheckSummary {
    return this.histories[service].summary();
  }

  @CacheApiResponse(healthCache.database)
  async database(): Promise<Check> {
    return this.look('database', 'The database does not answer.', () =>
      this.databaseServer.ping(databaseTimeoutMs),
    );
  }

  @CacheApiResponse(healthCache.redis)
  async redis(): Promise<Check> {
    if (this.cache.status().remote.mode === 'off') return disabled();
    return this.look('redis', 'Redis does not answer.', async () => {
      const startedAt = performance.now();
      const info = await this.cache.remoteInfo();
      return info && performance.now() - startedAt;
    });
  }

  @CacheApiResponse(healthCache.models)
  async models(): Promise<Check> {
    if (!this.modelsProvider.isConfigured) return disabled();
    return this.look('models', 'The provider of the models does not answer.', () =>
      this.modelsProvider.ping(),
    );
  }

  /** `ask` resolves to the milliseconds that it took, or to undefined without an answer. */
  private async look(
    service: ServiceName,
    failure: string,
    ask: () => Promise<number | undefined>,
  ): Promise<Check> {
    const atMs = Date.now();
    let responseTimeMs: number | undefined;
    let reason = 'no answer';
    try {
      responseTimeMs = await ask();
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
    const isUp = responseTimeMs !== undefined;
    const check: Check = {
      status: isUp ? 'up' : 'down',
      atMs,
      responseTimeMs: responseTimeMs === undefined ? null : Number(responseTimeMs.toFixed(2)),
      error: isUp ? null : failure,
    };
    this.histories[service].add(check);
    this.report(service, isUp, reason);
    return check;
  }

  /** One line for each change of state. */
  private report(service: ServiceName, isUp: boolean, reason: string): void {
    if (isUp === !this.isDown.has(service)) return;
    if (isUp) {
      this.isDown.delete(service);
      this.log.log(`${service} is back`);
    } else {
      this.isDown.add(service);
      this.log.warn(`${service} is down: ${reason}`);
    }
  }
}

function disabled(): Check {
  return { status: 'disabled', atMs: Date.now(), responseTimeMs: null, error: null };
}
