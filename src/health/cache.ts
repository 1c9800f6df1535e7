import type { CacheDecoratorOptions } from '../cache';

/** Health is this process's own view, never served stale. A check is made every five seconds at most, however many probe. */
const check = { tier: 'local', staleMs: 0, ttlMs: 5_000, jitter: 0, tags: ['health'] } as const;

/** What of the health is cached, under which keys and tags. */
export const healthCache = {
  /** GET /health/detailed; the settings say what is an alert. */
  detailed: {
    key: 'health:detailed',
    tier: 'local',
    staleMs: 0,
    ttlMs: 30_000,
    tags: ['health', 'settings'],
    query: [],
  },
  database: { ...check, key: 'health:check-database' },
  redis: { ...check, key: 'health:check-redis' },
  models: { ...check, key: 'health:check-models' },
} satisfies Record<string, CacheDecoratorOptions>;
