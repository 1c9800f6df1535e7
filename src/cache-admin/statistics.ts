import {
  rates,
  type CacheCounters,
  type CacheStatistics,
  type CacheStatus,
  type FleetMember,
  type FleetStatistics,
  type RemoteServerInfo,
  type StatsWindow,
} from '../cache';
import type {
  InstanceDto,
  L2StatisticsDto,
  PolicyStatisticsDto,
  RedisServerDto,
  StalenessDto,
  StatisticsDto,
} from './dto/statistics.dto';

export interface ReportFacts {
  stats: CacheStatistics;
  window: StatsWindow;
  /** Whose counts these are; undefined for this instance alone. */
  fleet: Omit<FleetStatistics, 'statistics'> | undefined;
  status: CacheStatus;
  /** What the server says of itself; undefined when it does not answer. */
  server: RemoteServerInfo | undefined;
  timestamp: string;
}

/** The core's counters under the names of the wire; every number is a count or follows from counts. */
export function statisticsReport({
  stats,
  window,
  fleet,
  status,
  server,
  timestamp,
}: ReportFacts): StatisticsDto {
  const { totals, tiers, compression, invalidations } = stats;
  const overall = rates(totals);
  return {
    scope: fleet ? 'fleet' : 'instance',
    window,
    window_seconds: round(stats.windowMs / 1_000, 1),
    instances: fleet ? fleet.members.map(memberDto) : null,
    complete: fleet?.isComplete ?? true,
    timestamp,
    uptime_seconds: round(stats.uptimeMs / 1_000, 1),
    gets: totals.gets,
    sets: tiers.l1.sets + tiers.l2.sets,
    hits: overall.hits,
    misses: overall.misses,
    evictions: tiers.l1.evictions,
    compressions: compression.compressions,
    hit_rate: round(overall.hitRate, 4),
    hit_rate_percent: round(overall.hitRate * 100, 2),
    user_visible_hit_rate: round(overall.userVisibleHitRate, 4),
    local_cache_size: tiers.l1.entries,
    compression_ratio: savedShare(compression),
    cache_efficiency: overall.rating,
    outcomes: totals.outcomes,
    miss_causes: totals.causes,
    loads: loadsOf(totals),
    staleness: stalenessOf(totals),
    tiers: { l1: tiers.l1, l2: l2Of(tiers.l2) },
    policies: Object.fromEntries(
      Object.entries(stats.policies).map(([name, counters]) => [name, policyStatistics(counters)]),
    ),
    invalidations,
    compression: {
      compressions: compression.compressions,
      bytes_in: compression.bytesIn,
      bytes_out: compression.bytesOut,
    },
    unreadable_entries: stats.corrupt,
    coherence: {
      gate_open: status.gate.open,
      gate_age_ms: nullOr(status.gate.ageMs),
      lag_ms: nullOr(status.gate.lagMs),
      pending_invalidations: status.pendingInvalidations,
    },
    redis: {
      status: status.remote.mode === 'off' ? 'off' : status.remote.state,
      breaker: status.remote.breaker,
    },
    redis_server: serverStatistics(server),
  };
}

function policyStatistics(counters: CacheCounters): PolicyStatisticsDto {
  const { hitRate, userVisibleHitRate, rating, hits, misses } = rates(counters);
  return {
    gets: counters.gets,
    sets: counters.sets,
    hits,
    misses,
    hit_rate: round(hitRate, 4),
    user_visible_hit_rate: round(userVisibleHitRate, 4),
    rating,
    outcomes: counters.outcomes,
    miss_causes: counters.causes,
    loads: loadsOf(counters),
    staleness: stalenessOf(counters),
    tiers: { l1: counters.l1, l2: l2Of(counters.l2) },
  };
}

function memberDto({ instance, ageMs }: FleetMember): InstanceDto {
  return { instance, age_ms: ageMs };
}

/** How far past its fresh life what was served stale was. */
function stalenessOf({ staleMs, staleAges, outcomes }: CacheCounters): StalenessDto {
  return {
    answers: outcomes.stale_hit,
    mean_ms: outcomes.stale_hit === 0 ? null : round(staleMs / outcomes.stale_hit, 1),
    ages: staleAges,
  };
}

function l2Of({ bytesRead, bytesWritten, ...counts }: CacheCounters['l2']): L2StatisticsDto {
  return { ...counts, bytes_read: bytesRead, bytes_written: bytesWritten };
}

function loadsOf(counters: CacheCounters): PolicyStatisticsDto['loads'] {
  return {
    count: counters.loads,
    errors: counters.loadErrors,
    refreshes: counters.refreshes,
    refused_fills: counters.fillsRefused,
    ms_spent: round(counters.loadMs, 1),
    ms_saved: round(counters.loadMsSaved, 1),
    origin_calls_avoided: counters.originCallsAvoided,
  };
}

/** What the server says of itself; all null when there is none or it does not answer. Its rate counts what L1 let through. */
function serverStatistics(server: RemoteServerInfo | undefined): RedisServerDto {
  if (!server) {
    return {
      keyspace_hits: null,
      keyspace_misses: null,
      used_memory: null,
      used_memory_human: null,
      connected_clients: null,
      total_commands_processed: null,
      evicted_keys: null,
      hit_rate: null,
      hit_rate_percent: null,
    };
  }
  const asked = server.keyspaceHits + server.keyspaceMisses;
  const rate = asked === 0 ? 0 : server.keyspaceHits / asked;
  return {
    keyspace_hits: server.keyspaceHits,
    keyspace_misses: server.keyspaceMisses,
    used_memory: server.usedMemoryBytes,
    used_memory_human: server.usedMemoryHuman,
    connected_clients: server.connectedClients,
    total_commands_processed: server.totalCommandsProcessed,
    evicted_keys: server.evictedKeys,
    hit_rate: round(rate, 4),
    hit_rate_percent: round(rate * 100, 2),
  };
}

/** Bytes saved over raw bytes, of what was compressed. */
function savedShare({ bytesIn, bytesOut }: { bytesIn: number; bytesOut: number }): number {
  return bytesIn === 0 ? 0 : round((bytesIn - bytesOut) / bytesIn, 4);
}

function nullOr(ms: number | null): number | null {
  return ms === null ? null : round(ms, 1);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
