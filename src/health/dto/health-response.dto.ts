import { ApiProperty } from '@nestjs/swagger';

const time = '2026-01-31T12:00:00.000Z';

export class ServiceHealthDto {
  @ApiProperty({
    enum: ['up', 'down', 'disabled'],
    description: 'Of the last check; `disabled`: none is configured',
    example: 'up',
  })
  status!: string;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Of the last check; null without an answer',
    example: 1.42,
  })
  response_time_ms!: number | null;

  @ApiProperty({ format: 'date-time', description: 'At most five seconds ago', example: time })
  last_check!: string;

  @ApiProperty({ type: String, nullable: true, format: 'date-time', example: time })
  last_success!: string | null;

  @ApiProperty({ type: String, nullable: true, format: 'date-time', example: null })
  last_failure!: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'What is wrong, in words',
    example: null,
  })
  error!: string | null;

  @ApiProperty({
    type: 'integer',
    description: 'Failed checks since the last one that succeeded',
    example: 0,
  })
  consecutive_failures!: number;

  @ApiProperty({
    type: String,
    nullable: true,
    enum: ['closed', 'open', 'half-open'],
    description: 'Null where there is no breaker; in a Cluster the worst',
    example: 'closed',
  })
  circuit_breaker_state!: string | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    description:
      'Share of the last `uptime_window_seconds` in which it was up: each minute counts the same. Null when there was no check.',
    example: 100,
  })
  uptime_percentage!: number | null;
}

export class ServicesDto {
  @ApiProperty({ type: ServiceHealthDto })
  database!: ServiceHealthDto;

  @ApiProperty({ type: ServiceHealthDto })
  redis!: ServiceHealthDto;

  @ApiProperty({ type: ServiceHealthDto, description: 'The provider of the models' })
  models!: ServiceHealthDto;
}

export class SystemResourcesDto {
  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Of all cores together, 0 to 100',
    example: 12.5,
  })
  cpu_percent!: number | null;

  @ApiProperty({ type: Number, nullable: true, description: 'Load of one minute', example: 0.31 })
  load_per_core!: number | null;

  @ApiProperty({ type: Number, nullable: true, example: 48.2 })
  memory_percent!: number | null;

  @ApiProperty({ type: Number, nullable: true, description: 'Null without swap', example: 0 })
  swap_percent!: number | null;

  @ApiProperty({ type: Number, nullable: true, description: 'Of the fullest disk', example: 61.7 })
  disk_percent!: number | null;

  @ApiProperty({ type: 'integer', description: 'Resident memory of this process', example: 134_217_728 })
  process_memory_bytes!: number;

  @ApiProperty({
    type: Number,
    description: 'From 0 to 100; its reasons are at /api/v1/hardware/health',
    example: 100,
  })
  score!: number;
}

/** What needs somebody: a service, the cache, or a resource of the host. */
export class HealthAlertDto {
  @ApiProperty({ enum: ['warning', 'critical'], example: 'warning' })
  level!: string;

  @ApiProperty({
    description: '`database`, `redis`, `models`, `cache`, or a resource of the host',
    example: 'redis',
  })
  source!: string;

  @ApiProperty({ example: 'Redis does not answer. (3 checks in a row)' })
  message!: string;
}

export class DetailedHealthDto {
  @ApiProperty({
    enum: ['healthy', 'degraded', 'unhealthy'],
    description: '`unhealthy` without the database, `degraded` without anything else that is configured',
    example: 'healthy',
  })
  status!: string;

  @ApiProperty({ format: 'date-time', example: time })
  timestamp!: string;

  @ApiProperty({ example: '2.0.0' })
  version!: string;

  @ApiProperty({ description: 'Of this process', example: 86_400 })
  uptime_seconds!: number;

  @ApiProperty({ description: 'The window of `uptime_percentage`', example: 3_600 })
  uptime_window_seconds!: number;

  @ApiProperty({ type: ServicesDto })
  services!: ServicesDto;

  @ApiProperty({ type: SystemResourcesDto })
  system_resources!: SystemResourcesDto;

  @ApiProperty({
    type: [HealthAlertDto],
    description: 'What needs somebody now; for services by the thresholds of the settings (`health`)',
  })
  alerts!: HealthAlertDto[];

  @ApiProperty({
    type: [String],
    description: 'What would make it better, with the numbers that say so',
    example: ['Look into redis: of the last hour it was up for 93.33 %.'],
  })
  recommendations!: string[];
}

const parts = {
  database: { status: 'up', mode: 'server', response_time_ms: 0.8 },
  redis: { status: 'up', mode: 'redis', circuit_breaker_state: 'closed', pending_invalidations: 0 },
  warming: { status: 'up' },
};

export class ProbeDto {
  @ApiProperty({ enum: ['ok', 'degraded', 'error'], example: 'ok' })
  status!: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'Parts that are up',
    example: parts,
  })
  info!: object;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'Parts that are down',
    example: {},
  })
  error!: object;

  @ApiProperty({ type: 'object', additionalProperties: true, description: 'All parts', example: parts })
  details!: object;
}
