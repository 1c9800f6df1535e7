import {
  Body,
  Controller,
  Delete,
  Get,
  Header,
  HttpCode,
  Param,
  ParseUUIDPipe,
  Post,
  Query,
  Res,
} from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiExtraModels,
  ApiBody,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiResponse,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import type { Response } from 'express';
import { type Actor, ByActor } from '../auth/actor.decorator';
import { AdminOnly } from '../auth/admin-only.decorator';
import { CacheAdminService } from './cache-admin.service';
import {
  ClearedDto,
  ClearJobDto,
  InvalidationAnswerDto,
  PolicyListDto,
  WarmAnswerDto,
  WarmPreviewDto,
  WarmRunDto,
  WarmRunListDto,
} from './dto/answers.dto';
import { AuditPageDto, AuditQueryDto } from './dto/audit.dto';
import { DiagnosisDto } from './dto/diagnosis.dto';
import { ExplanationDto } from './dto/explanation.dto';
import { ClearQueryDto, StatisticsQueryDto, WarmBodyDto } from './dto/queries.dto';
import { PolicyStatisticsDto, StatisticsDto } from './dto/statistics.dto';
import { readInvalidateBody } from './invalidate-body';

const noStore = 'no-store';

/** Ids of runs and jobs. */
const runId = { type: 'string', format: 'uuid', example: '4f1c2a9e-1f0b-4b7c-9a53-0a4f5f3f2f11' } as const;

@ApiTags('cache')
@ApiExtraModels(PolicyStatisticsDto, WarmAnswerDto, WarmPreviewDto, ClearedDto, ClearJobDto)
@Controller('cache')
export class CacheAdminController {
  constructor(private readonly admin: CacheAdminService) {}

  @Get('stats')
  @Header('Cache-Control', noStore)
  @ApiOperation({ summary: 'What the cache has done in a window of time, on this instance or on all' })
  @ApiOkResponse({ type: StatisticsDto })
  stats(@Query() { scope, window }: StatisticsQueryDto): Promise<StatisticsDto> {
    return this.admin.statistics(scope, window);
  }

  @Get('doctor')
  @Header('Cache-Control', noStore)
  @AdminOnly('cache:read')
  @ApiOperation({ summary: 'Why the hit rate is what it is, and what would help by how much' })
  @ApiOkResponse({ type: DiagnosisDto })
  doctor(): Promise<DiagnosisDto> {
    return this.admin.diagnose();
  }

  @Get('policies')
  @Header('Cache-Control', noStore)
  @ApiOperation({ summary: 'The policies in force on this instance, overrides of the settings included' })
  @ApiOkResponse({ type: PolicyListDto })
  policies(): PolicyListDto {
    return { policies: this.admin.policies() };
  }

  @Get('entries/:key')
  @Header('Cache-Control', noStore)
  @AdminOnly('cache:read')
  @ApiOperation({
    summary: 'Where an entry lives, its age and remaining life, and whether its tags are valid',
  })
  @ApiParam({
    name: 'key',
    description: 'A key of the cache, percent-encoded: 1 to 512 bytes without control characters',
    schema: { type: 'string', minLength: 1, maxLength: 512, example: 'agents:list|' },
  })
  @ApiOkResponse({ type: ExplanationDto })
  @ApiResponse({ status: 400, description: 'CACHE_KEY_INVALID' })
  explain(@Param('key') key: string): Promise<ExplanationDto> {
    return this.admin.explain(key);
  }

  @Get('audit')
  @AdminOnly('cache:read')
  @ApiOperation({
    summary: 'Who invalidated, cleared or warmed what, and made or revoked keys; the latest first',
  })
  @ApiOkResponse({ type: AuditPageDto })
  @ApiResponse({ status: 400, description: 'VALIDATION_FAILED, UNKNOWN_FIELD, QUERY_DUPLICATE' })
  audit(@Query() query: AuditQueryDto): Promise<AuditPageDto> {
    return this.admin.auditPage(query.limit ?? 50, query.before);
  }

