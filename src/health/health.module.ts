import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { HardwareModule } from '../hardware/hardware.module';
import { ModelsModule } from '../models/models.module';
import { DetailedHealthController } from './detailed-health.controller';
import { HealthChecks } from './health-checks.service';
import { HealthController } from './health.controller';
import { HealthService } from './health.service';

/** The checks themselves log each change of state; Terminus would log every failed probe. */
@Module({
  imports: [TerminusModule.forRoot({ logger: false }), HardwareModule, ModelsModule],
  controllers: [HealthController, DetailedHealthController],
  providers: [HealthService, HealthChecks],
  exports: [HealthService],
})
export class HealthModule {}
