import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { CacheApiResponse, WarmUp } from '../cache';
import { healthCache } from './cache';
import { DetailedHealthDto } from './dto/health-response.dto';
import { HealthService } from './health.service';

@ApiTags('health')
@Controller('health')
export class DetailedHealthController {
  constructor(private readonly health: HealthService) {}

  @Get('detailed')
  @CacheApiResponse(healthCache.detailed)
  @WarmUp({ category: 'health' })
  @ApiOperation({ summary: 'Every dependency with its history, the host, what is wrong and what would help' })
  @ApiOkResponse({ type: DetailedHealthDto })
  detailed(): Promise<DetailedHealthDto> {
    return this.health.detailed();
  }
}
