import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

export class CpuDto {
  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Of all cores together over `window_seconds`, 0 to 100',
    example: 12.5,
  })
  percent!: number | null;

  @ApiProperty({ type: Number, nullable: true, example: 8.1 })
  user_percent!: number | null;

  @ApiProperty({ type: Number, nullable: true, example: 4.4 })
  system_percent!: number | null;

  @ApiProperty({ type: [Number], example: [10.2, 14.8] })
  per_core!: number[];

  @ApiProperty({ type: Number, nullable: true, description: 'Time that the percentages are of', example: 5 })
  window_seconds!: number | null;

  @ApiProperty({ type: 'integer', description: 'Logical cores', example: 2 })
  count!: number;

  @ApiProperty({ type: 'integer', nullable: true, example: 2 })
  physical_count!: number | null;

  @ApiProperty({ type: String, nullable: true, example: 'AMD EPYC 7763' })
  model!: string | null;

  @ApiProperty({ type: Number, nullable: true, example: 2_450 })
  frequency_mhz!: number | null;

  @ApiProperty({ type: Number, nullable: true, example: 0.42 })
  load_1m!: number | null;

  @ApiProperty({ type: Number, nullable: true, example: 0.38 })
  load_5m!: number | null;

  @ApiProperty({ type: Number, nullable: true, example: 0.31 })
  load_15m!: number | null;
}

export class SwapDto {
  @ApiProperty({ type: 'integer', example: 17_179_869_184 })
  total_bytes!: number;

  @ApiProperty({ type: 'integer', example: 6_442_450_944 })
  used_bytes!: number;

  @ApiProperty({ example: 12.5 })
  percent!: number;
}

export class MemoryDto {
  @ApiProperty({ type: 'integer', example: 17_179_869_184 })
  total_bytes!: number;

  @ApiProperty({ type: 'integer', description: 'Total less available', example: 6_442_450_944 })
  used_bytes!: number;

  @ApiProperty({
    type: 'integer',
    description: 'What programs can still get, caches of the system included',
    example: 10_737_418_240,
  })
  available_bytes!: number;

  @ApiProperty({ example: 12.5 })
  percent!: number;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'What the container may use; null where there is no limit',
    example: null,
  })
  limit_bytes!: number | null;

  @ApiProperty({ type: 'integer', description: 'Resident memory of this process', example: 134_217_728 })
  process_bytes!: number;

  @ApiProperty({ type: SwapDto, nullable: true })
  swap!: SwapDto | null;
}

export class DiskDto {
  @ApiProperty({ example: '/' })
  mount!: string;

  @ApiProperty({ example: '/dev/sda1' })
  device!: string;

  @ApiProperty({ example: 'ext4' })
  type!: string;

  @ApiProperty({ type: 'integer', example: 17_179_869_184 })
  total_bytes!: number;

  @ApiProperty({ type: 'integer', example: 6_442_450_944 })
  used_bytes!: number;

  @ApiProperty({ type: 'integer', example: 10_737_418_240 })
  available_bytes!: number;

  @ApiProperty({ type: Number, nullable: true, example: 12.5 })
  percent!: number | null;
}

export class NetworkDto {
  @ApiProperty({ example: 'eth0' })
  interface!: string;

  @ApiProperty({ example: 'up' })
  state!: string;

  @ApiProperty({ type: 'integer', example: 1_048_576 })
  received_bytes!: number;

  @ApiProperty({ type: 'integer', example: 524_288 })
  sent_bytes!: number;

  @ApiProperty({ type: Number, nullable: true, description: 'Null for the first answer', example: 2_048 })
  received_bytes_per_second!: number | null;

  @ApiProperty({ type: Number, nullable: true, example: 1_024 })
  sent_bytes_per_second!: number | null;

  @ApiProperty({ type: 'integer', example: 0 })
  receive_errors!: number;

  @ApiProperty({ type: 'integer', example: 0 })
  send_errors!: number;

  @ApiProperty({ type: 'integer', example: 0 })
  receive_drops!: number;

  @ApiProperty({ type: 'integer', example: 0 })
  send_drops!: number;
}

export class GpuDto {
  @ApiProperty({ type: String, nullable: true, example: 'NVIDIA' })
  vendor!: string | null;

