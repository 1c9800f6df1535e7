import { pastTheCache, type CacheDecoratorOptions } from '../../cache';
import { taskIdPattern } from './task';

/** Everything about tasks carries `hardware` and `hardware:tasks`; lists `hardware:tasks:list`, one task `task:<id>`. */
export const tasksTag = 'hardware:tasks';
const all = ['hardware', tasksTag] as const;
const list = 'hardware:tasks:list';

type Context = { params: Readonly<Record<string, string>> };
const ofTask = (id: string | undefined): string =>
  id !== undefined && taskIdPattern.test(id) ? `task:${id}` : pastTheCache;

/**
 * What of the tasks is cached, under which keys and tags; never stale. One task is kept when it has ended: until then its
 * answer says `no-store`.
 */
export const tasksCache = {
  /** GET /hardware/benchmark/{id} */
  benchmark: {
    key: 'hardware:benchmark',
    ttlMs: 300_000,
    staleMs: 0,
    tags: ({ params }: Context) => [...all, ofTask(params['id'])],
    query: [],
  },
  /** GET /hardware/optimize */
  optimizations: {
    key: 'hardware:optimizations',
    ttlMs: 10_000,
    staleMs: 0,
    tags: [...all, list],
    query: [],
  },
  /** GET /hardware/optimize/{id} */
  optimization: {
    key: 'hardware:optimization',
    ttlMs: 10_000,
    staleMs: 0,
    tags: ({ params }: Context) => [...all, ofTask(params['id'])],
    query: [],
  },
} satisfies Record<string, CacheDecoratorOptions>;

/** What a change of state drops: the lists, and the tasks that it is of. Progress is no change of state. */
export const tagsOfChange = (ids: readonly string[]): string[] => [list, ...ids.map(ofTask)];
