import { Injectable } from '@nestjs/common';
import { rates, TieredCache } from '../cache';
import { AppConfig } from '../config/app-config';
import { Database } from '../database/database';
import { HardwareService } from '../hardware/hardware.service';
import { HealthService } from '../health/health.service';
import type { CacheMetricsDto, MetricsDto, StatusDto } from './dto/metrics-response.dto';

/** The numbers of the machine and of this process, for people and for simple monitors. */
@Injectable()
export class MetricsService {
  constructor(
    private readonly config: AppConfig,
    private readonly cache: TieredCache,
    private readonly database: Database,
    private readonly hardware: HardwareService,
    private readonly health: HealthService,
  ) {}

  async metrics(): Promise<MetricsDto> {
    const { hardware } = this;
    const [cpu, memory, disk, network] = await Promise.all([
      hardware.cpu(),
      hardware.memory(),
      hardware.disks(),
      hardware.network(),
    ]);
    const { rss, heapUsed } = process.memoryUsage();
    return {
      timestamp: new Date().toISOString(),
      system: { cpu, memory, disk, network },
      performance: {
        cache: this.cacheMetrics(),
        database: { mode: this.database.mode, queries: this.database.queries },
        process: {
          uptime_seconds: Math.floor(process.uptime()),
          memory_bytes: rss,
          heap_used_bytes: heapUsed,
        },
      },
    };
  }

  async status(): Promise<StatusDto> {
    const [status, vitals] = await Promise.all([this.health.overall(), this.hardware.vitals()]);
    return {
      status,
      cpu_percent: vitals.cpuPercent,
      memory_percent: vitals.memoryPercent,
      version: this.config.version,
      uptime_seconds: Math.floor(process.uptime()),
    };
  }

  private cacheMetrics(): CacheMetricsDto {
    const { totals, tiers } = this.cache.stats();
    const { remote } = this.cache.status();
    const { hits, misses, hitRate, userVisibleHitRate, rating } = rates(totals);
    return {
      gets: totals.gets,
      hits,
      misses,
      hit_rate: Number(hitRate.toFixed(4)),
      user_visible_rate: Number(userVisibleHitRate.toFixed(4)),
      rating,
      l1_entries: tiers.l1.entries,
      l1_bytes: tiers.l1.bytes,
      evictions: tiers.l1.evictions,
      loads: totals.loads,
      load_ms: Math.round(totals.loadMs),
      load_ms_saved: Math.round(totals.loadMsSaved),
      redis_status: remote.mode === 'off' ? 'off' : remote.state,
    };
  }
}
