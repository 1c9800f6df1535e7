import { ApiProperty } from '@nestjs/swagger';
import { taskKinds, type TaskKind, type TaskStatus, taskStatuses } from '../task';
import type { ListedTask } from '../tasks.repository';

/** What all tasks have, without their results. */
export class TaskSummaryDto {
  @ApiProperty({ format: 'uuid', example: '0b9f6f53-6f5d-4c62-9a4e-0c4f5a1d7f10' })
  id!: string;

  @ApiProperty({ enum: taskKinds, example: 'optimize' })
  kind!: TaskKind;

  @ApiProperty({
    enum: taskStatuses,
    example: 'done',
    description: 'queued and running are under way; interrupted: its process died or lost the database',
  })
  status!: TaskStatus;

  @ApiProperty({ example: 'backend-1', description: 'Where it runs; one task at a time runs on a host' })
  host!: string;

  @ApiProperty({ minimum: 0, maximum: 1, example: 1, description: 'Written every half second' })
  progress!: number;

  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:00:00.000Z' })
  created_at!: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: '2026-03-01T12:00:00.012Z' })
  started_at!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: '2026-03-01T12:00:06.210Z' })
  finished_at!: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    example: null,
    description: 'Why it failed, or did not come to its end, where there is more to say than the status does',
  })
  error!: string | null;
}

/** The wire form of what all tasks have. */
export function toTaskSummaryDto(task: Omit<ListedTask, 'isOverdue'>): TaskSummaryDto {
  return {
    id: task.id,
    kind: task.kind,
    status: task.status,
    host: task.host,
    progress: Math.round(task.progress * 1_000) / 1_000,
    created_at: new Date(task.createdAt).toISOString(),
    started_at: iso(task.startedAt),
    finished_at: iso(task.finishedAt),
    error: task.error,
  };
}

function iso(time: string | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
