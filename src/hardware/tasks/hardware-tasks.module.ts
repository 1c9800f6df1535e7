import { Module } from '@nestjs/common';
import { HardwareModule } from '../hardware.module';
import { BenchmarkController } from './benchmark.controller';
import { OptimizeController } from './optimize.controller';
import { TasksRepository } from './tasks.repository';
import { TasksService } from './tasks.service';

/** Benchmarks and optimisations: work on this host that takes longer than a request. */
@Module({
  imports: [HardwareModule],
  controllers: [BenchmarkController, OptimizeController],
  providers: [TasksService, TasksRepository],
})
export class HardwareTasksModule {}
