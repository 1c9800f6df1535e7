import { Body, Controller, Delete, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { randomUUID } from 'node:crypto';
import type { Response } from 'express';
import { type Actor, ByActor } from '../../auth/actor.decorator';
import { AdminOnly } from '../../auth/admin-only.decorator';
import { CacheHeavyComputation } from '../../cache';
import { AppConfig } from '../../config/app-config';
import { ProgramStarter } from '../programs/program-starter';
import { runBenchmark } from './benchmark/benchmark';
import { tasksCache } from './cache';
import { BenchmarkDto, toBenchmarkDto } from './dto/benchmark.dto';
import { StartBenchmarkDto } from './dto/start-task.dto';
import { ApiTask, ApiTaskCancel, ApiTaskStart, keepOnlyEnds, locate, sayWhetherEnded } from './task-answer';
import { TasksService } from './tasks.service';

const kind = 'benchmark';

@ApiTags('hardware')
@Controller('hardware/benchmark')
export class BenchmarkController {
  constructor(
    private readonly config: AppConfig,
    private readonly tasks: TasksService,
    private readonly starter: ProgramStarter,
  ) {}

  @Post()
  @HttpCode(202)
  @AdminOnly('hardware:write')
  @ApiOperation({
    summary: 'Measure processor, memory and disk of this host, in threads of a process beside the instance',
  })
  @ApiTaskStart(StartBenchmarkDto, BenchmarkDto)
  async start(
    @Body() { parts, duration_ms }: StartBenchmarkDto,
    @ByActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<BenchmarkDto> {
    const { benchmarkFolder: folder, benchmarkFileBytes: maxBytes } = this.config.tasks;
    const options = { parts, durationMs: duration_ms, disk: { folder, maxBytes }, id: randomUUID() };
    const parameters = { parts, duration_ms };
    const task = await this.tasks.start(
      kind,
      parameters,
      context => runBenchmark(this.starter, options, context),
      actor,
    );
    locate(response, task);
    return toBenchmarkDto(task);
  }

  @Get(':id')
  @CacheHeavyComputation(tasksCache.benchmark)
  @ApiOperation({ summary: 'A benchmark of any host: how far it is, or what it found' })
  @ApiTask(BenchmarkDto)
  async one(@Param('id') id: string, @Res({ passthrough: true }) response: Response): Promise<BenchmarkDto> {
    const task = await this.tasks.one(kind, id);
    keepOnlyEnds(response, task);
    return toBenchmarkDto(task);
  }

  @Delete(':id')
  @AdminOnly('hardware:write')
  @ApiOperation({
    summary: 'Cancel a benchmark, on whichever host it runs; one that has ended stays as it is',
  })
  @ApiTaskCancel(BenchmarkDto)
  async cancel(
    @Param('id') id: string,
    @ByActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<BenchmarkDto> {
    const task = await this.tasks.cancel(kind, id, actor);
    sayWhetherEnded(response, task);
    return toBenchmarkDto(task);
  }
}
