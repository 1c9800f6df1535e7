import { pastTheCache, type CacheDecoratorOptions, type InvalidatesOptions } from '../../cache';
import { type Task, taskIdPattern } from './task';

/** Everything about tasks carries `hardware` and `hardware:tasks`; lists `hardware:tasks:list`, one task `task:<id>`. */
const tasks = 'hardware:tasks';
const all = ['hardware', tasks] as const;
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

/** What each write drops. */
export const tasksWrites = {
  /**
   * A change of state: the lists, and the tasks that it is of; everything where no result says which. Progress is no change of
   * state.
   */
  change: {
    tags: ({ result }: { result?: unknown }) => {
      if (result === undefined) return [tasks];
      const found = (Array.isArray(result) ? result : [result]) as (Pick<Task, 'id'> | null)[];
      return [list, ...found.flatMap(task => (task ? [ofTask(task.id)] : []))];
    },
  },
} satisfies Record<string, InvalidatesOptions>;
