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
  @ApiProperty()
  gets!: number;

  @ApiProperty({ description: 'Fresh answers from the cache: l1 + l2 + negative' })
  hits!: number;

  @ApiProperty()
  misses!: number;

  @ApiProperty({ description: 'hits / (gets − bypass)' })
  hit_rate!: number;

  @ApiProperty({ description: 'With stale and coalesced answers' })
  user_visible_rate!: number;

  @ApiProperty({ enum: ['excellent', 'good', 'poor', 'insufficient_data'] })
  rating!: string;

  @ApiProperty()
  l1_entries!: number;

  @ApiProperty()
  l1_bytes!: number;

  @ApiProperty()
  evictions!: number;

  @ApiProperty()
  loads!: number;

  @ApiProperty()
  load_ms!: number;

  @ApiProperty({ description: 'At the mean of each policy' })
  load_ms_saved!: number;

  @ApiProperty({ enum: ['up', 'down', 'off'] })
  redis_status!: string;
}

export class DatabaseMetricsDto {
  @ApiProperty({ enum: ['server', 'embedded'] })
  mode!: string;

  @ApiProperty({ description: 'Since the start' })
  queries!: number;
}

export class ProcessMetricsDto {
  @ApiProperty()
  uptime_seconds!: number;

  @ApiProperty()
  memory_bytes!: number;

  @ApiProperty()
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
  @ApiProperty({ format: 'date-time' })
  timestamp!: string;

  @ApiProperty({ type: SystemMetricsDto })
  system!: SystemMetricsDto;

  @ApiProperty({ type: PerformanceMetricsDto })
  performance!: PerformanceMetricsDto;
}

export class StatusDto {
  @ApiProperty({ enum: ['healthy', 'degraded', 'unhealthy'] })
  status!: string;

  @ApiProperty({ type: Number, nullable: true })
  cpu_percent!: number | null;

  @ApiProperty({ type: Number, nullable: true })
  memory_percent!: number | null;

  @ApiProperty({ example: '2.0.0' })
  version!: string;

  @ApiProperty({ description: 'Of this process' })
  uptime_seconds!: number;
}
