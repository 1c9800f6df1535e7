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
const anything = { type: 'object', additionalProperties: true } as const;

export class LoadStatisticsDto {
  @ApiProperty({ description: 'Runs of loaders on behalf of requests' })
  count!: number;

  @ApiProperty()
  errors!: number;

  @ApiProperty({ description: 'Those that ran behind an answer already given' })
  refreshes!: number;

  @ApiProperty({ description: 'Results that Redis refused, because something was invalidated meanwhile' })
  refused_fills!: number;

  @ApiProperty()
  ms_spent!: number;

  @ApiProperty({ description: 'What answers from the cache would have cost, at the mean of this policy' })
  ms_saved!: number;

  @ApiProperty({
    description: 'Answers without a load of their own, less the loads that ran behind answers',
  })
  origin_calls_avoided!: number;
}

export class StalenessDto {
  @ApiProperty({ description: 'Answers past their fresh life' })
  answers!: number;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'How far past it they were on average; null without any',
  })
  mean_ms!: number | null;

  @ApiProperty({ ...counts, description: 'Answers by how far past it they were' })
  ages!: Record<StaleAge, number>;
}

export class L1CountsDto {
  @ApiProperty({ description: 'Reads that found something to answer with, fresh or stale' })
  hits!: number;

  @ApiProperty()
  misses!: number;

  @ApiProperty({ description: 'Entries written' })
  sets!: number;
}

export class L1StatisticsDto extends L1CountsDto {
  @ApiProperty({ description: 'Entries dropped for room' })
  evictions!: number;

  @ApiProperty({ description: 'Entries held now' })
  entries!: number;

  @ApiProperty({ description: 'Bytes of the entries held now' })
  bytes!: number;
}

export class L2StatisticsDto extends L1CountsDto {
  @ApiProperty({ description: 'Commands that Redis did not answer in time, or refused' })
  errors!: number;

  @ApiProperty({ description: 'Bytes of entries, as they are in Redis' })
  bytes_read!: number;

  @ApiProperty({ description: 'Bytes of entries, as they are in Redis' })
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
  @ApiProperty()
  instance!: string;

  @ApiProperty({ description: 'Milliseconds since it has told its counts; 0 for the one that answers' })
  age_ms!: number;
}

export class PolicyStatisticsDto {
  @ApiProperty()
  gets!: number;

  @ApiProperty()
  sets!: number;

  @ApiProperty()
  hits!: number;

  @ApiProperty()
  misses!: number;

  @ApiProperty()
  hit_rate!: number;

  @ApiProperty()
  user_visible_hit_rate!: number;

  @ApiProperty({ enum: ['excellent', 'good', 'poor', 'insufficient_data'] })
  rating!: Rating;

  @ApiProperty(counts)
  outcomes!: Record<Outcome, number>;

  @ApiProperty(counts)
  miss_causes!: Record<MissCause, number>;

  @ApiProperty({ type: LoadStatisticsDto })
  loads!: LoadStatisticsDto;

  @ApiProperty({ type: StalenessDto })
  staleness!: StalenessDto;

  @ApiProperty({ type: PolicyTiersDto })
  tiers!: PolicyTiersDto;
}

export class RedisServerDto {
  @ApiProperty({ type: Number, nullable: true })
  keyspace_hits!: number | null;

  @ApiProperty({ type: Number, nullable: true })
  keyspace_misses!: number | null;

  @ApiProperty({ type: Number, nullable: true, description: 'Bytes' })
  used_memory!: number | null;

  @ApiProperty({ type: String, nullable: true })
  used_memory_human!: string | null;

  @ApiProperty({ type: Number, nullable: true })
  connected_clients!: number | null;

  @ApiProperty({ type: Number, nullable: true })
  total_commands_processed!: number | null;

  @ApiProperty({ type: Number, nullable: true, description: 'Dropped for room, of whatever namespace' })
  evicted_keys!: number | null;

  @ApiProperty({ type: Number, nullable: true, description: 'Counts only what L1 let through to Redis' })
  hit_rate!: number | null;

  @ApiProperty({ type: Number, nullable: true })
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

  @ApiProperty()
  uptime_seconds!: number;

  @ApiProperty({
    description: 'Reads on behalf of requests; those of warming and administration are not counted',
  })
  gets!: number;

  @ApiProperty({ description: 'Entries written, to L1 and to Redis' })
  sets!: number;

  @ApiProperty({ description: 'Fresh answers from the cache: l1_hit, l2_hit, negative_hit' })
  hits!: number;

  @ApiProperty()
  misses!: number;

  @ApiProperty({ description: 'Entries that L1 dropped for room' })
  evictions!: number;

  @ApiProperty()
  compressions!: number;

  @ApiProperty({ description: 'hits / (gets - bypass)' })
  hit_rate!: number;

  @ApiProperty()
  hit_rate_percent!: number;

  @ApiProperty({ description: 'Stale and coalesced answers added' })
  user_visible_hit_rate!: number;

  @ApiProperty({ description: 'Entries in the memory of this process' })
  local_cache_size!: number;

  @ApiProperty({ description: 'Bytes saved over raw bytes, of what was compressed' })
  compression_ratio!: number;

  @ApiProperty({ enum: ['excellent', 'good', 'poor', 'insufficient_data'] })
  cache_efficiency!: Rating;

  @ApiProperty(counts)
  outcomes!: Record<Outcome, number>;

  @ApiProperty(counts)
  miss_causes!: Record<MissCause, number>;

  @ApiProperty({ type: LoadStatisticsDto })
  loads!: LoadStatisticsDto;

  @ApiProperty({ type: StalenessDto })
  staleness!: StalenessDto;

  @ApiProperty({ type: TiersDto })
  tiers!: TiersDto;

  @ApiProperty({ type: 'object', additionalProperties: { $ref: '#/components/schemas/PolicyStatisticsDto' } })
  policies!: Record<string, PolicyStatisticsDto>;

  @ApiProperty(counts)
  invalidations!: { keys: number; tags: number; clears: number; queued: number };

  @ApiProperty(counts)
  compression!: { compressions: number; bytes_in: number; bytes_out: number };

  @ApiProperty(counts)
  unreadable_entries!: Record<string, number>;

  @ApiProperty(anything)
  coherence!: {
    gate_open: boolean;
    gate_age_ms: number | null;
    lag_ms: number | null;
    pending_invalidations: number;
  };

  @ApiProperty(anything)
  redis!: { status: 'up' | 'down' | 'off'; breaker: 'closed' | 'open' | 'half-open' };

  @ApiProperty({ type: RedisServerDto })
  redis_server!: RedisServerDto;
}
