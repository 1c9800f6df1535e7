import type { CacheStatistics, CacheStatus, MissCause } from '../cache';
import { missCauses, rates } from '../cache';
import type { HealthScore } from '../hardware/hardware.service';
import type { Check, CheckSummary } from './check-history';

/** Everything that alerts and recommendations are worked out from. */
export interface Facts {
  services: Record<string, { check: Check; summary: CheckSummary }>;
  cache: { status: CacheStatus; statistics: CacheStatistics; l1MaxEntries: number; l1MaxBytes: number };
  host: Pick<HealthScore, 'reasons'>;
  environment: string;
  database: { mode: 'server' | 'embedded' };
  thresholds: AlertThresholds;
}

/** From when on a service is an alert; the section `health` of the settings. */
export interface AlertThresholds {
  /** Failed checks in a row. */
  consecutive_failures: number;
  /** 0: however long a check took. */
  response_time_ms: number;
  /** 0: however little it was up. */
  uptime_percent: number;
}

export interface Alert {
  level: 'warning' | 'critical';
  /** `database`, `redis`, `models`, `cache` or a resource of the host. */
  source: string;
  message: string;
}

/** A share of L1 above which it counts as full. */
const fullFraction = 0.95;
const minMissesToExplain = 100;

/** What needs somebody's attention now. */
export function alertsOf({ services, cache, host, thresholds }: Facts): Alert[] {
  const alerts = Object.entries(services).flatMap(([source, { check, summary }]) =>
    ofService(source, check, summary, thresholds),
  );
  const { remote, gate, pendingInvalidations } = cache.status;
  if (remote.mode === 'redis' && remote.breaker !== 'closed') {
    alerts.push({
      level: 'warning',
      source: 'cache',
      message: `The circuit breaker to Redis is ${remote.breaker}: answers are loaded from their sources.`,
    });
  }
  if (remote.mode === 'redis' && remote.state === 'up' && !gate.open) {
    alerts.push({
      level: 'warning',
      source: 'cache',
      message: `Changes of other instances are not heard${gate.reason === undefined ? '' : ` (${gate.reason})`}: copies in memory are not served.`,
    });
  }
  if (pendingInvalidations > 0) {
    alerts.push({
      level: 'warning',
      source: 'cache',
      message: `${pendingInvalidations} invalidations wait for Redis.`,
    });
  }
  for (const { level, resource, message } of host.reasons) alerts.push({ level, source: resource, message });
  return alerts;
}

function ofService(
  source: string,
  { status, error, responseTimeMs }: Check,
  { consecutiveFailures, uptimePercent }: CheckSummary,
  thresholds: AlertThresholds,
): Alert[] {
  if (status === 'disabled') return [];
  const alerts: Alert[] = [];
  const { consecutive_failures, response_time_ms, uptime_percent } = thresholds;
  if (status === 'down' && consecutiveFailures >= consecutive_failures) {
    const times = consecutiveFailures > 1 ? ` (${consecutiveFailures} checks in a row)` : '';
    alerts.push({
      level: source === 'database' ? 'critical' : 'warning',
      source,
      message: `${error ?? 'It is down.'}${times}`,
    });
  }
  if (response_time_ms > 0 && responseTimeMs !== null && responseTimeMs > response_time_ms)
    alerts.push({
      level: 'warning',
      source,
      message: `It answered after ${Math.round(responseTimeMs)} ms, later than ${response_time_ms}.`,
    });
  if (uptimePercent !== null && uptimePercent < uptime_percent)
    alerts.push({
      level: 'warning',
      source,
      message: `It was up for ${uptimePercent} % of the last hour, less than ${uptime_percent}.`,
    });
  return alerts;
}

/** What would make it better, each with the numbers that say so. */
export function recommendationsOf(facts: Facts): string[] {
  return [...ofDependencies(facts), ...ofCache(facts), ...ofHost(facts)];
}

function ofDependencies({ services, cache, environment, database, thresholds }: Facts): string[] {
  const list: string[] = [];
  if (cache.status.remote.mode === 'off') {
    list.push(
      'The cache lives in the memory of this process alone: set REDIS_URL to share it between instances and to keep it over restarts.',
    );
  }
  if (database.mode === 'embedded' && environment === 'production') {
    list.push('The embedded database serves one process only: set DATABASE_URL to use a PostgreSQL server.');
  }
  for (const [name, { summary }] of Object.entries(services)) {
    const { uptimePercent } = summary;
    if (uptimePercent !== null && uptimePercent < thresholds.uptime_percent)
      list.push(`Look into ${name}: of the last hour it was up for ${uptimePercent} %.`);
  }
  return list;
}

const advice: Readonly<Partial<Record<MissCause, string>>> = {
  expired: 'a longer TTL of its routes would help, where the data allows it',
  evicted_l1: 'raise CACHE_L1_MAX_ENTRIES or CACHE_L1_MAX_BYTES',
  evicted_l2: 'give Redis more memory',
  invalidated: 'invalidate narrower tags',
  redis_down: 'bring Redis back',
  rejected: 'look for values that are too large to be stored',
};

function ofCache({ cache }: Facts): string[] {
  const list: string[] = [];
  for (const [policy, counters] of Object.entries(cache.statistics.policies)) {
    const { rating, hitRate, misses } = rates(counters);
    if (rating !== 'poor' || misses < minMissesToExplain) continue;
    const cause = missCauses.reduce((most, next) =>
      counters.causes[next] > counters.causes[most] ? next : most,
    );
    const hint = advice[cause];
    if (hint === undefined) continue;
    list.push(
      `Policy ${policy} has a hit rate of ${(100 * hitRate).toFixed(1)} %, and ${counters.causes[cause]} of its ${misses} misses are ${cause}: ${hint}.`,
    );
  }
  const { evictions, entries, bytes } = cache.statistics.tiers.l1;
  const isFull = entries >= fullFraction * cache.l1MaxEntries || bytes >= fullFraction * cache.l1MaxBytes;
  if (evictions > 0 && isFull) {
    list.push(
      `The memory of the cache is full and has dropped ${evictions} entries: raise CACHE_L1_MAX_ENTRIES (${cache.l1MaxEntries}) or CACHE_L1_MAX_BYTES (${cache.l1MaxBytes}).`,
    );
  }
  return list;
}

function ofHost({ host }: Facts): string[] {
  const what = {
    cpu: 'Find what uses the CPU',
    load: 'Take load off this host',
    memory: 'Free memory or add some',
    swap: 'Add memory',
    disk: 'Free disk space',
  };
  return host.reasons.map(({ resource, message }) => `${what[resource]}: ${message}`);
}
