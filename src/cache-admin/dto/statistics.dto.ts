import { ApiProperty } from '@nestjs/swagger';
import {
  statsWindows,
  type MissCause,
  type Outcome,
  type Rating,
  type StaleAge,
  type StatsWindow,
} from '../../cache';

const counts = { type: 'object', additionalProperties: { type: 'integer' } } as const;
const exampleOutcomes = { l1_hit: 71, l2_hit: 9, stale_hit: 0, coalesced: 0, miss: 13, bypass: 0 };
const anything = { type: 'object', additionalProperties: true } as const;

export class LoadStatisticsDto {
  @ApiProperty({ type: 'integer', description: 'Runs of loaders on behalf of requests', example: 13 })
  count!: number;

  @ApiProperty({ type: 'integer', example: 0 })
  errors!: number;

  @ApiProperty({ type: 'integer', description: 'Those that ran behind an answer already given', example: 0 })
  refreshes!: number;

  @ApiProperty({
    type: 'integer',
    description: 'Results that Redis refused, because something was invalidated meanwhile',
    example: 0,
  })
  refused_fills!: number;

  @ApiProperty({ example: 520 })
  ms_spent!: number;

  @ApiProperty({
    description: 'What answers from the cache would have cost, at the mean of this policy',
    example: 3200,
  })
  ms_saved!: number;

  @ApiProperty({
    type: 'integer',
    description: 'Answers without a load of their own, less the loads that ran behind answers',
    example: 80,
  })
  origin_calls_avoided!: number;
}

export class StalenessDto {
  @ApiProperty({ type: 'integer', description: 'Answers past their fresh life', example: 0 })
  answers!: number;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'How far past it they were on average; null without any',
    example: null,
  })
  mean_ms!: number | null;

  @ApiProperty({
    ...counts,
    description: 'Answers by how far past it they were',
    example: { up_to_1s: 0, up_to_10s: 0 },
  })
  ages!: Record<StaleAge, number>;
}

export class L1CountsDto {
  @ApiProperty({
    type: 'integer',
    description: 'Reads that found something to answer with, fresh or stale',
    example: 71,
  })
  hits!: number;

  @ApiProperty({ type: 'integer', example: 22 })
  misses!: number;

  @ApiProperty({ type: 'integer', description: 'Entries written on behalf of requests', example: 22 })
  sets!: number;
}

export class L1StatisticsDto extends L1CountsDto {
  @ApiProperty({ type: 'integer', description: 'Entries dropped for room', example: 0 })
  evictions!: number;

  @ApiProperty({ type: 'integer', description: 'Entries held now', example: 12 })
  entries!: number;

  @ApiProperty({ type: 'integer', description: 'Bytes of the entries held now', example: 18400 })
  bytes!: number;
}

export class L2StatisticsDto extends L1CountsDto {
  @ApiProperty({
    type: 'integer',
    description: 'Commands that Redis did not answer in time, or refused',
    example: 0,
  })
  errors!: number;

  @ApiProperty({ type: 'integer', description: 'Bytes of entries, as they are in Redis', example: 21000 })
  bytes_read!: number;

  @ApiProperty({ type: 'integer', description: 'Bytes of entries, as they are in Redis', example: 27600 })
  bytes_written!: number;
}

export class PolicyTiersDto {
  @ApiProperty({ type: L1CountsDto })
  l1!: L1CountsDto;

  @ApiProperty({ type: L2StatisticsDto })
  l2!: L2StatisticsDto;
}

export class TiersDto {
  @ApiProperty({ type: L1StatisticsDto })
  l1!: L1StatisticsDto;

  @ApiProperty({ type: L2StatisticsDto })
  l2!: L2StatisticsDto;
}

export class InstanceDto {
  @ApiProperty({ example: 'i-4f1c2a9e' })
  instance!: string;

  @ApiProperty({
    description: 'Milliseconds since it has told its counts; 0 for the one that answers',
    example: 0,
  })
  age_ms!: number;
}

export class PolicyStatisticsDto {
  @ApiProperty({ type: 'integer', example: 93 })
  gets!: number;

  @ApiProperty({ type: 'integer', example: 35 })
  sets!: number;

  @ApiProperty({ type: 'integer', example: 80 })
  hits!: number;

  @ApiProperty({ type: 'integer', example: 13 })
  misses!: number;

  @ApiProperty({ example: 0.8602 })
  hit_rate!: number;

  @ApiProperty({ example: 0.8602 })
  user_visible_hit_rate!: number;

  @ApiProperty({ enum: ['excellent', 'good', 'poor', 'insufficient_data'] })
  rating!: Rating;

  @ApiProperty({ ...counts, example: exampleOutcomes })
  outcomes!: Record<Outcome, number>;

  @ApiProperty({ ...counts, example: { cold: 9, expired: 4 } })
  miss_causes!: Record<MissCause, number>;

  @ApiProperty({ type: LoadStatisticsDto })
  loads!: LoadStatisticsDto;

  @ApiProperty({ type: StalenessDto })
  staleness!: StalenessDto;

  @ApiProperty({ type: PolicyTiersDto })
  tiers!: PolicyTiersDto;
}

