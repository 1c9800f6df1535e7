import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { CacheHeavyComputation } from '../../cache';
import { hardwareCache } from '../cache';
import {
  type AnalysisDto,
  CapacityAnalysisDto,
  PerformanceAnalysisDto,
  RecommendationsDto,
} from '../dto/analysis.dto';
import { AnalysisService } from './analysis.service';

const tooLittle =
  'With too little history `status` is `insufficient_data`, and `samples` tells how many there are and are needed.';

/** Life of an answer of too little, in seconds. */
const tooLittleSeconds = 10;

@ApiTags('hardware')
@Controller('hardware')
export class AnalysisController {
  constructor(private readonly analysis: AnalysisService) {}

  @Get('analyze/performance')
  @CacheHeavyComputation(hardwareCache.performance)
  @ApiOperation({ summary: 'Percentiles and trends of the last day of this host', description: tooLittle })
  @ApiOkResponse({ type: PerformanceAnalysisDto })
  @ApiResponse({ status: 503, description: 'DATABASE_UNAVAILABLE' })
  async performance(@Res({ passthrough: true }) response: Response): Promise<PerformanceAnalysisDto> {
    return sent(response, await this.analysis.performance());
  }

  @Get('analyze/capacity')
  @CacheHeavyComputation(hardwareCache.capacity)
  @ApiOperation({
    summary: 'When memory, swap and the fullest disk of this host reach their limits',
    description: `From the whole recorded history. ${tooLittle}`,
  })
  @ApiOkResponse({ type: CapacityAnalysisDto })
  @ApiResponse({ status: 503, description: 'DATABASE_UNAVAILABLE' })
  async capacity(@Res({ passthrough: true }) response: Response): Promise<CapacityAnalysisDto> {
    return sent(response, await this.analysis.capacity());
  }

  @Get('recommendations')
  @CacheHeavyComputation(hardwareCache.recommendations)
  @ApiOperation({
    summary: 'What follows from the recorded history of this host, each with its numbers',
    description: tooLittle,
  })
  @ApiOkResponse({ type: RecommendationsDto })
  @ApiResponse({ status: 503, description: 'DATABASE_UNAVAILABLE' })
  async recommendations(@Res({ passthrough: true }) response: Response): Promise<RecommendationsDto> {
    return sent(response, await this.analysis.recommendations());
  }
}

/** An answer of too little is kept for a moment only: it should not take half an hour to notice that there is enough. */
function sent<T extends AnalysisDto>(response: Response, answer: T): T {
  if (answer.status !== 'ok') response.setHeader('Cache-Control', `max-age=${tooLittleSeconds}`);
  return answer;
}
