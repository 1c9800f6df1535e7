import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { AgentsModule } from '../agents/agents.module';
import { AgentsService } from '../agents/agents.service';
import { TieredCache } from '../cache';
import { HardwareModule } from '../hardware/hardware.module';
import { ModelsModule } from '../models/models.module';
import { SettingsModule } from '../settings/settings.module';
import { type BreakerOwner, BreakerRegistry } from './breaker-registry';
import { CircuitBreakersController } from './circuit-breakers.controller';
import { DetailedHealthController } from './detailed-health.controller';
import { HealthChecks } from './health-checks.service';
import { HealthController } from './health.controller';
import { HealthService } from './health.service';

/** The checks themselves log each change of state; Terminus would log every failed probe. */
@Module({
  imports: [
    TerminusModule.forRoot({ logger: false }),
    AgentsModule,
    HardwareModule,
    ModelsModule,
    SettingsModule,
  ],
  controllers: [HealthController, DetailedHealthController, CircuitBreakersController],
  providers: [
    HealthService,
    HealthChecks,
    {
      provide: BreakerRegistry,
      // Who has breakers: a service of a feature is added here, with its module above.
      inject: [TieredCache, AgentsService],
      useFactory: (...owners: BreakerOwner[]) => new BreakerRegistry(owners),
    },
  ],
  exports: [HealthService],
})
export class HealthModule {}
