import { breakdown, bytes, count, counted, duration, percent, type Terminal } from './terminal';

export interface PolicyStatistics {
  readonly gets: number;
  readonly hit_rate: number;
  readonly user_visible_hit_rate: number;
  readonly rating: string;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly miss_causes: Readonly<Record<string, number>>;
  readonly loads: {
    readonly count: number;
    readonly errors: number;
    readonly refreshes: number;
    readonly ms_spent: number;
    readonly ms_saved: number;
    readonly origin_calls_avoided: number;
  };
}

/** What is shown of `GET /api/v1/cache/stats`. */
export interface Statistics extends PolicyStatistics {
  readonly scope: string;
  readonly window: string;
  readonly window_seconds: number;
  readonly instances: readonly unknown[] | null;
  readonly complete: boolean;
  readonly cache_efficiency: string;
  readonly tiers: {
    readonly l1: {
      readonly hits: number;
      readonly entries: number;
      readonly bytes: number;
      readonly evictions: number;
    };
    readonly l2: { readonly hits: number; readonly misses: number; readonly errors: number };
  };
  readonly policies: Readonly<Record<string, PolicyStatistics>>;
  readonly coherence: { readonly gate_open: boolean };
  readonly redis: { readonly status: string; readonly breaker: string };
}

export function showStatistics(terminal: Terminal, stats: Statistics): void {
  const { l1, l2 } = stats.tiers;
  const of = stats.instances ? counted(stats.instances.length, 'instance') : 'this instance';
  terminal.title(
    `Hit rate ${percent(stats.hit_rate)} (${stats.cache_efficiency.replaceAll('_', ' ')}), users see ${percent(stats.user_visible_hit_rate)}`,
  );
  terminal.line(`${count(stats.gets)} reads in ${duration(stats.window_seconds * 1_000)}, of ${of}`);
  if (!stats.complete) terminal.line('Redis could not be asked: the other instances are missing.');
  terminal.line();
  terminal.table(
    [
      { title: 'policy' },
      { title: 'reads', align: 'right' },
      { title: 'hit rate', align: 'right' },
      { title: 'users see', align: 'right' },
      { title: 'loads', align: 'right' },
      { title: 'calls spared', align: 'right' },
      { title: 'misses by cause', maxWidth: 48 },
    ],
    Object.entries(stats.policies)
      .sort(([, a], [, b]) => b.gets - a.gets)
      .map(([name, policy]) => [
        name,
        count(policy.gets),
        policy.gets === 0 ? '–' : percent(policy.hit_rate),
        policy.gets === 0 ? '–' : percent(policy.user_visible_hit_rate),
        count(policy.loads.count),
        count(policy.loads.origin_calls_avoided),
        breakdown(policy.miss_causes),
      ]),
  );
  terminal.line();
  terminal.line(`answers    ${breakdown(stats.outcomes)}`);
  terminal.line(
    `loads      ${count(stats.loads.count)} (${count(stats.loads.refreshes)} refreshes, ${count(stats.loads.errors)} failed), ${duration(stats.loads.ms_spent)} spent, ${duration(stats.loads.ms_saved)} saved`,
  );
  terminal.line(
    `memory     ${count(l1.entries)} entries, ${bytes(l1.bytes)}, ${count(l1.hits)} hits, ${count(l1.evictions)} dropped for room`,
  );
  terminal.line(
    `Redis      ${stats.redis.status}, breaker ${stats.redis.breaker}, ${stats.coherence.gate_open ? 'changes are heard' : 'changes are not heard'}; ${count(l2.hits)} hits, ${count(l2.misses)} misses, ${count(l2.errors)} errors`,
  );
}
