import { ApiProperty } from '@nestjs/swagger';

export class ProcessDto {
  @ApiProperty({ type: 'integer', example: 4_711 })
  pid!: number;

  @ApiProperty({ type: 'integer', example: 1 })
  parent_pid!: number;

  @ApiProperty({ example: 'node' })
  name!: string;

  @ApiProperty({ type: String, nullable: true, example: 'app' })
  user!: string | null;

  @ApiProperty({ type: String, nullable: true, example: 'sleeping' })
  state!: string | null;

  @ApiProperty({ description: 'Share of all cores together, 0 to 100', example: 12.5 })
  cpu_percent!: number;

  @ApiProperty({ description: 'Share of the memory of the machine, 0 to 100', example: 37.5 })
  memory_percent!: number;

  @ApiProperty({ type: 'integer', description: 'Resident', example: 134_217_728 })
  memory_bytes!: number;

  @ApiProperty({ type: String, nullable: true, format: 'date-time', example: '2026-01-01T00:00:00.000Z' })
  started_at!: string | null;
}

export class ProcessListDto {
  @ApiProperty({ type: [ProcessDto] })
  processes!: ProcessDto[];

  @ApiProperty({ type: 'integer', description: 'Processes in this answer', example: 2 })
  count!: number;

  @ApiProperty({ type: 'integer', description: 'Processes that pass the filter', example: 12 })
  matching!: number;

  @ApiProperty({ type: 'integer', description: 'Processes of the machine', example: 143 })
  total!: number;

  @ApiProperty({ enum: ['cpu', 'memory', 'name', 'pid'], example: 'cpu' })
  sort_by!: string;

  @ApiProperty({ type: 'integer', example: 50 })
  limit!: number;

  @ApiProperty({
    type: Number,
    nullable: true,
    description:
      'Time that the CPU shares are of; null for the first answer, where they are of each whole life',
    example: 2.5,
  })
  cpu_window_seconds!: number | null;
}
