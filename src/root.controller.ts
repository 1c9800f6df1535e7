import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { AppConfig } from './config/app-config';
import { Database } from './database/database';
import { RedisConnections } from './redis/redis-connections';

export class ApplicationFeaturesDto {
  @ApiProperty({
    enum: ['url', 'embedded', 'off'],
    description: 'The Redis that instances share: a server, a private one, or none',
    example: 'url',
  })
  shared_cache!: string;

  @ApiProperty({ enum: ['server', 'embedded'], example: 'server' })
  database!: string;

  @ApiProperty({ enum: ['ollama', 'none'], description: 'Who runs the models', example: 'ollama' })
  models!: string;

  @ApiProperty({ description: 'At the start and by schedule', example: true })
  cache_warming!: boolean;
}

export class ApplicationDto {
  @ApiProperty({ example: 'SutazAI backend' })
  name!: string;

  @ApiProperty({ example: '2.0.0' })
  version!: string;

  @ApiProperty({
    enum: ['running', 'degraded'],
    description: '`degraded` until the database has been reached',
    example: 'running',
  })
  status!: string;

  @ApiProperty({ enum: ['development', 'production', 'test'], example: 'production' })
  environment!: string;

  @ApiProperty()
  features!: ApplicationFeaturesDto;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string' },
    description: 'Paths on this server',
    example: { documentation: '/docs', health: '/health' },
  })
  links!: Record<string, string>;
}

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
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Name, version, status, features and links' })
  @ApiOkResponse({ type: ApplicationDto })
  describe(): ApplicationDto {
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
