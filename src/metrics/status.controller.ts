import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { CacheApiResponse, WarmUp } from '../cache';
import { metricsCache } from './cache';
import { StatusDto } from './dto/metrics-response.dto';
import { MetricsService } from './metrics.service';

@ApiTags('system')
@Controller('status')
export class StatusController {
  constructor(private readonly metrics: MetricsService) {}

  @Get()
  @CacheApiResponse(metricsCache.status)
  @WarmUp({ category: 'api_endpoints' })
  @ApiOperation({ summary: 'The application in five fields' })
  @ApiOkResponse({ type: StatusDto })
  status(): Promise<StatusDto> {
    return this.metrics.status();
  }
}
