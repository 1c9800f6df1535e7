import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { type BenchmarkPart, benchmarkParts } from '../benchmark/benchmark';
import type { CpuBenchmark } from '../benchmark/cpu';
import type { DiskBenchmark } from '../benchmark/disk';
import type { MemoryBenchmark } from '../benchmark/memory';
import type { Task } from '../task';
import { TaskSummaryDto, toTaskSummaryDto } from './task.dto';

class CpuBenchmarkDto implements CpuBenchmark {
  @ApiProperty({
    enum: ['sha256'],
    example: 'sha256',
    description: 'What is computed, over 64 KiB at a time',
  })
  algorithm!: 'sha256';

  @ApiProperty({
    type: 'integer',
    example: 8,
    description: 'As many as there are cores for this process, at most 64',
  })
  threads!: number;

  @ApiProperty({ example: 1_850_000_000, description: 'Of one thread' })
  single_bytes_per_second!: number;

  @ApiProperty({ example: 11_200_000_000, description: 'Of all threads at once' })
  all_bytes_per_second!: number;
}

class MemoryBenchmarkDto implements MemoryBenchmark {
  @ApiProperty({ type: 'integer', example: 33_554_432, description: 'What is copied at a time' })
  buffer_bytes!: number;

  @ApiProperty({
    example: 9_400_000_000,
    description: 'By one thread; each byte is read once and written once',
  })
  copy_bytes_per_second!: number;
}

class FsyncDto {
  @ApiProperty({ type: 'integer', example: 412, description: 'Writes of 4 KiB, each brought onto the disk' })
  count!: number;

  @ApiProperty({ example: 1.6 })
  mean_ms!: number;

  @ApiProperty({ example: 1.4 })
  p50_ms!: number;

  @ApiProperty({ example: 2.9 })
  p95_ms!: number;

  @ApiProperty({ example: 11.2 })
  max_ms!: number;
}

class DiskBenchmarkDto implements DiskBenchmark {
  @ApiProperty({
    type: 'integer',
    example: 67_108_864,
    description: 'HARDWARE_BENCHMARK_FILE_BYTES, or less on a slow disk',
  })
  file_bytes!: number;

  @ApiProperty({ example: 480_000_000, description: 'In blocks of 1 MiB, with the fsync at the end' })
  write_bytes_per_second!: number;

  @ApiProperty({
    example: 5_200_000_000,
    description: 'The same bytes again, which the system may hand over from memory',
  })
  read_bytes_per_second!: number;

  @ApiProperty({ type: FsyncDto })
  fsync!: FsyncDto;
}

export class BenchmarkResultDto {
  @ApiPropertyOptional({ type: CpuBenchmarkDto })
  cpu?: CpuBenchmarkDto;

  @ApiPropertyOptional({ type: MemoryBenchmarkDto })
  memory?: MemoryBenchmarkDto;

  @ApiPropertyOptional({ type: DiskBenchmarkDto })
  disk?: DiskBenchmarkDto;
}

class BenchmarkParametersDto {
  @ApiProperty({ enum: benchmarkParts, isArray: true, example: ['cpu', 'memory', 'disk'] })
  parts!: BenchmarkPart[];

  @ApiProperty({ example: 2_000 })
  duration_ms!: number;
}

export class BenchmarkDto extends TaskSummaryDto {
  @ApiProperty({ type: BenchmarkParametersDto })
  parameters!: BenchmarkParametersDto;

  @ApiProperty({
    type: BenchmarkResultDto,
    nullable: true,
    description: 'Null before the end; of a benchmark that did not come to it, the parts that were measured',
  })
  result!: BenchmarkResultDto | null;
}

/** The wire form of a benchmark. */
export function toBenchmarkDto(task: Task): BenchmarkDto {
  return {
    ...toTaskSummaryDto(task),
    parameters: task.parameters as unknown as BenchmarkParametersDto,
    result: task.result,
  };
}
