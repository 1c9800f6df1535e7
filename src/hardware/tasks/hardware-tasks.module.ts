import { Module } from '@nestjs/common';
import { BenchmarkController } from './benchmark.controller';
import { OptimizeController } from './optimize.controller';
import { TasksRepository } from './tasks.repository';
import { TasksService } from './tasks.service';

/** Benchmarks and optimisations: work on this host that takes longer than a request. */
@Module({
  controllers: [BenchmarkController, OptimizeController],
  providers: [TasksService, TasksRepository],
})
export class HardwareTasksModule {}
