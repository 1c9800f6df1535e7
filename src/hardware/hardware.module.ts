import { Module } from '@nestjs/common';
import { HardwareController } from './hardware.controller';
import { HardwareService } from './hardware.service';
import { Machine } from './machine';

@Module({
  controllers: [HardwareController],
  providers: [HardwareService, Machine],
  exports: [HardwareService],
})
export class HardwareModule {}
