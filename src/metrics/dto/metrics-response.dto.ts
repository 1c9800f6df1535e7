import { ApiProperty } from '@nestjs/swagger';
import { CpuDto, DiskDto, MemoryDto, NetworkDto } from '../../hardware/hardware.service';

export class SystemMetricsDto {
  @ApiProperty({ type: CpuDto })
  cpu!: CpuDto;

  @ApiProperty({ type: MemoryDto, nullable: true })
  memory!: MemoryDto | null;

  @ApiProperty({ type: [DiskDto], nullable: true })
  disk!: DiskDto[] | null;

  @ApiProperty({ type: [NetworkDto], nullable: true })
  network!: NetworkDto[] | null;
}

export class CacheMetricsDto {
  @ApiProperty({ type: 'integer', example: 1_000 })
  gets!: number;

  @ApiProperty({
    type: 'integer',
    description: 'Fresh answers from the cache: l1 + l2 + negative',
    example: 910,
  })
  hits!: number;

  @ApiProperty({ type: 'integer', example: 80 })
  misses!: number;

  @ApiProperty({ description: 'hits / (gets − bypass)', example: 0.91 })
  hit_rate!: number;

  @ApiProperty({ description: 'With stale and coalesced answers', example: 0.92 })
  user_visible_rate!: number;

  @ApiProperty({ enum: ['excellent', 'good', 'poor', 'insufficient_data'], example: 'excellent' })
  rating!: string;

  @ApiProperty({ type: 'integer', example: 420 })
  l1_entries!: number;

  @ApiProperty({ type: 'integer', example: 1_048_576 })
  l1_bytes!: number;

  @ApiProperty({ type: 'integer', example: 0 })
  evictions!: number;

  @ApiProperty({ type: 'integer', example: 85 })
  loads!: number;

  @ApiProperty({ example: 640 })
  load_ms!: number;

  @ApiProperty({ description: 'At the mean of each policy', example: 6_800 })
  load_ms_saved!: number;

  @ApiProperty({ enum: ['up', 'down', 'off'], example: 'up' })
  redis_status!: string;
}

export class DatabaseMetricsDto {
  @ApiProperty({ enum: ['server', 'embedded'], example: 'server' })
  mode!: string;

  @ApiProperty({ type: 'integer', description: 'SQL queries since the start', example: 1_204 })
  queries!: number;
}

export class ProcessMetricsDto {
  @ApiProperty({ example: 86_400 })
  uptime_seconds!: number;

  @ApiProperty({ type: 'integer', example: 134_217_728 })
  memory_bytes!: number;

  @ApiProperty({ type: 'integer', example: 67_108_864 })
  heap_used_bytes!: number;
}

export class PerformanceMetricsDto {
  @ApiProperty({ type: CacheMetricsDto })
  cache!: CacheMetricsDto;

  @ApiProperty({ type: DatabaseMetricsDto })
  database!: DatabaseMetricsDto;

  @ApiProperty({ type: ProcessMetricsDto })
  process!: ProcessMetricsDto;
}

export class MetricsDto {
  @ApiProperty({ format: 'date-time', example: '2026-01-31T12:00:00.000Z' })
  timestamp!: string;

  @ApiProperty({ type: SystemMetricsDto })
  system!: SystemMetricsDto;

  @ApiProperty({ type: PerformanceMetricsDto })
  performance!: PerformanceMetricsDto;
}

export class StatusDto {
  @ApiProperty({ enum: ['healthy', 'degraded', 'unhealthy'], example: 'healthy' })
  status!: string;

  @ApiProperty({ type: Number, nullable: true, description: 'Of all cores together', example: 12.5 })
  cpu_percent!: number | null;

  @ApiProperty({ type: Number, nullable: true, example: 48.2 })
  memory_percent!: number | null;

  @ApiProperty({ example: '2.0.0' })
  version!: string;

  @ApiProperty({ description: 'Of this process', example: 86_400 })
  uptime_seconds!: number;
}
