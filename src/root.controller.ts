import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AppConfig } from './config/app-config';
import { Database } from './database/database';
import { RedisConnections } from './redis/redis-connections';

/** What this is and where to go from here. */
@ApiTags('system')
@Controller()
export class RootController {
  constructor(
    private readonly config: AppConfig,
    private readonly database: Database,
    private readonly redis: RedisConnections,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Name, version, status, features and links' })
  @ApiOkResponse({ description: 'What runs here' })
  describe(): object {
    return {
      name: 'SutazAI backend',
      version: this.config.version,
      status: this.database.isReady ? 'running' : 'degraded',
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
        metrics: '/metrics',
        agents: '/api/v1/agents',
        models: '/api/v1/models',
        settings: '/api/v1/settings',
        cache_statistics: '/api/v1/cache/stats',
      },
    };
  }
}
