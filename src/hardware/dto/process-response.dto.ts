import { ApiProperty } from '@nestjs/swagger';

export class ProcessDto {
  @ApiProperty()
  pid!: number;

  @ApiProperty()
  parent_pid!: number;

  @ApiProperty({ example: 'node' })
  name!: string;

  @ApiProperty({ type: String, nullable: true })
  user!: string | null;

  @ApiProperty({ type: String, nullable: true, example: 'sleeping' })
  state!: string | null;

  @ApiProperty({ description: 'Share of all cores together, 0 to 100' })
  cpu_percent!: number;

  @ApiProperty({ description: 'Share of the memory of the machine, 0 to 100' })
  memory_percent!: number;

  @ApiProperty({ description: 'Resident' })
  memory_bytes!: number;

  @ApiProperty({ type: String, nullable: true, format: 'date-time' })
  started_at!: string | null;
}

export class ProcessListDto {
  @ApiProperty({ type: [ProcessDto] })
  processes!: ProcessDto[];

  @ApiProperty({ description: 'Processes in this answer' })
  count!: number;

  @ApiProperty({ description: 'Processes that pass the filter' })
  matching!: number;

  @ApiProperty({ description: 'Processes of the machine' })
  total!: number;

  @ApiProperty({ enum: ['cpu', 'memory', 'name', 'pid'] })
  sort_by!: string;

  @ApiProperty()
  limit!: number;

  @ApiProperty({
    type: Number,
    nullable: true,
    description:
      'Time that the CPU shares are of; null for the first answer, where they are of each whole life',
  })
  cpu_window_seconds!: number | null;
}
