import { methodKey, pastTheCache, type CacheDecoratorOptions } from '../cache';
import { isModelName } from './model-name';

/** Everything about models carries the tags of its policy, `model` and `models`; one model carries `model:<name>` as well. */
const tagsOfModel = (name: string): string[] => [`model:${name}`];

const tagsOfPath = (name: unknown): string[] => {
  const text = Array.isArray(name) ? name.join('/') : name;
  return typeof text === 'string' && isModelName(text) ? tagsOfModel(text) : [pastTheCache];
};

/** Loads that may run at once: the provider runs prompts on the same machine. */
const maxConcurrentLoads = 8;

const listQueryKey = 'models:list-query';

/** What of the models is cached, under which keys and tags. Invalidate `models` after changing OLLAMA_URL to another server. */
export const modelsCache = {
  /** GET /models */
  list: { key: 'models:list', query: [], maxConcurrentLoads },
  /**
   * What the provider listed, which says of every name whether there is such a model. Never stale: a route would store what it makes
   * of it as fresh. It has no tag of its own: one model would carry it as well, and go with each new list.
   */
  listQuery: { key: listQueryKey, staleMs: 0, maxConcurrentLoads },
  /** GET /models/{name} */
  one: {
    key: 'models:one',
    query: [],
    maxConcurrentLoads,
    tags: ({ params }: { params: Readonly<Record<string, unknown>> }) => tagsOfPath(params['name']),
  },
} satisfies Record<string, CacheDecoratorOptions>;

/** The key of `listQuery`'s one entry. */
export const keyOfListQuery = methodKey(listQueryKey, []);

/** What is to be forgotten of one model when the provider no longer has it. */
export { tagsOfModel };

/** What a pull drops when it has succeeded: the list and every model (a name may stand for another), by the tag that all carry, and what else tells of this one. */
export const tagsOfPull = (name: string): string[] => ['models', ...tagsOfModel(name)];
