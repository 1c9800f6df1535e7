import { Body, Controller, Delete, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { type Actor, ByActor } from '../../auth/actor.decorator';
import { AdminOnly } from '../../auth/admin-only.decorator';
import { CacheApiResponse, TieredCache } from '../../cache';
import { AppConfig } from '../../config/app-config';
import { tasksCache } from './cache';
import {
  OptimizationDto,
  OptimizationListDto,
  toOptimizationDto,
  toOptimizationSummaryDto,
} from './dto/optimization.dto';
import { StartOptimizationDto } from './dto/start-task.dto';
import { runOptimization } from './optimize/optimize';
import { ApiTask, ApiTaskCancel, ApiTaskStart, keepOnlyEnds, locate, sayWhetherEnded } from './task-answer';
import { maxListed, TasksService } from './tasks.service';

const kind = 'optimize';

@ApiTags('hardware')
@Controller('hardware/optimize')
export class OptimizeController {
  constructor(
    private readonly config: AppConfig,
    private readonly tasks: TasksService,
    private readonly cache: TieredCache,
  ) {}

  @Get()
  @CacheApiResponse(tasksCache.optimizations)
  @ApiOperation({
    summary: `The last ${maxListed} optimisations of all hosts, the latest first`,
    description: 'A change of state is in it at once; how far a running one is may be ten seconds old.',
  })
  @ApiOkResponse({ type: OptimizationListDto })
  @ApiResponse({ status: 503, description: 'DATABASE_UNAVAILABLE' })
  async list(): Promise<OptimizationListDto> {
    const tasks = (await this.tasks.latest(kind)).map(toOptimizationSummaryDto);
    return { tasks, count: tasks.length };
  }

  @Post()
  @HttpCode(202)
  @AdminOnly('hardware:write')
  @ApiOperation({
    summary: 'Tidy up the memory of this process and the old files of the clean-up folders',
    description: 'Nothing is changed unless `dry_run` is false.',
  })
  @ApiTaskStart(StartOptimizationDto, OptimizationDto)
  async start(
    @Body() { actions, dry_run }: StartOptimizationDto,
    @ByActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OptimizationDto> {
    const { cleanupFolders: folders, cleanupMinAgeMs, cleanupMaxFiles } = this.config.tasks;
    const cleanup = {
      folders,
      minAgeMs: cleanupMinAgeMs,
      maxFiles: cleanupMaxFiles,
      isDryRun: dry_run,
    };
    const task = await this.tasks.start(
      kind,
      { actions, dry_run },
      context => runOptimization(actions, cleanup, this.cache, context),
      actor,
    );
    locate(response, task);
    return toOptimizationDto(task);
  }

  @Get(':id')
  @CacheApiResponse(tasksCache.optimization)
  @ApiOperation({ summary: 'An optimisation of any host: how far it is, or what it did' })
  @ApiTask(OptimizationDto)
  async one(
    @Param('id') id: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OptimizationDto> {
    const task = await this.tasks.one(kind, id);
    keepOnlyEnds(response, task);
    return toOptimizationDto(task);
  }

  @Delete(':id')
  @AdminOnly('hardware:write')
  @ApiOperation({
    summary: 'Cancel an optimisation, on whichever host it runs; one that has ended stays as it is',
    description: 'What it has removed stays removed, and its result says what that is.',
  })
  @ApiTaskCancel(OptimizationDto)
  async cancel(
    @Param('id') id: string,
    @ByActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OptimizationDto> {
    const task = await this.tasks.cancel(kind, id, actor);
    sayWhetherEnded(response, task);
    return toOptimizationDto(task);
  }
}
