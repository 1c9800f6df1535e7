import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

export class CpuDto {
  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Of all cores together over `window_seconds`, 0 to 100',
  })
  percent!: number | null;

  @ApiProperty({ type: Number, nullable: true })
  user_percent!: number | null;

  @ApiProperty({ type: Number, nullable: true })
  system_percent!: number | null;

  @ApiProperty({ type: [Number] })
  per_core!: number[];

  @ApiProperty({ type: Number, nullable: true, description: 'Time that the percentages are of' })
  window_seconds!: number | null;

  @ApiProperty({ description: 'Logical cores' })
  count!: number;

  @ApiProperty({ type: Number, nullable: true })
  physical_count!: number | null;

  @ApiProperty({ type: String, nullable: true })
  model!: string | null;

  @ApiProperty({ type: Number, nullable: true })
  frequency_mhz!: number | null;

  @ApiProperty({ type: Number, nullable: true })
  load_1m!: number | null;

  @ApiProperty({ type: Number, nullable: true })
  load_5m!: number | null;

  @ApiProperty({ type: Number, nullable: true })
  load_15m!: number | null;
}

export class SwapDto {
  @ApiProperty()
  total_bytes!: number;

  @ApiProperty()
  used_bytes!: number;

  @ApiProperty()
  percent!: number;
}

export class MemoryDto {
  @ApiProperty()
  total_bytes!: number;

  @ApiProperty({ description: 'Total less available' })
  used_bytes!: number;

  @ApiProperty({ description: 'What programs can still get, caches of the system included' })
  available_bytes!: number;

  @ApiProperty()
  percent!: number;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'What the container may use; null where there is no limit',
  })
  limit_bytes!: number | null;

  @ApiProperty({ description: 'Resident memory of this process' })
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

  @ApiProperty()
  total_bytes!: number;

  @ApiProperty()
  used_bytes!: number;

  @ApiProperty()
  available_bytes!: number;

  @ApiProperty({ type: Number, nullable: true })
  percent!: number | null;
}

export class NetworkDto {
  @ApiProperty({ example: 'eth0' })
  interface!: string;

  @ApiProperty({ example: 'up' })
  state!: string;

  @ApiProperty()
  received_bytes!: number;

  @ApiProperty()
  sent_bytes!: number;

  @ApiProperty({ type: Number, nullable: true, description: 'Null for the first answer' })
  received_bytes_per_second!: number | null;

  @ApiProperty({ type: Number, nullable: true })
  sent_bytes_per_second!: number | null;

  @ApiProperty()
  receive_errors!: number;

  @ApiProperty()
  send_errors!: number;

  @ApiProperty()
  receive_drops!: number;

  @ApiProperty()
  send_drops!: number;
}

export class GpuDto {
  @ApiProperty({ type: String, nullable: true })
  vendor!: string | null;

  @ApiProperty({ type: String, nullable: true })
  model!: string | null;

  @ApiProperty({ type: Number, nullable: true })
  memory_total_bytes!: number | null;

  @ApiProperty({ type: Number, nullable: true })
  memory_used_bytes!: number | null;

  @ApiProperty({ type: Number, nullable: true })
  percent!: number | null;

  @ApiProperty({ type: Number, nullable: true })
  temperature_celsius!: number | null;
}

export class ProcessCountsDto {
  @ApiProperty()
  total!: number;

  @ApiProperty()
  running!: number;

  @ApiProperty()
  sleeping!: number;

  @ApiProperty()
  blocked!: number;
}

/** What was not asked for is absent; what was asked for and cannot be read is null. */
export class HardwareMetricsDto {
  @ApiProperty({ format: 'date-time' })
  timestamp!: string;

  @ApiProperty()
  hostname!: string;

  @ApiProperty({ description: 'Of the machine' })
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
  @ApiProperty({ enum: ['cpu', 'load', 'memory', 'swap', 'disk'] })
  resource!: string;

  @ApiProperty({ enum: ['warning', 'critical'] })
  level!: string;

  @ApiProperty()
  value!: number;

  @ApiProperty({ description: 'The limit that was passed' })
  threshold!: number;

  @ApiProperty({ description: 'What it takes off the score' })
  penalty!: number;

  @ApiProperty({ example: 'Memory use is 96.5 %, above 95 %.' })
  message!: string;
}

export class HardwareHealthDto {
  @ApiProperty({ enum: ['healthy', 'warning', 'critical', 'unknown'] })
  status!: string;

  @ApiProperty({ minimum: 0, maximum: 100 })
  score!: number;

  @ApiProperty({ type: [ScoreReasonDto], description: 'Everything that is taken off 100' })
  reasons!: ScoreReasonDto[];

  @ApiProperty({ type: [String], description: 'What could not be read and counts neither way' })
  unknown!: string[];

  @ApiProperty({ format: 'date-time' })
  timestamp!: string;
}

export class HardwareStatusDto {
  @ApiProperty({ enum: ['healthy', 'warning', 'critical', 'unknown'] })
  status!: string;

  @ApiProperty({ type: Number, nullable: true })
  cpu_percent!: number | null;

  @ApiProperty({ type: Number, nullable: true })
  memory_percent!: number | null;

  @ApiProperty({ type: Number, nullable: true, description: 'Of the fullest disk' })
  disk_percent!: number | null;

  @ApiProperty({ type: Number, nullable: true })
  load_1m!: number | null;

  @ApiProperty({ description: 'Of the machine' })
  uptime_seconds!: number;

  @ApiProperty({ format: 'date-time' })
  timestamp!: string;
}
