import { ApiProperty } from '@nestjs/swagger';
import type { MissCause, Outcome, Rating } from '../../cache';

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

  @ApiProperty({ type: Number, nullable: true, description: 'Counts only what L1 let through to Redis' })
  hit_rate!: number | null;

  @ApiProperty({ type: Number, nullable: true })
  hit_rate_percent!: number | null;
}

export class StatisticsDto {
  @ApiProperty({ enum: ['instance'] })
  scope!: 'instance';

  @ApiProperty({ enum: ['all'] })
  window!: 'all';

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

  @ApiProperty(anything)
  tiers!: {
    l1: { hits: number; misses: number; sets: number; evictions: number; entries: number; bytes: number };
    l2: { hits: number; misses: number; sets: number; errors: number };
  };

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
