import type { CacheDecoratorOptions } from '../cache';

/** Both tell of this process and this host, and are never served stale. */
const ofThisProcess = { tier: 'local', staleMs: 0, ttlMs: 10_000, tags: ['hardware'], query: [] } as const;

/** What of the metrics is cached, under which keys and tags. */
export const metricsCache = {
  /** GET /metrics under the API's prefix */
  metrics: { ...ofThisProcess, key: 'metrics:all' },
  /** GET /status */
  status: { ...ofThisProcess, key: 'metrics:status' },
} satisfies Record<string, CacheDecoratorOptions>;
