import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, Matches } from 'class-validator';
import { MayBeAbsent } from '../../http/optional.decorator';
import { QueryInteger } from '../../http/query-integer.decorator';
import { alertStates, type AlertRow, type AlertState } from '../monitoring/alerts.repository';
import { resourceDescriptions, resources, shownValue } from '../monitoring/resources';

const hostPattern = /^[A-Za-z0-9._-]{1,128}$/;
const hostMessage = 'must be 1 to 128 of the characters A-Z a-z 0-9 . _ -';

export class ListAlertsQueryDto {
  @ApiPropertyOptional({ enum: alertStates, description: 'Only those that are open, or cleared' })
  @MayBeAbsent()
  @IsIn(alertStates, { message: `must be one of ${alertStates.join(', ')}` })
  state?: AlertState;

  @ApiPropertyOptional({
    pattern: hostPattern.source,
    example: 'host-1',
    description: 'Only those of this host',
  })
  @MayBeAbsent()
  @Matches(hostPattern, { message: hostMessage })
  host?: string;

  @ApiPropertyOptional({
    default: 50,
    description: 'Alerts on a page',
  })
  @QueryInteger(1, 200)
  limit: number = 50;

  @ApiPropertyOptional({
    description: 'Only alerts older than the one of this id: `next_before` of the page before',
  })
  @QueryInteger(1, 999_999_999_999_999)
  before?: number;
}

export class AlertDto {
  @ApiProperty({ type: 'integer', example: 17 })
  id!: number;

  @ApiProperty({ example: 'host-1' })
  host!: string;

  @ApiProperty({ enum: resources, example: 'memory' })
  resource!: string;

  @ApiProperty({ enum: alertStates, example: 'open' })
  state!: AlertState;

  @ApiProperty({ example: 'Memory use was 93.1 %, at or above 90 % for 4 samples.' })
  message!: string;

  @ApiProperty({ format: 'date-time', example: '2026-01-01T00:00:00.000Z' })
  raised_at!: string;

  @ApiProperty({ example: 93.1, description: 'The last of the samples that raised it' })
  raised_value!: number;

  @ApiProperty({ example: 90, description: 'In force when it was raised' })
  raise_threshold!: number;

  @ApiProperty({ example: 85 })
  clear_threshold!: number;

  @ApiProperty({ type: 'integer', example: 4, description: 'Samples in a row' })
  samples!: number;

  @ApiProperty({ type: String, nullable: true, format: 'date-time', example: null })
  cleared_at!: string | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    example: null,
    description:
      'Null as well when it was cleared because the resource is not watched any more, or could not be read for ten minutes',
  })
  cleared_value!: number | null;

  @ApiProperty({ type: String, nullable: true, format: 'date-time', example: null })
  acknowledged_at!: string | null;

  @ApiProperty({ type: String, nullable: true, example: null, description: 'Who has seen it first' })
  acknowledged_by!: string | null;
}

export class AlertListDto {
  @ApiProperty({ type: [AlertDto], description: 'The latest first' })
  alerts!: AlertDto[];

  @ApiProperty({ type: 'integer', example: 1, description: 'Alerts on this page' })
  count!: number;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    example: null,
    description: '`before` of the next page; null on the last one',
  })
  next_before!: number | null;
}

/** The wire form of an alert. */
export function toAlertDto(row: AlertRow): AlertDto {
  const { resource, raisedValue, raiseThreshold, samples } = row;
  const { what } = resourceDescriptions[resource];
  return {
    id: row.id,
    host: row.host,
    resource,
    state: row.clearedAt === null ? 'open' : 'cleared',
    message: `${what} was ${shownValue(resource, raisedValue)}, at or above ${shownValue(resource, raiseThreshold)} for ${samples} ${samples === 1 ? 'sample' : 'samples'}.`,
    raised_at: isoOf(row.raisedAt) ?? '',
    raised_value: raisedValue,
    raise_threshold: raiseThreshold,
    clear_threshold: row.clearThreshold,
    samples,
    cleared_at: isoOf(row.clearedAt),
    cleared_value: row.clearedValue,
    acknowledged_at: isoOf(row.acknowledgedAt),
    acknowledged_by: row.acknowledgedBy,
  };
}

function isoOf(time: string | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
