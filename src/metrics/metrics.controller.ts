import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { CacheApiResponse } from '../cache';
import { metricsCache } from './cache';
import { MetricsDto } from './dto/metrics-response.dto';
import { MetricsService } from './metrics.service';

/** Writes the prefix out: a route named `metrics` is outside of it, for Prometheus. */
@ApiTags('system')
@Controller('api/v1/metrics')
export class MetricsController {
  constructor(private readonly metricsOf: MetricsService) {}

  @Get()
  @CacheApiResponse(metricsCache.metrics)
  @ApiOperation({ summary: 'Numbers of the machine, the cache, the database and this process' })
  @ApiOkResponse({ type: MetricsDto })
  metrics(): Promise<MetricsDto> {
    return this.metricsOf.metrics();
  }
}
