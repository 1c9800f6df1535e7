import { Body, Controller, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import {
  ApiExtraModels,
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
import { AuditLog } from '../auth/audit-log';
import { CacheModelData, WarmUp } from '../cache';
import { AppConfig } from '../config/app-config';
import { isOver, onceOver } from '../http/connection-end';
import { modelsCache } from './cache';
import { ModelDetailsDto, ModelListDto } from './dto/model-response.dto';
import { PullModelDto } from './dto/pull-model.dto';
import {
  PullListDto,
  PullProgressDto,
  toLastLine,
  toPullDto,
  toPullProgressDto,
} from './dto/pull-response.dto';
import { maxModelNameCharacters } from './model-name';
import { ModelPulls } from './model-pulls';
import { ModelsService } from './models.service';
import type { Pull } from './pull';
import type { PullWatch } from './pull-watch';
import { sendNdjson } from './send-ndjson';

/** Seconds that "no provider is configured" is believed: with one shared cache the next start may have one. */
const noProviderSeconds = 30;
/**
 * The head of a pull's answer waits so long for the provider to find the model, which it does in its second line: then a name that
 * nobody knows is a 404 and not the last line of a 200.
 */
const findWithinMs = 1_000;

@ApiTags('models')
@Controller('models')
export class ModelsController {
  constructor(
    private readonly models: ModelsService,
    private readonly pulls: ModelPulls,
    private readonly audit: AuditLog,
    private readonly config: AppConfig,
  ) {}

  @Get()
  @CacheModelData(modelsCache.list)
  @WarmUp({ category: ['models', 'api_endpoints'] })
  @ApiOperation({ summary: 'The AI models of the provider' })
  @ApiOkResponse({ type: ModelListDto })
  @ApiResponse({ status: 502, description: 'MODELS_BAD_ANSWER' })
  @ApiResponse({ status: 503, description: 'MODELS_UNAVAILABLE: the provider is away and nothing is cached' })
  async list(@Res({ passthrough: true }) response: Response): Promise<ModelListDto> {
    const list = await this.models.list();
    if (list.provider === null) response.setHeader('Cache-Control', `public, max-age=${noProviderSeconds}`);
    return list;
  }

  @Post('pull')
  @HttpCode(200)
  @AdminOnly('models:write')
  @ApiExtraModels(PullProgressDto)
  @ApiOperation({
    summary: 'Have the provider pull a model, and follow it',
    description:
      'One JSON object a line, until one says `success` or `failed`. The pull goes on when the client leaves; the same request ' +
      'joins it again and gets its progress from then on. A slow client gets the latest of each layer. It is a pull of the ' +
      'instance that was asked; another one does not know it, and Ollama loads each layer once all the same. After `success` the ' +
      'next list has the model.',
  })
  @ApiOkResponse({
    description: 'The progress',
    content: {
      'application/x-ndjson': {
        schema: { $ref: getSchemaPath(PullProgressDto) },
        example: [
          '{"status":"pulling manifest","digest":null,"total":null,"completed":null,"percent":null}',
          '{"status":"pulling dde5aa3fc5ff","digest":"sha256:dde5aa3fc5ff","total":2019377376,"completed":1009688688,"percent":50}',
          '{"status":"success","digest":null,"total":null,"completed":null,"percent":100}',
        ].join('\n'),
      },
    },
  })
  @ApiResponse({
    status: 400,
    description:
      'BODY_INVALID, VALIDATION_FAILED, UNKNOWN_FIELD, MODEL_HOST_REFUSED: a host that is not listed',
  })
  @ApiResponse({ status: 404, description: 'MODEL_NOT_FOUND: the provider finds no model of this name' })
  @ApiResponse({
    status: 429,
    description:
      'MODEL_PULLS_TOO_MANY: as many pulls as there may be, or 32 requests that follow this one; RATE_LIMITED',
  })
  @ApiResponse({ status: 502, description: 'MODEL_PULL_FAILED, MODELS_BAD_ANSWER' })
  @ApiResponse({
    status: 503,
    description:
      'MODELS_NO_PROVIDER, MODELS_UNAVAILABLE, MODEL_PULL_TIMEOUT, MODEL_PULL_ABORTED, ADMIN_DISABLED, DATABASE_UNAVAILABLE',
  })
  async pull(
    @Body() { name }: PullModelDto,
    @ByActor() actor: Actor,
    @Res() response: Response,
  ): Promise<void> {
    const record = (pull: Pull, result: 'job' | 'done' | 'failed'): void =>
      this.audit.record(actor, { action: 'model_pull', target: { model: pull.name }, count: 1, result });
    const { pull, joined } = this.pulls.start(name, ended =>
      record(ended, ended.state.kind === 'done' ? 'done' : 'failed'),
    );
    if (!joined) record(pull, 'job');
    const watch = pull.watch();
    onceOver(response, () => void watch.return());
    await foundWithin(pull, findWithinMs);
    if (pull.state.kind === 'failed') throw pull.state.problem;
    if (!isOver(response)) await sendNdjson(response, linesOfPull(pull, watch));
  }

  /** A model that is called `pulls` is at `pulls:latest`. */
  @Get('pulls')
  @AdminOnly('models:write')
  @ApiOperation({ summary: 'The pulls of this instance that are under way, and the last 20 that have ended' })
  @ApiOkResponse({ type: PullListDto })
  listPulls(): PullListDto {
    const pulls = this.pulls.all().map(toPullDto);
    return {
      pulls,
      running: pulls.filter(({ state }) => state === 'running').length,
      max_running: this.config.ollama.maxPulls,
    };
  }

  /** Names contain slashes: the rest of the path is the name, in one segment (`%2F`) or several. */
  @Get('*name')
  @CacheModelData(modelsCache.one)
  @ApiOperation({ summary: 'One model' })
  @ApiParam({
    name: 'name',
    schema: { type: 'string', maxLength: maxModelNameCharacters, example: 'llama3.2:3b' },
    description: `Without a tag the latest. May contain slashes, as they are or as %2F. At most ${maxModelNameCharacters} characters; what cannot be a name is a 404.`,
  })
  @ApiOkResponse({ type: ModelDetailsDto })
  @ApiResponse({ status: 404, description: 'MODEL_NOT_FOUND' })
  @ApiResponse({ status: 502, description: 'MODELS_BAD_ANSWER' })
  @ApiResponse({ status: 503, description: 'MODELS_UNAVAILABLE' })
  one(@Param('name') name: string | string[]): Promise<ModelDetailsDto> {
    return this.models.one(Array.isArray(name) ? name.join('/') : name);
  }
}

async function foundWithin(pull: Pull, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>(resolve => (timer = setTimeout(resolve, limitMs).unref()));
  await Promise.race([pull.found, late]);
  clearTimeout(timer);
}

async function* linesOfPull(pull: Pull, watch: PullWatch): AsyncGenerator<PullProgressDto, void, undefined> {
  for await (const progress of watch) yield toPullProgressDto(progress);
  const last = toLastLine(pull);
  if (last) yield last;
}
