import { Module } from '@nestjs/common';
import { HardwareController } from './hardware.controller';
import { HardwareCountsService } from './hardware-counts.service';
import { HardwareService } from './hardware.service';
import { Machine } from './machine';
import { MetricsStream } from './stream/metrics-stream';
import { StreamController } from './stream/stream.controller';

@Module({
  controllers: [HardwareController, StreamController],
  providers: [HardwareService, Machine, HardwareCountsService, MetricsStream],
  exports: [HardwareService, HardwareCountsService],
})
export class HardwareModule {}
