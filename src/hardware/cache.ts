import type { CacheDecoratorOptions } from '../cache';

/** Facts about this host stay in this process and are never served stale. */
const ofThisHost = { tier: 'local', staleMs: 0, tags: ['hardware'] } as const;

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
} satisfies Record<string, CacheDecoratorOptions>;
