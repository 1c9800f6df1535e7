import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsNumber, IsObject, IsOptional, Max, Min, ValidateNested } from 'class-validator';
import { applyDecorators } from '@nestjs/common';
import { MayBeAbsent } from '../../http/optional.decorator';
import {
  type MonitoringChange,
  type MonitoringConfig,
  monitoringDefaults,
  monitoringLimits,
  type Threshold,
} from '../monitoring/monitoring-config';
import type { StoredMonitoring } from '../monitoring/monitoring.repository';
import { resourceDescriptions, resources, type Resource } from '../monitoring/resources';

const [minInterval, maxInterval] = monitoringLimits.intervalSeconds;
const [minRetention, maxRetention] = monitoringLimits.retentionDays;
const [minSamples, maxSamples] = monitoringLimits.samples;

function WholeNumber(min: number, max: number): PropertyDecorator {
  const message = `must be a whole number from ${min} to ${max}`;
  return applyDecorators(
    ApiProperty({ type: 'integer', minimum: min, maximum: max }),
    IsInt({ message }),
    Min(min, { message }),
    Max(max, { message }),
  );
}

function FromZeroTo(max: number): PropertyDecorator {
  const message = `must be a number from 0 to ${max}`;
  return applyDecorators(
    ApiProperty({ minimum: 0, maximum: max }),
    IsNumber({ allowNaN: false, allowInfinity: false }, { message }),
    Min(0, { message }),
    Max(max, { message }),
  );
}

/** When an alert is raised and cleared, in percent. */
export class ThresholdDto {
  @ApiProperty({
    example: 90,
    description: 'Raised when the last `samples` samples were all at or above it',
  })
  @FromZeroTo(resourceDescriptions.memory.max)
  raise!: number;

  @ApiProperty({
    example: 80,
    description: 'Cleared when the last `samples` samples were all at or below it; below `raise`',
  })
  @FromZeroTo(resourceDescriptions.memory.max)
  clear!: number;

  @ApiProperty({
    example: 4,
    description: 'Samples in a row',
  })
  @WholeNumber(minSamples, maxSamples)
  samples!: number;
}

/** The same of the load average of a minute over the number of cores. */
export class LoadThresholdDto {
  @ApiProperty({ example: 4, description: 'As for the other resources' })
  @FromZeroTo(resourceDescriptions.load.max)
  raise!: number;

  @ApiProperty({ example: 2, description: 'As for the other resources' })
  @FromZeroTo(resourceDescriptions.load.max)
  clear!: number;

  @ApiProperty({ example: 4 })
  @WholeNumber(minSamples, maxSamples)
  samples!: number;
}

/** One threshold, whole, or null for a resource that is not to be watched. */
function ThresholdField(type: typeof ThresholdDto | typeof LoadThresholdDto): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ type, nullable: true, description: 'Given as a whole; null: not watched' }),
    IsOptional(),
    IsObject({ message: 'must be an object or null' }),
    ValidateNested(),
    Type(() => type),
  );
}

export class ThresholdsChangeDto {
  @ThresholdField(ThresholdDto)
  cpu?: ThresholdDto | null;

  @ThresholdField(LoadThresholdDto)
  load?: LoadThresholdDto | null;

  @ThresholdField(ThresholdDto)
  memory?: ThresholdDto | null;

  @ThresholdField(ThresholdDto)
  swap?: ThresholdDto | null;

  @ThresholdField(ThresholdDto)
  disk?: ThresholdDto | null;
}

/** What to change; what is left out stays. */
export class ChangeMonitoringDto {
  @ApiPropertyOptional({
    example: 15,
    description: 'Seconds between two samples',
  })
  @MayBeAbsent()
  @WholeNumber(minInterval, maxInterval)
  interval_seconds?: number;

  @ApiPropertyOptional({
    example: 30,
    description: `Days that samples and cleared alerts are kept; with the interval at most ${monitoringLimits.rowsOfHost} samples of a host`,
  })
  @MayBeAbsent()
  @WholeNumber(minRetention, maxRetention)
  retention_days?: number;

  @ApiPropertyOptional({ type: ThresholdsChangeDto })
  @MayBeAbsent()
  @IsObject({ message: 'must be an object' })
  @ValidateNested()
  @Type(() => ThresholdsChangeDto)
  thresholds?: ThresholdsChangeDto;
}

export function toMonitoringChange(body: ChangeMonitoringDto): MonitoringChange {
  const { interval_seconds: intervalSeconds, retention_days: retentionDays, thresholds } = body;
  const given = thresholds && resources.map(resource => [resource, plain(thresholds[resource])] as const);
  return { intervalSeconds, retentionDays, thresholds: given && Object.fromEntries(given) };
}

/** Names of the fields that are given, as they are on the wire. */
export function givenFields({ thresholds, ...others }: ChangeMonitoringDto): string[] {
  return [
    ...Object.keys(defined(others)),
    ...Object.keys(defined(thresholds ?? {})).map(resource => `thresholds.${resource}`),
  ];
}

export class ThresholdsDto implements Record<Resource, Threshold | null> {
  @ApiProperty({ type: ThresholdDto, nullable: true })
  cpu!: ThresholdDto | null;

  @ApiProperty({ type: LoadThresholdDto, nullable: true })
  load!: LoadThresholdDto | null;

  @ApiProperty({ type: ThresholdDto, nullable: true })
  memory!: ThresholdDto | null;

  @ApiProperty({ type: ThresholdDto, nullable: true })
  swap!: ThresholdDto | null;

  @ApiProperty({ type: ThresholdDto, nullable: true })
  disk!: ThresholdDto | null;
}

export class MonitoringConfigDto {
  @ApiProperty({ type: 'integer', example: monitoringDefaults.intervalSeconds })
  interval_seconds!: number;

  @ApiProperty({ type: 'integer', example: monitoringDefaults.retentionDays })
  retention_days!: number;

  @ApiProperty({ type: ThresholdsDto, description: 'Null for what is recorded and not watched' })
  thresholds!: ThresholdsDto;

  @ApiProperty({
    type: String,
    nullable: true,
    format: 'date-time',
    example: '2026-01-01T00:00:00.000Z',
    description: 'Null while all is at its default',
  })
  updated_at!: string | null;

  @ApiProperty({ type: String, nullable: true, example: 'key:9f86d081884c7d65' })
  updated_by!: string | null;
}

/** The wire form of the configuration. */
export function toMonitoringConfigDto({
  config,
  updatedAt,
  updatedBy,
}: StoredMonitoring): MonitoringConfigDto {
  const { intervalSeconds, retentionDays, thresholds }: MonitoringConfig = config;
  const { cpu, load, memory, swap, disk } = thresholds;
  return {
    interval_seconds: intervalSeconds,
    retention_days: retentionDays,
    thresholds: { cpu, load, memory, swap, disk },
    updated_at: updatedAt === null ? null : new Date(updatedAt).toISOString(),
    updated_by: updatedBy,
  };
}

function plain(threshold: Threshold | null | undefined): Threshold | null | undefined {
  if (!threshold) return threshold;
  const { raise, clear, samples } = threshold;
  return { raise, clear, samples };
}

function defined(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
