import { Module } from '@nestjs/common';
import { AnalysisController } from './analysis/analysis.controller';
import { AnalysisService } from './analysis/analysis.service';
import { HardwareController } from './hardware.controller';
import { HardwareCountsService } from './hardware-counts.service';
import { HardwareService } from './hardware.service';
import { Machine } from './machine';
import { AlertsRepository } from './monitoring/alerts.repository';
import { AlertsService } from './monitoring/alerts.service';
import { MonitoringController } from './monitoring/monitoring.controller';
import { MonitoringRepository } from './monitoring/monitoring.repository';
import { MonitoringService } from './monitoring/monitoring.service';
import { SamplesRepository } from './monitoring/samples.repository';
import { Sampler } from './monitoring/sampler';
import { ProgramStarter } from './programs/program-starter';
import { MetricsStream } from './stream/metrics-stream';
import { StreamController } from './stream/stream.controller';

@Module({
  controllers: [HardwareController, StreamController, MonitoringController, AnalysisController],
  providers: [
    HardwareService,
    Machine,
    ProgramStarter,
    HardwareCountsService,
    MetricsStream,
    MonitoringService,
    MonitoringRepository,
    SamplesRepository,
    AlertsRepository,
    AlertsService,
    Sampler,
    AnalysisService,
  ],
  exports: [HardwareService, HardwareCountsService, ProgramStarter],
})
export class HardwareModule {}
