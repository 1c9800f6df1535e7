import { Module } from '@nestjs/common';
import { AgentsModule } from '../agents/agents.module';
import { HardwareModule } from '../hardware/hardware.module';
import { HealthModule } from '../health/health.module';
import { AdminMetrics } from './admin-metrics';
import { AgentsMetrics } from './agents-metrics';
import { CacheMetrics } from './cache-metrics';
import { CoherenceMetrics } from './coherence-metrics';
import { DatabaseMetrics } from './database-metrics';
import { HardwareMetrics } from './hardware-metrics';
import { HttpDurations } from './http-durations';
import { MetricsController } from './metrics.controller';
import { MetricsService } from './metrics.service';
import { PrometheusController } from './prometheus.controller';
import { PrometheusRegistry } from './prometheus-registry';
import { StatusController } from './status.controller';
import { WarmingMetrics } from './warming-metrics';

@Module({
  imports: [AgentsModule, HardwareModule, HealthModule],
  controllers: [PrometheusController, MetricsController, StatusController],
  providers: [
    MetricsService,
    PrometheusRegistry,
    HttpDurations,
    CacheMetrics,
    CoherenceMetrics,
    WarmingMetrics,
    DatabaseMetrics,
    AdminMetrics,
    HardwareMetrics,
    AgentsMetrics,
  ],
})
export class MetricsModule {}
