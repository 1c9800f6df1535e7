import { ApiExtraModels, ApiPropertyOptional, getSchemaPath } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsBoolean, IsIn, IsInt, IsObject, Max, Min, ValidateNested } from 'class-validator';
import { applyDecorators } from '@nestjs/common';
import { logLevels, type LogLevel } from '../../config/app-config';
import { MayBeAbsent } from '../../http/optional.decorator';
import { maxPolicySeconds } from '../policy-settings';
import type { SettingsChange } from '../settings.document';

const isBoolean = { message: 'must be true or false' };

/** A whole number, with its limits in the documentation and in the refusal. */
function WholeNumber(min: number, max: number): PropertyDecorator {
  const message = `must be a whole number from ${min} to ${max}`;
  return applyDecorators(
    ApiPropertyOptional({ type: 'integer', minimum: min, maximum: max }),
    MayBeAbsent(),
    IsInt({ message }),
    Min(min, { message }),
    Max(max, { message }),
  );
}

/** A section that may be left out. */
function Section(type: () => new () => object): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ type: type() }),
    MayBeAbsent(),
    IsObject({ message: 'must be an object' }),
    ValidateNested(),
    Type(type),
  );
}

export class ChangeFeaturesDto {
  @ApiPropertyOptional({ description: 'Whether agents can be created', example: true })
  @MayBeAbsent()
  @IsBoolean(isBoolean)
  agent_registration?: boolean;

  @ApiPropertyOptional({ description: 'Whether agents can be removed', example: true })
  @MayBeAbsent()
  @IsBoolean(isBoolean)
  agent_removal?: boolean;
}

export class ChangePerformanceDto {
  @ApiPropertyOptional({
    description: 'Agents on a page when the request does not say; at most `agents_max_page_size`',
    example: 50,
  })
  @WholeNumber(1, 1_000)
  agents_page_size?: number;

  @ApiPropertyOptional({ description: 'Agents on a page at most', example: 200 })
  @WholeNumber(1, 1_000)
  agents_max_page_size?: number;
}

export class ChangeLoggingDto {
  @ApiPropertyOptional({
    enum: logLevels,
    type: String,
    nullable: true,
    description: 'Least level that is logged; null for what LOG_LEVEL of each instance says',
    example: 'debug',
  })
  @MayBeAbsent()
  @IsIn([...logLevels, null], { message: `must be null or one of ${logLevels.join(', ')}` })
  level?: LogLevel | null;
}

/** Checked by `policyProblems`: which policies there are is known when the application has started. */
export class ChangePolicyDto {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: maxPolicySeconds,
    nullable: true,
    description:
      'Fresh life in the place of the policy’s own, for routes and methods that gave none; null for the policy’s own',
    example: 60,
  })
  ttl_seconds?: number | null;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: maxPolicySeconds,
    nullable: true,
    description:
      'Stale window in the place of the policy’s own; 0: never stale, and nothing else for `session`; null for the policy’s own. At most 30 days together with the TTL.',
    example: 0,
  })
  stale_seconds?: number | null;
}

@ApiExtraModels(ChangePolicyDto)
export class ChangeCacheDto {
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: { $ref: getSchemaPath(ChangePolicyDto) },
    description: 'By the name of the policy, as GET /api/v1/cache/policies lists them',
    example: { model: { ttl_seconds: 60, stale_seconds: null } },
  })
  @MayBeAbsent()
  @IsObject({ message: 'must be an object' })
  policies?: Record<string, ChangePolicyDto>;
}

export class ChangeHealthDto {
  @ApiPropertyOptional({
    description: 'A service is an alert after so many failed checks in a row',
    example: 1,
  })
  @WholeNumber(1, 1_000)
  consecutive_failures?: number;

  @ApiPropertyOptional({
    description: 'A service is an alert when a check took more milliseconds; 0: however many',
    example: 1_000,
  })
  @WholeNumber(0, 60_000)
  response_time_ms?: number;

  @ApiPropertyOptional({
    description:
      'A service is an alert when it was up for less of the last hour, in percent; 0: however little',
    example: 99,
  })
  @WholeNumber(0, 100)
  uptime_percent?: number;
}

/** The settings to change; what is left out stays. */
export class ChangeSettingsDto {
  @Section(() => ChangeFeaturesDto)
  features?: ChangeFeaturesDto;

  @Section(() => ChangePerformanceDto)
  performance?: ChangePerformanceDto;

  @Section(() => ChangeLoggingDto)
  logging?: ChangeLoggingDto;

  @Section(() => ChangeCacheDto)
  cache?: ChangeCacheDto;

  @Section(() => ChangeHealthDto)
  health?: ChangeHealthDto;
}

/** Plain data without what was left out; every number as it came, so that one out of range can be told. */
export function toSettingsChange(body: ChangeSettingsDto): SettingsChange {
  return plain(body) as SettingsChange;
}

function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const given = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(given.map(([name, field]) => [name, plain(field)]));
}
