import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { Pull } from '../pull';
import { percentOf, type PullProgress } from '../pull-progress';

/** One line of the progress of a pull. */
export class PullProgressDto {
  @ApiProperty({
    description: 'In the provider’s words; `success` or `failed` in the last line, and nowhere else',
    example: 'pulling dde5aa3fc5ff',
  })
  status!: string;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'The layer that the step is about',
    example: 'sha256:dde5aa3fc5ffc17176b5e8bdc82f587b24b2678c6c66101bf7da77af9f7ccdff',
  })
  digest!: string | null;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Bytes of that layer',
    example: 2_019_377_376,
  })
  total!: number | null;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Bytes of it that are there',
    example: 1_009_688_688,
  })
  completed!: number | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: '0 to 100: of the layer, not of the whole model; 100 in the last line of success',
    example: 50,
  })
  percent!: number | null;

  @ApiPropertyOptional({
    description: 'With `failed`: a code of docs/errors.md',
    example: 'MODEL_PULL_FAILED',
  })
  code?: string;

  @ApiPropertyOptional({
    description: 'With `failed`: a sentence for people',
    example: 'The provider of the models could not pull this model.',
  })
  detail?: string;
}

export class PullDto {
  @ApiProperty({ description: 'With its tag', example: 'llama3.2:3b' })
  name!: string;

  @ApiProperty({ enum: ['running', 'done', 'failed'], example: 'running' })
  state!: 'running' | 'done' | 'failed';

  @ApiProperty({ format: 'date-time', example: '2026-01-02T03:04:05.123Z' })
  started_at!: string;

  @ApiProperty({ type: String, nullable: true, format: 'date-time', example: null })
  ended_at!: string | null;

  @ApiProperty({ type: 'integer', description: 'Requests that follow its progress', example: 1 })
  watchers!: number;

  @ApiProperty({
    type: PullProgressDto,
    nullable: true,
    description: 'The latest line; null before the provider has said anything',
  })
  progress!: PullProgressDto | null;
}

export class PullListDto {
  @ApiProperty({
    type: [PullDto],
    description: 'Those under way, then the last that have ended; the latest first',
  })
  pulls!: PullDto[];

  @ApiProperty({ type: 'integer', description: 'Pulls under way', example: 1 })
  running!: number;

  @ApiProperty({
    type: 'integer',
    description: 'Pulls that may be under way at once (OLLAMA_MAX_PULLS)',
    example: 2,
  })
  max_running!: number;
}

export function toPullProgressDto(progress: PullProgress): PullProgressDto {
  const { status, digest, total, completed } = progress;
  return { status, digest, total, completed, percent: percentOf(progress) };
}

/** How a pull ended, as its last line; null while it goes on. */
export function toLastLine({ state }: Pull): PullProgressDto | null {
  if (state.kind === 'running') return null;
  const nothing = { digest: null, total: null, completed: null };
  if (state.kind === 'done') return { status: 'success', ...nothing, percent: 100 };
  const { code, message } = state.problem;
  return { status: 'failed', ...nothing, percent: null, code, detail: message };
}

export function toPullDto(pull: Pull): PullDto {
  const { name, state, startedAt, endedAt, watchers, progress } = pull;
  return {
    name,
    state: state.kind,
    started_at: startedAt.toISOString(),
    ended_at: endedAt?.toISOString() ?? null,
    watchers,
    progress: toLastLine(pull) ?? (progress ? toPullProgressDto(progress) : null),
  };
}
