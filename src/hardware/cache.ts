import type { CacheDecoratorOptions, InvalidatesOptions } from '../cache';

/** Facts about this host stay in this process and are never served stale. */
const ofThisHost = { tier: 'local', staleMs: 0, tags: ['hardware'] } as const;

/** What depends on how hosts are watched: a change of it drops all of that. */
const monitoring = 'hardware:monitoring';
/** What tells alerts: dropped when one is raised, cleared or acknowledged. */
const alerts = 'hardware:alerts';

/** What is computed from the history of a host, with its name in the key; it reads thresholds and alerts too. */
const analysis = { perHost: true, tags: ['hardware', monitoring, alerts], query: [] } as const;

/** What of the hardware is cached, under which keys and tags. */
export const hardwareCache = {
  /** GET /hardware/health */
  health: { ...ofThisHost, key: 'hardware:health', ttlMs: 30_000, query: [] },
  /** GET /hardware/status */
  status: { ...ofThisHost, key: 'hardware:status', ttlMs: 10_000, query: [] },
  /** GET /hardware/metrics */
  metrics: {
    ...ofThisHost,
    key: 'hardware:metrics',
    ttlMs: 10_000,
    query: ['include_processes', 'include_network', 'include_disk', 'include_gpu'],
  },
  /** GET /hardware/processes */
  processes: {
    ...ofThisHost,
    key: 'hardware:processes',
    ttlMs: 10_000,
    query: ['sort_by', 'limit', 'min_cpu_percent', 'min_memory_mb'],
  },
  /** GET /hardware/monitoring/config */
  monitoringConfig: {
    key: 'hardware:monitoring-config',
    ttlMs: 300_000,
    tags: ['hardware', monitoring],
    query: [],
  },
  /** The configuration from the database, which every sampler asks for each second. Never stale: the routes would store it as fresh, and not say so. */
  monitoringQuery: { key: 'hardware:monitoring-query', staleMs: 0, tags: ['hardware', monitoring] },
  /** GET /hardware/alerts */
  alerts: {
    key: 'hardware:alerts',
    ttlMs: 10_000,
    staleMs: 0,
    tags: ['hardware', alerts],
    query: ['state', 'host', 'limit', 'before'],
  },
  /** GET /hardware/analyze/performance */
  performance: { ...analysis, key: 'hardware:performance' },
  /** GET /hardware/analyze/capacity */
  capacity: { ...analysis, key: 'hardware:capacity' },
  /** GET /hardware/recommendations */
  recommendations: { ...analysis, key: 'hardware:recommendations' },
} as const satisfies Record<string, CacheDecoratorOptions>;

/** What each write drops. */
export const hardwareWrites = {
  /** POST /hardware/monitoring/config */
  changeMonitoring: { tags: [monitoring] },
  /** An alert that is raised or cleared, unless there was none to raise or clear. */
  alert: { tags: ({ result }: { result?: unknown }) => (result === false ? [] : [alerts]) },
  /** POST /hardware/alerts/{id}/acknowledge */
  acknowledgeAlert: { tags: [alerts] },
} satisfies Record<string, InvalidatesOptions>;
