import { Injectable } from '@nestjs/common';
import { HealthCheckService, HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { CacheLoadTimeoutError, TieredCache, WarmingService } from '../cache';
import { AppConfig } from '../config/app-config';
import { Database } from '../database/database';
import { isDatabaseAway } from '../database/database-errors';
import { HardwareService } from '../hardware/hardware.service';
import { SettingsService } from '../settings/settings.service';
import type { Check } from './check-history';
import type { DetailedHealthDto, ProbeDto, ServiceHealthDto } from './dto/health-response.dto';
import { alertsOf, recommendationsOf, type AlertThresholds } from './findings';
import { HealthChecks, type ServiceName } from './health-checks.service';
import { uptimeWindowSeconds } from './uptime-window';

export type OverallStatus = 'healthy' | 'degraded' | 'unhealthy';

/** How the application is, for probes and for people. */
@Injectable()
export class HealthService {
  constructor(
    private readonly terminus: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly checks: HealthChecks,
    private readonly hardware: HardwareService,
    private readonly cache: TieredCache,
    private readonly warming: WarmingService,
    private readonly database: Database,
    private readonly config: AppConfig,
    private readonly settings: SettingsService,
  ) {}

  /** Whether this process runs. Asks nobody: a restart would not bring back Redis or the database. */
  live(): Promise<ProbeDto> {
    return this.terminus.check([
      () => this.indicators.check('process').up({ uptime_seconds: processUptime() }),
    ]) as Promise<ProbeDto>;
  }

  /**
   * Whether requests can be answered: `degraded` without Redis, or when its changes are not heard, which is slower and not wrong.
   * @throws ServiceUnavailableException with the report when the database is away, or what is critical has not been warmed yet
   */
  async ready(): Promise<ProbeDto> {
    const [database, redis] = await Promise.all([this.checks.of('database'), this.checks.of('redis')]);
    const report = (await this.terminus.check([
      () => this.databaseIndicator(database),
      () => this.redisIndicator(redis),
      () => this.warmingIndicator(),
    ])) as ProbeDto;
    const isDegraded = redis.status === 'down' || this.cache.status().gate.reason !== undefined;
    return isDegraded ? { ...report, status: 'degraded' } : report;
  }

  /** Whether the last check of the database failed. Asks nobody: it is made every ten seconds at least. */
  get isDatabaseDown(): boolean {
    return this.checks.summaryOf('database').consecutiveFailures > 0;
  }

  /** The status in one word: `unhealthy` without the database, `degraded` without anything else that is configured. */
  async overall(): Promise<OverallStatus> {
    const [database, ...others] = await Promise.all([
      this.checks.of('database'),
      this.checks.of('redis'),
      this.checks.of('models'),
    ]);
    return overallOf(database, others);
  }

  async detailed(): Promise<DetailedHealthDto> {
    const [database, redis, models, vitals, thresholds] = await Promise.all([
      this.checks.of('database'),
      this.checks.of('redis'),
      this.checks.of('models'),
      this.hardware.vitals(),
      this.thresholds(),
    ]);
    const host = this.hardware.scoreOf(vitals);
    const status = this.cache.status();
    const checks = { database, redis, models };
    const services = Object.fromEntries(
      Object.entries(checks).map(([name, check]) => [
        name,
        { check, summary: this.checks.summaryOf(name as ServiceName) },
      ]),
    );
    const { l1MaxEntries, l1MaxBytes } = this.config.cache;
    const facts = {
      services,
      cache: { status, statistics: this.cache.stats(), l1MaxEntries, l1MaxBytes },
      host,
      environment: this.config.environment,
      database: { mode: this.database.mode },
      thresholds,
    };
    return {
      status: overallOf(database, [redis, models]),
      timestamp: new Date().toISOString(),
      version: this.config.version,
      uptime_seconds: processUptime(),
      uptime_window_seconds: uptimeWindowSeconds,
      services: {
        database: this.serviceDto('database', database, null),
        redis: this.serviceDto('redis', redis, redis.status === 'disabled' ? null : status.remote.breaker),
        models: this.serviceDto('models', models, null),
      },
      system_resources: {
        cpu_percent: vitals.cpuPercent,
        load_per_core: vitals.loadPerCore,
        memory_percent: vitals.memoryPercent,
        swap_percent: vitals.swapPercent,
        disk_percent: vitals.diskPercent,
        process_memory_bytes: process.memoryUsage.rss(),
        score: host.score,
      },
      alerts: alertsOf(facts),
      recommendations: recommendationsOf(facts),
    };
  }

  /**
   * As they were last seen here where neither cache nor database has them: health is asked for most when something is away, and the
   * checks of this same answer say what. Any other error is a fault, and not hidden.
   */
  private async thresholds(): Promise<AlertThresholds> {
    try {
      return (await this.settings.current()).health;
    } catch (error) {
      if (!isDatabaseAway(error) && !(error instanceof CacheLoadTimeoutError)) throw error;
      return this.settings.inForce().health;
    }
  }

  private databaseIndicator({ status, responseTimeMs, error }: Check): HealthIndicatorResult {
    const indicator = this.indicators.check('database');
    const { mode } = this.database;
    return status === 'up'
      ? indicator.up({ mode, response_time_ms: responseTimeMs })
      : indicator.down({ mode, message: error });
  }

  /** Always up: any indicator that is down makes Terminus answer 503, and without Redis answers go on. */
  private redisIndicator({ status, responseTimeMs, error }: Check): HealthIndicatorResult {
    const indicator = this.indicators.check('redis');
    const { remote, gate, pendingInvalidations } = this.cache.status();
    if (status === 'disabled')
      return indicator.up({
        mode: 'off',
        message: 'No Redis: the cache lives in the memory of this process alone.',
      });
    const state = {
      mode: 'redis',
      circuit_breaker_state: remote.breaker,
      pending_invalidations: pendingInvalidations,
    };
    if (status === 'up' && gate.reason !== undefined)
      return indicator.up({
        ...state,
        response_time_ms: responseTimeMs,
        degraded: true,
        message: `Changes in Redis are not heard: ${gate.reason}.`,
      });
    return status === 'up'
      ? indicator.up({ ...state, response_time_ms: responseTimeMs })
      : indicator.up({ ...state, degraded: true, message: error });
  }

  private warmingIndicator(): HealthIndicatorResult {
    const indicator = this.indicators.check('warming');
    return this.warming.isReady
      ? indicator.up()
      : indicator.down({ message: 'What is critical is being warmed.' });
  }

  private serviceDto(name: ServiceName, check: Check, breaker: string | null): ServiceHealthDto {
    const { lastSuccessMs, lastFailureMs, consecutiveFailures, uptimePercent } = this.checks.summaryOf(name);
    return {
      status: check.status,
      response_time_ms: check.responseTimeMs,
      last_check: new Date(check.atMs).toISOString(),
      last_success: isoOf(lastSuccessMs),
      last_failure: isoOf(lastFailureMs),
      error: check.error,
      consecutive_failures: consecutiveFailures,
      circuit_breaker_state: breaker,
      uptime_percentage: uptimePercent,
    };
  }
}

function overallOf(database: Check, others: readonly Check[]): OverallStatus {
  if (database.status === 'down') return 'unhealthy';
  return others.some(({ status }) => status === 'down') ? 'degraded' : 'healthy';
}

function isoOf(timeMs: number | null): string | null {
  return timeMs === null ? null : new Date(timeMs).toISOString();
}

/** Whole seconds since this process started. */
function processUptime(): number {
  return Math.floor(process.uptime());
}
