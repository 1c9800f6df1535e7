import type { CacheDecoratorOptions } from '../cache';

/** What of the settings is cached, under which keys and tags: a change of the settings drops all of it. */
export const settingsCache = {
  /** Tag of everything that depends on the settings. */
  tag: 'settings',
  /** GET /settings */
  all: { key: 'settings:all', ttlMs: 60_000, tags: ['settings'], query: [] },
  /** GET /settings/{key} */
  one: { key: 'settings:one', ttlMs: 60_000, tags: ['settings'], query: [] },
} as const satisfies Record<string, string | CacheDecoratorOptions>;
