import { ApiExtraModels, ApiProperty, getSchemaPath } from '@nestjs/swagger';
import { logLevels, type LogLevel } from '../../config/app-config';

export class FeaturesDto {
  @ApiProperty({ description: 'Whether agents can be created', example: true })
  agent_registration!: boolean;

  @ApiProperty({ description: 'Whether agents can be removed', example: true })
  agent_removal!: boolean;
}

export class PerformanceDto {
  @ApiProperty({
    type: 'integer',
    description: 'Agents on a page when the request does not say',
    example: 50,
  })
  agents_page_size!: number;

  @ApiProperty({ type: 'integer', description: 'Agents on a page at most', example: 200 })
  agents_max_page_size!: number;
}

export class LoggingDto {
  @ApiProperty({
    enum: logLevels,
    type: String,
    nullable: true,
    description: 'Least level that every instance logs; null: what its LOG_LEVEL says',
    example: null,
  })
  level!: LogLevel | null;
}

export class PolicySettingsDto {
  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Fresh life in the place of the policy’s own; null: its own',
    example: 60,
  })
  ttl_seconds!: number | null;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Stale window in the place of the policy’s own; null: its own',
    example: null,
  })
  stale_seconds!: number | null;
}

@ApiExtraModels(PolicySettingsDto)
export class CacheSettingsDto {
  @ApiProperty({
    type: 'object',
    additionalProperties: { $ref: getSchemaPath(PolicySettingsDto) },
    description: 'Every policy by its name; what is in force is at GET /api/v1/cache/policies',
    example: {
      model: { ttl_seconds: 60, stale_seconds: null },
      db: { ttl_seconds: null, stale_seconds: null },
    },
  })
  policies!: Record<string, PolicySettingsDto>;
}

export class HealthSettingsDto {
  @ApiProperty({
    type: 'integer',
    description: 'A service is an alert after so many failed checks in a row',
    example: 1,
  })
  consecutive_failures!: number;

  @ApiProperty({ description: 'Or when a check took more milliseconds; 0: however many', example: 1_000 })
  response_time_ms!: number;

  @ApiProperty({
    description: 'Or when it was up for less of the last hour, in percent; 0: however little',
    example: 99,
  })
  uptime_percent!: number;
}

export class SettingsDto {
  @ApiProperty({ enum: ['development', 'production', 'test'], example: 'production' })
  environment!: string;

  @ApiProperty()
  features!: FeaturesDto;

  @ApiProperty()
  performance!: PerformanceDto;

  @ApiProperty()
  logging!: LoggingDto;

  @ApiProperty()
  cache!: CacheSettingsDto;

  @ApiProperty()
  health!: HealthSettingsDto;

  @ApiProperty({
    type: 'integer',
    description: 'Grows by one with each change; the ETag is this number in quotes',
    example: 3,
  })
  version!: number;
}

export class SettingDto {
  @ApiProperty({ example: 'performance.agents_page_size' })
  key!: string;

  @ApiProperty({
    description: 'A section, or one of its values',
    oneOf: [
      { type: 'object', additionalProperties: true },
      { type: 'string' },
      { type: 'number' },
      { type: 'boolean' },
    ],
    nullable: true,
    example: 50,
  })
  value!: unknown;

  @ApiProperty({ type: 'integer', description: 'Of all the settings', example: 3 })
  version!: number;
}

export class SettingsHistoryEntryDto {
  @ApiProperty({ type: 'integer', description: 'The version that the change made', example: 3 })
  version!: number;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'What the change gave',
    example: { cache: { policies: { api: { ttl_seconds: 60 } } } },
  })
  change!: Record<string, unknown>;

  @ApiProperty({
    description:
      '`key:` and the id of an admin key, `env:` and the fingerprint of one of the environment, or `loopback`',
    example: 'key:9f86d081884c7d65',
  })
  changed_by!: string;

  @ApiProperty({ format: 'date-time', example: '2026-01-31T12:00:00.000Z' })
  changed_at!: string;
}

export class SettingsHistoryDto {
  @ApiProperty({ type: [SettingsHistoryEntryDto] })
  history!: SettingsHistoryEntryDto[];

  @ApiProperty({
    nullable: true,
    type: 'integer',
    description: '`before` of the next page; null on the last one',
    example: null,
  })
  next_before!: number | null;
}
