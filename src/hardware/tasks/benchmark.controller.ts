import { Body, Controller, Delete, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBody,
  ApiOkResponse,
  ApiOperation,
  ApiResponse,
  ApiTags,
} from '@nestjs/swagger';
import { randomUUID } from 'node:crypto';
import type { Response } from 'express';
import { type Actor, ByActor } from '../../auth/actor.decorator';
import { AdminOnly } from '../../auth/admin-only.decorator';
import { CacheHeavyComputation } from '../../cache';
import { AppConfig } from '../../config/app-config';
import { NoQuery } from '../../http/no-query.decorator';
import { runBenchmark } from './benchmark/benchmark';
import { tasksCache } from './cache';
import { BenchmarkDto, toBenchmarkDto } from './dto/benchmark.dto';
import { StartBenchmarkDto } from './dto/start-task.dto';
import {
  ApiTaskErrors,
  ApiTaskId,
  keepOnlyEnds,
  locate,
  locationHeader,
  sayWhetherEnded,
} from './task-answer';
import { TasksService } from './tasks.service';

const kind = 'benchmark';

@ApiTags('hardware')
@Controller('hardware/benchmark')
export class BenchmarkController {
  constructor(
    private readonly config: AppConfig,
    private readonly tasks: TasksService,
  ) {}

  @Post()
  @HttpCode(202)
  @AdminOnly('hardware:write')
  @ApiOperation({
    summary: 'Measure processor, memory and disk of this host, in threads beside the requests',
  })
  @ApiBody({ type: StartBenchmarkDto, required: false })
  @ApiAcceptedResponse({
    type: BenchmarkDto,
    headers: locationHeader,
    description: 'It has begun; Location tells how it goes on',
  })
  @ApiResponse({ status: 400, description: 'BODY_INVALID, VALIDATION_FAILED, UNKNOWN_FIELD' })
  @ApiResponse({
    status: 409,
    description: 'TASK_RUNNING: this host runs one task at a time; Location is that of the other',
    headers: locationHeader,
  })
  async start(
    @Body() { parts, duration_ms }: StartBenchmarkDto,
    @ByActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<BenchmarkDto> {
    const { benchmarkFolder: folder, benchmarkFileBytes: maxBytes } = this.config.tasks;
    const options = { parts, durationMs: duration_ms, disk: { folder, maxBytes }, id: randomUUID() };
    const parameters = { parts, duration_ms };
    const task = await this.tasks.start(kind, parameters, context => runBenchmark(options, context), actor);
    locate(response, task);
    return toBenchmarkDto(task);
  }

  @Get(':id')
  @NoQuery()
  @CacheHeavyComputation(tasksCache.benchmark)
  @ApiOperation({ summary: 'A benchmark of any host: how far it is, or what it found' })
  @ApiTaskId()
  @ApiOkResponse({
    type: BenchmarkDto,
    description: 'Cached when it has ended; before that `Cache-Control` is no-store',
  })
  @ApiTaskErrors()
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
  @ApiTaskId()
  @ApiOkResponse({ type: BenchmarkDto, description: 'It has ended' })
  @ApiAcceptedResponse({ type: BenchmarkDto, description: 'It was told to end and has not within 3 s' })
  @ApiTaskErrors()
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
