import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AppConfig } from './config/app-config';
import { Database } from './database/database';
import { HealthService } from './health/health.service';
import { RedisConnections } from './redis/redis-connections';
import { ApplicationDto } from './root.dto';

/** What this is and where to go from here. */
@ApiTags('system')
@Controller()
export class RootController {
  constructor(
    private readonly config: AppConfig,
    private readonly database: Database,
    private readonly redis: RedisConnections,
    private readonly health: HealthService,
  ) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Name, version, status, features and links' })
  @ApiOkResponse({ type: ApplicationDto })
  describe(): ApplicationDto {
    const isReachable = this.database.isReady && !this.health.isDatabaseDown;
    return {
      name: 'SutazAI backend',
      version: this.config.version,
      status: isReachable ? 'running' : 'degraded',
      environment: this.config.environment,
      features: {
        shared_cache: this.redis.mode,
        database: this.database.mode,
        models: this.config.ollama.url === undefined ? 'none' : 'ollama',
        cache_warming: this.config.warming.enabled,
      },
      links: {
        documentation: '/docs',
        health: '/health',
        health_detailed: '/api/v1/health/detailed',
        status: '/api/v1/status',
        metrics: '/metrics',
        metrics_report: '/api/v1/metrics',
        agents: '/api/v1/agents',
        models: '/api/v1/models',
        settings: '/api/v1/settings',
        hardware: '/api/v1/hardware/metrics',
        cache_statistics: '/api/v1/cache/stats',
      },
    };
  }
}
