import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { AuditRow } from '../../auth/audit.repository';
import { QueryInteger } from '../../http/query-integer.decorator';

export class AuditQueryDto {
  @ApiPropertyOptional({ description: 'Entries on a page', default: 50 })
  @QueryInteger(1, 200)
  limit?: number;

  @ApiPropertyOptional({ description: '`next_before` of the page before', example: 120 })
  @QueryInteger(1, 999_999_999_999_999)
  before?: number;
}

class AuditEntryDto {
  @ApiProperty({ type: 'integer', example: 119 })
  id!: number;

  @ApiProperty({ format: 'date-time' })
  at!: string;

  @ApiProperty({
    description: 'key:<id> of the database, env:<digits> of the environment, or loopback',
    example: 'loopback',
  })
  who!: string;

  @ApiProperty({
    enum: [
      'invalidate',
      'clear_all',
      'clear_pattern',
      'clear_cancel',
      'warm',
      'key_create',
      'key_revoke',
      'model_pull',
      'breakers_reset',
      'benchmark',
      'optimize',
      'task_cancel',
      'monitoring_change',
      'alert_acknowledge',
    ],
  })
  action!: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description:
      'tags, keys, pattern, categories, key_id …; each name cut to 64 escaped characters, lists to 20',
    example: { tags: ['agents'] },
  })
  target!: object;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'How many; null while nobody knows',
    example: 1,
  })
  count!: number | null;

  @ApiProperty({ enum: ['applied', 'queued', 'job', 'done', 'cancelled', 'failed'] })
  result!: string;

  @ApiProperty({ type: String, nullable: true, example: null })
  job_id!: string | null;

  @ApiProperty({ type: String, nullable: true, example: '4f1c2a9e-1f0b-4b7c-9a53-0a4f5f3f2f11' })
  request_id!: string | null;
}

export class AuditPageDto {
  @ApiProperty({ type: [AuditEntryDto] })
  entries!: AuditEntryDto[];

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'For `before`; null on the last page',
    example: 70,
  })
  next_before!: number | null;
}

export function auditEntryDto(row: AuditRow): AuditEntryDto {
  return {
    id: row.id,
    at: new Date(row.at).toISOString(),
    who: row.who,
    action: row.action,
    target: row.target,
    count: row.count,
    result: row.result,
    job_id: row.jobId,
    request_id: row.requestId,
  };
}
