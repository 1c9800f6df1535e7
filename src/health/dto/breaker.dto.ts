import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsString, Length } from 'class-validator';
import type { BreakerReport } from '../../cache';
import { MayBeAbsent } from '../../http/optional.decorator';

const length = { message: 'must be a text of 1 to 256 characters' };

export class ResetBreakersDto {
  @ApiPropertyOptional({
    description: 'The one to reset, as GET lists it; default: all',
    minLength: 1,
    maxLength: 256,
    example: 'redis',
  })
  @MayBeAbsent()
  @IsString(length)
  @Length(1, 256, length)
  name?: string;
}

export class BreakerDto {
  @ApiProperty({
    description: '`redis`; in a Cluster `redis-1`, `redis-2` … in the order of the nodes’ addresses',
    example: 'redis',
  })
  name!: string;

  @ApiProperty({
    enum: ['closed', 'open', 'half-open'],
    description: '`open`: calls are refused at once; `half-open`: one probe is under way',
    example: 'open',
  })
  state!: string;

  @ApiProperty({
    type: 'integer',
    description: 'Calls that failed since the start, or the last reset',
    example: 5,
  })
  failures!: number;

  @ApiProperty({ type: 'integer', description: 'Calls that succeeded since then', example: 1_200 })
  successes!: number;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'Null while it is closed',
    example: '2026-01-31T12:00:00.000Z',
  })
  opened_at!: string | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'No call is let through before; null unless it is open',
    example: '2026-01-31T12:00:00.500Z',
  })
  next_probe_at!: string | null;
}

export class BreakerListDto {
  @ApiProperty({
    type: [BreakerDto],
    description:
      'Of this instance, by name: that of each Redis node, and of each host whose agents were probed',
  })
  circuit_breakers!: BreakerDto[];

  @ApiProperty({ format: 'date-time', example: '2026-01-31T12:00:00.250Z' })
  timestamp!: string;
}

export class BreakersResetDto extends BreakerListDto {
  @ApiProperty({ type: [String], description: 'Names of those that were reset', example: ['redis'] })
  reset!: string[];
}

export function toBreakerListDto(breakers: readonly BreakerReport[]): BreakerListDto {
  return {
    circuit_breakers: breakers.map(({ name, state, failures, successes, openedAtMs, nextProbeAtMs }) => ({
      name,
      state,
      failures,
      successes,
      opened_at: isoOf(openedAtMs),
      next_probe_at: isoOf(nextProbeAtMs),
    })),
    timestamp: new Date().toISOString(),
  };
}

function isoOf(timeMs: number | null): string | null {
  return timeMs === null ? null : new Date(timeMs).toISOString();
}
