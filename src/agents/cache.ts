import type { CacheDecoratorOptions } from '../cache';
import { type AgentFilter, agentIdPattern } from './agent-fields';

/** Everything about agents carries `agents`. Pages carry `agents:pages` as well, one agent `agent:<id>`. */
const all = 'agents';
const pages = 'agents:pages';

const ofAgent = (id: unknown): string[] =>
  typeof id === 'string' && agentIdPattern.test(id) ? [`agent:${id}`] : [];

/** What of the agents is cached, under which keys and tags. Pages depend on the settings too: they hold the page size. */
export const agentsCache = {
  /** GET /agents */
  list: {
    key: 'agents:list',
    ttlMs: 30_000,
    tags: [all, pages, 'settings'],
    query: ['status', 'capability', 'limit', 'cursor'],
  },
  /** GET /agents/{id} */
  one: {
    key: 'agents:one',
    ttlMs: 30_000,
    tags: ({ params }: { params: Readonly<Record<string, string>> }) => [all, ...ofAgent(params['id'])],
    query: [],
  },
  /** One page from the database. */
  pageQuery: {
    key: 'agents:page-query',
    tags: [all, pages],
    args: (filter: AgentFilter) => [
      filter.status ?? '',
      filter.capability ?? '',
      filter.afterName ?? '',
      filter.limit,
    ],
  },
  /** One agent from the database; that there is none of an id is forgotten soon, because ids are anybody's to invent. */
  oneQuery: {
    key: 'agents:one-query',
    tags: ([id]: readonly unknown[]) => [all, ...ofAgent(id)],
    negativeTtlMs: 5_000,
  },
} satisfies Record<string, CacheDecoratorOptions>;

/** What a write drops: the pages, and the agent that it names. */
export const tagsOfWrite = (id: unknown): string[] => [pages, ...ofAgent(id)];