  @Post('warm')
  @HttpCode(200)
  @AdminOnly('cache:write')
  @ApiOperation({ summary: 'Warm the cache now' })
  @ApiBody({ type: WarmBodyDto, required: false })
  @ApiOkResponse({
    description: 'The run has ended well; or, with dry_run, what a run would do',
    schema: { oneOf: [{ $ref: getSchemaPath(WarmAnswerDto) }, { $ref: getSchemaPath(WarmPreviewDto) }] },
  })
  @ApiAcceptedResponse({ type: WarmRunDto, description: 'With wait: false, the run that has begun' })
  @ApiResponse({ status: 400, description: 'VALIDATION_FAILED, UNKNOWN_FIELD' })
  @ApiResponse({ status: 404, description: 'WARM_JOB_UNKNOWN' })
  @ApiResponse({ status: 503, description: 'WARM_FAILED: something could not be loaded; the errors name it' })
  async warm(
    @Body() body: WarmBodyDto,
    @ByActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<WarmAnswerDto | WarmPreviewDto | WarmRunDto> {
    const { categories, jobs, wait = true, dry_run: dryRun = false } = body;
    const selection = { categories, jobs };
    if (dryRun) return this.admin.previewWarming(selection);
    if (wait) return this.admin.warm(selection, actor);
    const run = this.admin.startWarming(selection, actor);
    response.status(202).setHeader('Location', `/api/v1/cache/warm/runs/${run.run_id}`);
    return run;
  }

  @Get('warm/runs')
  @AdminOnly('cache:read')
  @ApiOperation({ summary: 'The last 20 runs of warming on this instance, the latest first' })
  @ApiOkResponse({ type: WarmRunListDto })
  warmRuns(): WarmRunListDto {
    return { runs: this.admin.warmRuns() };
  }

  @Get('warm/runs/:id')
  @AdminOnly('cache:read')
  @ApiOperation({ summary: 'One of the last 20 runs of warming, while it goes on and afterwards' })
  @ApiParam({ name: 'id', description: '`run_id` of a run', schema: runId })
  @ApiOkResponse({ type: WarmRunDto })
  @ApiResponse({ status: 400, description: 'BAD_REQUEST: the id is no UUID' })
  @ApiResponse({ status: 404, description: 'WARM_RUN_NOT_FOUND' })
  warmRun(@Param('id', ParseUUIDPipe) id: string): WarmRunDto {
    return this.admin.warmRun(id);
  }

  @Post('invalidate')
  @HttpCode(200)
  @AdminOnly('cache:write')
  @ApiOperation({ summary: 'Invalidate tags and keys' })
  @ApiBody({
    schema: {
      oneOf: [
        {
          type: 'array',
          items: { type: 'string', maxLength: 128 },
          maxItems: 100,
          example: ['api', 'models'],
        },
        {
          type: 'object',
          properties: {
            tags: { type: 'array', items: { type: 'string', maxLength: 128 }, maxItems: 100 },
            keys: { type: 'array', items: { type: 'string', maxLength: 512 }, maxItems: 1_000 },
          },
          example: { tags: ['agents'], keys: ['agents:list|'] },
        },
      ],
    },
  })
  @ApiOkResponse({ type: InvalidationAnswerDto })
  @ApiAcceptedResponse({ type: InvalidationAnswerDto, description: 'Redis is away: queued' })
  @ApiResponse({
    status: 400,
    description:
      'UNKNOWN_FIELD, KEYS_REQUIRED, KEYS_TYPE, KEYS_EMPTY, KEYS_TOO_MANY, TAGS_TYPE, TAGS_EMPTY, TAGS_TOO_MANY, CACHE_KEY_TYPE, CACHE_KEY_INVALID, TAG_INVALID, TAG_RESERVED',
  })
  async invalidate(
    @Body() body: unknown,
    @ByActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<InvalidationAnswerDto> {
    const answer = await this.admin.invalidate(readInvalidateBody(body), actor);
    if (answer.queued) response.status(202);
    return answer;
  }

  @Post('clear')
  @HttpCode(200)
  @AdminOnly('cache:write')
  @ApiOperation({ summary: 'Clear by pattern, in the background, or everything, at once' })
  @ApiOkResponse({ type: ClearedDto, description: 'Everything was cleared' })
  @ApiAcceptedResponse({
    description: 'A clear by pattern has begun, or everything is queued because Redis is away',
    schema: { oneOf: [{ $ref: getSchemaPath(ClearJobDto) }, { $ref: getSchemaPath(ClearedDto) }] },
  })
  @ApiResponse({ status: 400, description: 'PATTERN_INVALID, PATTERN_TOO_BROAD' })
  @ApiResponse({
    status: 503,
    description:
      'CACHE_UNAVAILABLE: nobody can say what matches while Redis is away; CLEAR_JOBS_TOO_MANY: four clears are under way',
  })
  async clear(
    @Query() query: ClearQueryDto,
    @ByActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ClearJobDto | ClearedDto> {
    const answer = await this.admin.clear(query, actor);
    if (answer.accepted) response.status(202);
    return answer.body;
  }

  @Get('clear/:job')
  @AdminOnly('cache:read')
  @ApiOperation({ summary: 'How far a clear by pattern has come' })
  @ApiParam({ name: 'job', description: '`job_id` of a clear', schema: runId })
  @ApiOkResponse({ type: ClearJobDto })
  @ApiResponse({ status: 400, description: 'BAD_REQUEST: the id is no UUID' })
  @ApiResponse({ status: 404, description: 'CLEAR_JOB_NOT_FOUND' })
  clearJob(@Param('job', ParseUUIDPipe) job: string): ClearJobDto {
    return this.admin.clearJob(job);
  }

  @Delete('clear/:job')
  @AdminOnly('cache:write')
  @ApiOperation({ summary: 'Stop a clear by pattern' })
  @ApiParam({ name: 'job', description: '`job_id` of a clear', schema: runId })
  @ApiOkResponse({ type: ClearJobDto })
  @ApiResponse({ status: 400, description: 'BAD_REQUEST: the id is no UUID' })
  @ApiResponse({ status: 404, description: 'CLEAR_JOB_NOT_FOUND' })
  cancelClear(@Param('job', ParseUUIDPipe) job: string, @ByActor() actor: Actor): Promise<ClearJobDto> {
    return this.admin.cancelClear(job, actor);
  }
}