  @ApiProperty({ type: String, nullable: true, example: 'AMD EPYC 7763' })
  model!: string | null;

  @ApiProperty({ type: 'integer', nullable: true, example: 8_589_934_592 })
  memory_total_bytes!: number | null;

  @ApiProperty({ type: 'integer', nullable: true, example: 2_147_483_648 })
  memory_used_bytes!: number | null;

  @ApiProperty({ type: Number, nullable: true, example: 12.5 })
  percent!: number | null;

  @ApiProperty({ type: Number, nullable: true, example: 54 })
  temperature_celsius!: number | null;
}

export class ProcessCountsDto {
  @ApiProperty({ type: 'integer', example: 143 })
  total!: number;

  @ApiProperty({ type: 'integer', example: 2 })
  running!: number;

  @ApiProperty({ type: 'integer', example: 141 })
  sleeping!: number;

  @ApiProperty({ type: 'integer', example: 0 })
  blocked!: number;
}

/** What was not asked for is absent; what was asked for and cannot be read is null. */
export class HardwareMetricsDto {
  @ApiProperty({ format: 'date-time', example: '2026-01-01T00:00:00.000Z' })
  timestamp!: string;

  @ApiProperty({ example: 'host-1' })
  hostname!: string;

  @ApiProperty({ description: 'Of the machine', example: 86_400 })
  uptime_seconds!: number;

  @ApiProperty({ type: CpuDto })
  cpu!: CpuDto;

  @ApiProperty({ type: MemoryDto, nullable: true })
  memory!: MemoryDto | null;

  @ApiPropertyOptional({ type: [DiskDto], nullable: true })
  disk?: DiskDto[] | null;

  @ApiPropertyOptional({ type: [NetworkDto], nullable: true })
  network?: NetworkDto[] | null;

  @ApiPropertyOptional({ type: [GpuDto], nullable: true, description: 'Null without a GPU' })
  gpu?: GpuDto[] | null;

  @ApiPropertyOptional({ type: ProcessCountsDto, nullable: true })
  processes?: ProcessCountsDto | null;
}

export class ScoreReasonDto {
  @ApiProperty({ enum: ['cpu', 'load', 'memory', 'swap', 'disk'], example: 'memory' })
  resource!: string;

  @ApiProperty({ enum: ['warning', 'critical'], example: 'critical' })
  level!: string;

  @ApiProperty({ example: 96.5 })
  value!: number;

  @ApiProperty({ description: 'The limit that was passed', example: 95 })
  threshold!: number;

  @ApiProperty({ description: 'What it takes off the score', example: 40 })
  penalty!: number;

  @ApiProperty({ example: 'Memory use is 96.5 %, above 95 %.' })
  message!: string;
}

export class HardwareHealthDto {
  @ApiProperty({ enum: ['healthy', 'warning', 'critical', 'unknown'], example: 'healthy' })
  status!: string;

  @ApiProperty({ minimum: 0, maximum: 100, example: 100 })
  score!: number;

  @ApiProperty({ type: [ScoreReasonDto], description: 'Everything that is taken off 100' })
  reasons!: ScoreReasonDto[];

  @ApiProperty({
    type: [String],
    description: 'What could not be read and counts neither way',
    example: ['swap'],
  })
  unknown!: string[];

  @ApiProperty({ format: 'date-time', example: '2026-01-01T00:00:00.000Z' })
  timestamp!: string;
}

export class HardwareStatusDto {
  @ApiProperty({ enum: ['healthy', 'warning', 'critical', 'unknown'], example: 'healthy' })
  status!: string;

  @ApiProperty({ type: Number, nullable: true, example: 12.5 })
  cpu_percent!: number | null;

  @ApiProperty({ type: Number, nullable: true, example: 37.5 })
  memory_percent!: number | null;

  @ApiProperty({ type: Number, nullable: true, description: 'Of the fullest disk', example: 61.2 })
  disk_percent!: number | null;

  @ApiProperty({ type: Number, nullable: true, example: 0.42 })
  load_1m!: number | null;

  @ApiProperty({ description: 'Of the machine', example: 86_400 })
  uptime_seconds!: number;

  @ApiProperty({ format: 'date-time', example: '2026-01-01T00:00:00.000Z' })
  timestamp!: string;
}
