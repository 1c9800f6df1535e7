import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { NeverCached } from '../cache';
import { AllowsAnyInput } from '../http/any-input.decorator';
import { ProbeDto } from './dto/health-response.dto';
import { HealthService } from './health.service';

/**
 * Probes, outside of the API's prefix. Load balancers and orchestrators add to them what they like, and one that is refused takes a
 * healthy instance out of service.
 */
@ApiTags('health')
@AllowsAnyInput()
@NeverCached('a probe asks how it is now')
@Controller('health')
export class HealthController {
  constructor(private readonly health: HealthService) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'The same as /health/ready' })
  @ApiOkResponse({ type: ProbeDto })
  @ApiResponse({
    status: 503,
    type: ProbeDto,
    description: 'The database is away, or what is critical is being warmed',
  })
  all(): Promise<ProbeDto> {
    return this.health.ready();
  }

  @Get('live')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Whether this process runs' })
  @ApiOkResponse({ type: ProbeDto })
  live(): Promise<ProbeDto> {
    return this.health.live();
  }

  @Get('ready')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Whether requests can be answered; `degraded` (200) without Redis' })
  @ApiOkResponse({ type: ProbeDto })
  @ApiResponse({
    status: 503,
    type: ProbeDto,
    description: 'The database is away, or what is critical is being warmed',
  })
  ready(): Promise<ProbeDto> {
    return this.health.ready();
  }
}
