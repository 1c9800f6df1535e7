import { ApiProperty } from '@nestjs/swagger';

export class ServiceHealthDto {
  @ApiProperty({ enum: ['up', 'down', 'disabled'], description: '`disabled`: none is configured' })
  status!: string;

  @ApiProperty({ type: Number, nullable: true })
  response_time_ms!: number | null;

  @ApiProperty({ format: 'date-time' })
  last_check!: string;

  @ApiProperty({ type: String, nullable: true, format: 'date-time' })
  last_success!: string | null;

  @ApiProperty({ type: String, nullable: true, format: 'date-time' })
  last_failure!: string | null;

  @ApiProperty({ type: String, nullable: true })
  error!: string | null;

  @ApiProperty()
  consecutive_failures!: number;

  @ApiProperty({
    type: String,
    nullable: true,
    enum: ['closed', 'open', 'half-open'],
    description: 'Null where there is no breaker',
  })
  circuit_breaker_state!: string | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Share of the recorded checks that succeeded; null when there is none',
  })
  uptime_percentage!: number | null;
}

export class ServicesDto {
  @ApiProperty({ type: ServiceHealthDto })
  database!: ServiceHealthDto;

  @ApiProperty({ type: ServiceHealthDto })
  redis!: ServiceHealthDto;

  @ApiProperty({ type: ServiceHealthDto })
  models!: ServiceHealthDto;
}

export class SystemResourcesDto {
  @ApiProperty({ type: Number, nullable: true })
  cpu_percent!: number | null;

  @ApiProperty({ type: Number, nullable: true })
  load_per_core!: number | null;

  @ApiProperty({ type: Number, nullable: true })
  memory_percent!: number | null;

  @ApiProperty({ type: Number, nullable: true })
  swap_percent!: number | null;

  @ApiProperty({ type: Number, nullable: true, description: 'Of the fullest disk' })
  disk_percent!: number | null;

  @ApiProperty({ description: 'Resident memory of this process' })
  process_memory_bytes!: number;

  @ApiProperty({ type: Number, description: 'From 0 to 100; its reasons are at /api/v1/hardware/health' })
  score!: number;
}

export class AlertDto {
  @ApiProperty({ enum: ['warning', 'critical'] })
  level!: string;

  @ApiProperty({ example: 'redis' })
  source!: string;

  @ApiProperty()
  message!: string;
}

export class DetailedHealthDto {
  @ApiProperty({ enum: ['healthy', 'degraded', 'unhealthy'] })
  status!: string;

  @ApiProperty({ format: 'date-time' })
  timestamp!: string;

  @ApiProperty({ example: '2.0.0' })
  version!: string;

  @ApiProperty({ description: 'Of this process' })
  uptime_seconds!: number;

  @ApiProperty({ type: ServicesDto })
  services!: ServicesDto;

  @ApiProperty({ type: SystemResourcesDto })
  system_resources!: SystemResourcesDto;

  @ApiProperty({ type: [AlertDto] })
  alerts!: AlertDto[];

  @ApiProperty({ type: [String] })
  recommendations!: string[];
}

export class ProbeDto {
  @ApiProperty({ enum: ['ok', 'degraded', 'error'] })
  status!: string;

  @ApiProperty({ type: 'object', additionalProperties: true, description: 'Parts that are up' })
  info!: object;

  @ApiProperty({ type: 'object', additionalProperties: true, description: 'Parts that are down' })
  error!: object;

  @ApiProperty({ type: 'object', additionalProperties: true, description: 'All parts' })
  details!: object;
}