export class RedisServerDto {
  @ApiProperty({ type: 'integer', nullable: true, example: 120 })
  keyspace_hits!: number | null;

  @ApiProperty({ type: 'integer', nullable: true, example: 40 })
  keyspace_misses!: number | null;

  @ApiProperty({ type: 'integer', nullable: true, description: 'Bytes', example: 1048576 })
  used_memory!: number | null;

  @ApiProperty({ type: String, nullable: true, example: '1.00M' })
  used_memory_human!: string | null;

  @ApiProperty({ type: 'integer', nullable: true, example: 3 })
  connected_clients!: number | null;

  @ApiProperty({ type: 'integer', nullable: true, example: 480 })
  total_commands_processed!: number | null;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Dropped for room, of whatever namespace',
    example: 0,
  })
  evicted_keys!: number | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Counts only what L1 let through to Redis',
    example: 0.75,
  })
  hit_rate!: number | null;

  @ApiProperty({ type: Number, nullable: true, example: 75 })
  hit_rate_percent!: number | null;
}

export class StatisticsDto {
  @ApiProperty({ enum: ['instance', 'fleet'] })
  scope!: 'instance' | 'fleet';

  @ApiProperty({ enum: statsWindows })
  window!: StatsWindow;

  @ApiProperty({
    description:
      'So much time is covered: whole buckets of 5 s, or of 60 s for 1h; never more than since the start',
    example: 3600,
  })
  window_seconds!: number;

  @ApiProperty({
    type: [InstanceDto],
    nullable: true,
    description: 'Whose counts were added up; null for one instance',
  })
  instances!: InstanceDto[] | null;

  @ApiProperty({ description: 'False when Redis could not be asked for the counts of the others' })
  complete!: boolean;

  @ApiProperty({ format: 'date-time' })
  timestamp!: string;

  @ApiProperty({ example: 5400 })
  uptime_seconds!: number;

  @ApiProperty({
    type: 'integer',
    description: 'Reads on behalf of requests; those of warming and administration are not counted',
    example: 93,
  })
  gets!: number;

  @ApiProperty({
    type: 'integer',
    description: 'Entries written on behalf of requests, to L1 and to Redis',
    example: 35,
  })
  sets!: number;

  @ApiProperty({
    type: 'integer',
    description: 'Fresh answers from the cache: l1_hit, l2_hit, negative_hit',
    example: 80,
  })
  hits!: number;

  @ApiProperty({ type: 'integer', example: 13 })
  misses!: number;

  @ApiProperty({ type: 'integer', description: 'Entries that L1 dropped for room', example: 0 })
  evictions!: number;

  @ApiProperty({ type: 'integer', example: 4 })
  compressions!: number;

  @ApiProperty({ description: 'hits / (gets - bypass)', example: 0.8602 })
  hit_rate!: number;

  @ApiProperty({ example: 86.02 })
  hit_rate_percent!: number;

  @ApiProperty({ description: 'Stale and coalesced answers added', example: 0.8602 })
  user_visible_hit_rate!: number;

  @ApiProperty({ type: 'integer', description: 'Entries in the memory of this process', example: 12 })
  local_cache_size!: number;

  @ApiProperty({ description: 'Bytes saved over raw bytes, of what was compressed', example: 0.68 })
  compression_ratio!: number;

  @ApiProperty({ enum: ['excellent', 'good', 'poor', 'insufficient_data'] })
  cache_efficiency!: Rating;

  @ApiProperty({ ...counts, example: exampleOutcomes })
  outcomes!: Record<Outcome, number>;

  @ApiProperty({ ...counts, example: { cold: 9, expired: 4 } })
  miss_causes!: Record<MissCause, number>;

  @ApiProperty({ type: LoadStatisticsDto })
  loads!: LoadStatisticsDto;

  @ApiProperty({ type: StalenessDto })
  staleness!: StalenessDto;

  @ApiProperty({ type: TiersDto })
  tiers!: TiersDto;

  @ApiProperty({ type: 'object', additionalProperties: { $ref: '#/components/schemas/PolicyStatisticsDto' } })
  policies!: Record<string, PolicyStatisticsDto>;

  @ApiProperty({ ...counts, example: { keys: 2, tags: 3, clears: 0, queued: 0 } })
  invalidations!: { keys: number; tags: number; clears: number; queued: number };

  @ApiProperty({ ...counts, example: { compressions: 4, bytes_in: 25000, bytes_out: 8000 } })
  compression!: { compressions: number; bytes_in: number; bytes_out: number };

  @ApiProperty({ ...counts, example: { checksum: 0 } })
  unreadable_entries!: Record<string, number>;

  @ApiProperty({
    ...anything,
    example: { gate_open: true, gate_age_ms: 310, lag_ms: 1, pending_invalidations: 0 },
  })
  coherence!: {
    gate_open: boolean;
    gate_age_ms: number | null;
    lag_ms: number | null;
    pending_invalidations: number;
  };

  @ApiProperty({ ...anything, example: { status: 'up', breaker: 'closed' } })
  redis!: { status: 'up' | 'down' | 'off'; breaker: 'closed' | 'open' | 'half-open' };

  @ApiProperty({ type: RedisServerDto })
  redis_server!: RedisServerDto;
}
