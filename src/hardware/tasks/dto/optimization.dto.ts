import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { type FileOutcome, fileOutcomes } from '../optimize/clean-up';
import { type OptimizeAction, optimizeActions } from '../optimize/optimize';
import type { Task } from '../task';
import type { ListedTask } from '../tasks.repository';
import { TaskSummaryDto, toTaskSummaryDto } from './task.dto';

class MemoryFiguresDto {
  @ApiProperty({ type: 'integer', example: 134_217_728, description: 'Of the process, in memory' })
  rss_bytes!: number;

  @ApiProperty({ type: 'integer', example: 52_428_800 })
  heap_used_bytes!: number;

  @ApiProperty({
    type: 'integer',
    example: 4_194_304,
    description: 'Of buffers and others outside of the heap',
  })
  external_bytes!: number;

  @ApiProperty({ type: 'integer', example: 210, description: 'Of the cache in this process' })
  cache_entries!: number;

  @ApiProperty({ type: 'integer', example: 1_048_576 })
  cache_bytes!: number;
}

class MemoryOptimizationDto {
  @ApiProperty({ type: MemoryFiguresDto })
  before!: MemoryFiguresDto;

  @ApiProperty({ type: MemoryFiguresDto, nullable: true, description: 'Null in a dry run' })
  after!: MemoryFiguresDto | null;

  @ApiProperty({ example: false, description: 'Node was started with --expose-gc' })
  can_collect!: boolean;

  @ApiProperty({ example: false, description: 'The young generation of the heap was collected' })
  collected!: boolean;

  @ApiProperty({
    type: Number,
    nullable: true,
    example: null,
    description: 'How long the process stood still',
  })
  pause_ms!: number | null;
}

class CleanedFolderDto {
  @ApiProperty({ example: '/var/tmp/sutazai' })
  folder!: string;

  @ApiProperty({
    enum: ['looked_at', 'missing', 'unmarked', 'refused', 'unreadable'],
    example: 'looked_at',
    description:
      'unmarked: the marker is not in it; refused: it leads to a folder that must not be cleaned, or was replaced meanwhile',
  })
  status!: string;

  @ApiProperty({ type: 'integer', example: 57 })
  names_seen!: number;

  @ApiProperty({ type: 'integer', example: 3, description: 'Files that were changed too recently' })
  too_young!: number;

  @ApiProperty({
    type: 'integer',
    example: 1,
    description: 'Symbolic links, sockets and the like; they stay',
  })
  not_files!: number;

  @ApiProperty({ type: 'integer', example: 0 })
  unreadable!: number;
}

class CleanedFileDto {
  @ApiProperty({ example: '/var/tmp/sutazai' })
  folder!: string;

  @ApiProperty({ example: 'uploads/part-0001.bin', description: 'From the folder, cut to 200 characters' })
  path!: string;

  @ApiProperty({
    type: 'integer',
    example: 1_048_576,
    description: 'What its removal frees: 0 while it has other names',
  })
  bytes!: number;

  @ApiProperty({ example: 90_000 })
  age_seconds!: number;

  @ApiProperty({ enum: fileOutcomes, example: 'would_be_removed' })
  outcome!: FileOutcome;
}

class CleanupDto {
  @ApiProperty({ example: 86_400, description: 'HARDWARE_CLEANUP_MIN_AGE_MS' })
  min_age_seconds!: number;

  @ApiProperty({ type: [CleanedFolderDto], description: 'Empty when HARDWARE_CLEANUP_FOLDERS is' })
  folders!: CleanedFolderDto[];

  @ApiProperty({ type: 'integer', example: 12, description: 'Files that are old enough' })
  matched!: number;

  @ApiProperty({ type: 'integer', example: 12_582_912 })
  matched_bytes!: number;

  @ApiProperty({ type: 'integer', example: 0 })
  removed!: number;

  @ApiProperty({ type: 'integer', example: 0 })
  removed_bytes!: number;

  @ApiProperty({ type: 'integer', example: 0, description: 'Files that could not be removed' })
  failed!: number;

  @ApiProperty({ example: true, description: 'false: HARDWARE_CLEANUP_MAX_FILES or another limit ended it' })
  is_complete!: boolean;

  @ApiProperty({ type: [CleanedFileDto], maxItems: 100, description: 'The first hundred of them' })
  files!: CleanedFileDto[];
}

export class OptimizationResultDto {
  @ApiProperty({ example: true })
  dry_run!: boolean;

  @ApiPropertyOptional({ type: MemoryOptimizationDto })
  memory?: MemoryOptimizationDto;

  @ApiPropertyOptional({ type: CleanupDto })
  files?: CleanupDto;
}

class OptimizationParametersDto {
  @ApiProperty({ enum: optimizeActions, isArray: true, example: ['memory', 'files'] })
  actions!: OptimizeAction[];

  @ApiProperty({ example: true })
  dry_run!: boolean;
}

export class OptimizationSummaryDto extends TaskSummaryDto {
  @ApiProperty({ type: OptimizationParametersDto })
  parameters!: OptimizationParametersDto;
}

export class OptimizationListDto {
  @ApiProperty({ type: [OptimizationSummaryDto], description: 'The latest first, without their results' })
  tasks!: OptimizationSummaryDto[];

  @ApiProperty({ type: 'integer', example: 1 })
  count!: number;
}

export class OptimizationDto extends OptimizationSummaryDto {
  @ApiProperty({
    type: OptimizationResultDto,
    nullable: true,
    description: 'Null before the end; of one that did not come to it, what was done until then',
  })
  result!: OptimizationResultDto | null;
}

/** The wire form of an optimisation in a list. */
export function toOptimizationSummaryDto(task: Omit<ListedTask, 'isOverdue'>): OptimizationSummaryDto {
  return {
    ...toTaskSummaryDto(task),
    parameters: task.parameters as unknown as OptimizationParametersDto,
  };
}

/** The wire form of an optimisation. */
export function toOptimizationDto(task: Task): OptimizationDto {
  return {
    ...toOptimizationSummaryDto(task),
    result: task.result as unknown as OptimizationResultDto | null,
  };
}
