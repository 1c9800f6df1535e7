import { pastTheCache, type CacheDecoratorOptions, type InvalidatesOptions } from '../cache';
import { isSettingKey } from './setting-keys';

type Context = { params: Readonly<Record<string, string>> };

/** Everything that depends on the settings. */
const all = 'settings';

/** What of the settings is cached, under which keys and tags: a change of the settings drops all of it. */
export const settingsCache = {
  /** GET /settings */
  all: { key: 'settings:all', ttlMs: 60_000, tags: [all], query: [] },
  /** GET /settings/{key} */
  one: {
    key: 'settings:one',
    ttlMs: 60_000,
    tags: ({ params }: Context) => [isSettingKey(params['key'] ?? '') ? all : pastTheCache],
    query: [],
  },
  /**
   * The row of the database, for whatever in the application depends on the settings. Without Redis nobody tells of another
   * instance's change: the TTL is how late it is noticed. A database that is away leaves the settings as they were for a day.
   * The routes above do not read it (docs/decisions/0014).
   */
  row: { key: 'settings:row', ttlMs: 60_000, staleMs: 86_400_000, tags: [all] },
} as const satisfies Record<string, CacheDecoratorOptions>;

/** What each write drops. */
export const settingsWrites = {
  /** PATCH /settings */
  change: { tags: [all] },
} satisfies Record<string, InvalidatesOptions>;
