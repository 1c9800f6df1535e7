import { emptyCounters, type CacheStatistics, type CacheStatus } from '../cache';
import { statisticsReport, type ReportFacts } from './statistics';

const status: CacheStatus = {
  remote: { mode: 'redis', state: 'up', breaker: 'closed' },
  gate: { open: true, ageMs: 120.44, lagMs: 0.51 },
  pendingInvalidations: 2,
  l1Entries: 3,
  l1Bytes: 999,
  loadsInFlight: 0,
};

function statistics(): CacheStatistics {
  const counters = emptyCounters();
  Object.assign(counters.outcomes, {
    l1_hit: 70,
    l2_hit: 10,
    negative_hit: 5,
    stale_hit: 6,
    coalesced: 4,
    miss: 4,
    error: 1,
    bypass: 20,
  });
  Object.assign(counters, { gets: 120, sets: 1, loads: 5, loadMs: 50.06, loadMsSaved: 950 });
  return {
    uptimeMs: 12_345,
    windowMs: 12_345,
    totals: counters,
    policies: { api: counters },
    tiers: {
      l1: { hits: 70, misses: 30, sets: 8, evictions: 2, entries: 3, bytes: 999 },
      l2: { hits: 10, misses: 5, sets: 5, errors: 0, bytesRead: 900, bytesWritten: 500 },
    },
    invalidations: { keys: 1, tags: 2, clears: 0, queued: 0 },
    compression: { compressions: 2, bytesIn: 4_000, bytesOut: 1_000 },
    corrupt: { checksum: 1 },
  };
}

const reportOf = (facts: Partial<ReportFacts>): ReturnType<typeof statisticsReport> =>
  statisticsReport({
    stats: statistics(),
    window: 'all',
    fleet: undefined,
    status,
    server: undefined,
    timestamp: 'now',
    ...facts,
  });

describe('the report of statistics', () => {
  test('has every field of the old report, each from its counts', () => {
    const server = {
      keyspaceHits: 1,
      keyspaceMisses: 2,
      usedMemoryBytes: 1_048_576,
      usedMemoryHuman: '1.00M',
      connectedClients: 3,
      totalCommandsProcessed: 99,
      evictedKeys: 7,
    };
    expect(reportOf({ server })).toMatchObject({
      gets: 120,
      sets: 13,
      hits: 85,
      misses: 4,
      evictions: 2,
      compressions: 2,
      hit_rate: 0.85,
      hit_rate_percent: 85,
      user_visible_hit_rate: 0.95,
      local_cache_size: 3,
      compression_ratio: 0.75,
      cache_efficiency: 'good',
      redis_server: {
        keyspace_hits: 1,
        keyspace_misses: 2,
        used_memory: 1_048_576,
        connected_clients: 3,
        total_commands_processed: 99,
        evicted_keys: 7,
        hit_rate: 0.3333,
        hit_rate_percent: 33.33,
      },
    });
  });

  test('a stale or coalesced answer and a bypass are not hits', () => {
    const { hits, hit_rate, outcomes } = reportOf({});
    expect([hits, outcomes.stale_hit, outcomes.coalesced, outcomes.bypass]).toEqual([85, 6, 4, 20]);
    expect(hit_rate).toBe(85 / 100);
  });

  test('without a server its numbers are null, and nothing is divided by zero', () => {
    const empty = {
      ...statistics(),
      totals: emptyCounters(),
      policies: {},
      compression: { compressions: 0, bytesIn: 0, bytesOut: 0 },
    };
    const report = reportOf({
      stats: empty,
      status: { ...status, remote: { mode: 'off', state: 'down', breaker: 'closed' } },
    });
    expect(report).toMatchObject({
      hit_rate: 0,
      compression_ratio: 0,
      cache_efficiency: 'insufficient_data',
      redis: { status: 'off' },
    });
    expect(new Set(Object.values(report.redis_server))).toEqual(new Set([null]));
  });

  test('says what time it covers, and whose counts were added up', () => {
    expect(reportOf({})).toMatchObject({
      scope: 'instance',
      window: 'all',
      window_seconds: 12.3,
      instances: null,
      complete: true,
    });
    const members = [
      { instance: 'a', ageMs: 0 },
      { instance: 'b', ageMs: 1_200 },
    ];
    expect(reportOf({ window: '5m', fleet: { members, isComplete: false } })).toMatchObject({
      scope: 'fleet',
      window: '5m',
      instances: [
        { instance: 'a', age_ms: 0 },
        { instance: 'b', age_ms: 1_200 },
      ],
      complete: false,
    });
  });

  test('tells how stale what was served stale was, and what it has spared the source', () => {
    const stats = statistics();
    Object.assign(stats.totals, { staleMs: 9_000, originCallsAvoided: 90 });
    const { staleness, loads, tiers } = reportOf({ stats });
    expect([staleness.answers, staleness.mean_ms, loads.origin_calls_avoided]).toEqual([6, 1_500, 90]);
    expect(tiers.l2).toEqual({
      hits: 10,
      misses: 5,
      sets: 5,
      errors: 0,
      bytes_read: 900,
      bytes_written: 500,
    });
  });
});
