import { Controller, Get, Param, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { CacheModelData, WarmUp } from '../cache';
import { modelsCache } from './cache';
import { ModelDetailsDto, ModelListDto } from './dto/model-response.dto';
import { ModelsService } from './models.service';

/** Seconds that "no provider is configured" is believed: with one shared cache the next start may have one. */
const noProviderSeconds = 30;

@ApiTags('models')
@Controller('models')
export class ModelsController {
  constructor(private readonly models: ModelsService) {}

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

  /** Names contain slashes: the rest of the path is the name, in one segment (`%2F`) or several. */
  @Get('*name')
  @CacheModelData(modelsCache.one)
  @ApiOperation({ summary: 'One model' })
  @ApiParam({ name: 'name', example: 'llama3.2:3b', description: 'May contain slashes' })
  @ApiOkResponse({ type: ModelDetailsDto })
  @ApiResponse({ status: 404, description: 'MODEL_NOT_FOUND' })
  @ApiResponse({ status: 502, description: 'MODELS_BAD_ANSWER' })
  @ApiResponse({ status: 503, description: 'MODELS_UNAVAILABLE' })
  one(@Param('name') name: string | string[]): Promise<ModelDetailsDto> {
    return this.models.one(Array.isArray(name) ? name.join('/') : name);
  }
}
