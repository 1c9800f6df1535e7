import { pastTheCache, type CacheDecoratorOptions, type InvalidatesOptions } from '../cache';
import { agentIdPattern, type FirstPage } from './agent-fields';

/** Everything about agents carries `agents`. Pages carry `agents:pages` as well, one agent `agent:<id>`. */
const all = 'agents';
const pages = 'agents:pages';

const ofAgent = (id: unknown): string[] =>
  typeof id === 'string' && agentIdPattern.test(id) ? [`agent:${id}`] : [];

/** Tags of the answer about one agent; what cannot be the id of any leaves none behind. */
const tagsOfPath = (id: unknown): string[] => {
  const own = ofAgent(id);
  return own.length > 0 ? [all, ...own] : [pastTheCache];
};

const ofToken = (id: unknown): string[] => ofAgent(id).map(tag => `${tag}:token`);

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
    tags: ({ params }: { params: Readonly<Record<string, string>> }) => tagsOfPath(params['id']),
    query: [],
  },
  /**
   * A first page from the database; those behind a cursor are the route's alone. Never stale, as one agent below: the route
   * would store it as fresh, and not say so. It lives as long as its policy says, which is how far `last_seen_at` may be behind:
   * every other field drops it when it changes.
   */
  pageQuery: {
    key: 'agents:page-query',
    staleMs: 0,
    tags: [all, pages],
    args: (filter: FirstPage) => [filter.status ?? '', filter.capability ?? '', filter.limit],
  },
  /** One agent from the database; that there is none of an id is forgotten soon, because ids are anybody's to invent. */
  oneQuery: {
    key: 'agents:one-query',
    staleMs: 0,
    tags: ([id]: readonly unknown[]) => [all, ...ofAgent(id)],
    negativeTtlMs: 5_000,
  },
  /**
   * The digest of an agent's token: in Redis and never in this process, so that a token that was replaced on one instance is
   * let in by no other. That there is none is remembered for a moment: anybody can write what looks like a token.
   */
  token: {
    key: 'agents:token',
    tier: 'redis',
    ttlMs: 60_000,
    negativeTtlMs: 5_000,
    tags: ([id]: readonly unknown[]) => ofToken(id),
  },
} satisfies Record<string, CacheDecoratorOptions>;

type Params = { params: Readonly<Record<string, string>> };

/** Agents that one write drops by name. */
const maxNamed = 100;

/** The pages, and the agents that are named; of many at once, everything. */
const tagsOfWrite = (...ids: readonly unknown[]): string[] =>
  ids.length > maxNamed ? [all] : [pages, ...ids.flatMap(ofAgent)];

/** What each write drops; without a `result` nobody knows whether it has written. */
export const agentWrites = {
  /** POST /agents: its id may have been asked for in vain. */
  create: {
    tags: ({ result }: { result?: unknown }) => {
      if (result === undefined) return [all];
      const { id } = result as { id: unknown };
      return [...tagsOfWrite(id), ...ofToken(id)];
    },
  },
  /** PATCH /agents/{id} */
  change: { tags: ({ params }: Params) => tagsOfWrite(params['id']) },
  /** DELETE /agents/{id} */
  remove: { tags: ({ params }: Params) => [...tagsOfWrite(params['id']), ...ofToken(params['id'])] },
  /** POST /agents/{id}/token */
  rotateToken: { tags: ({ params }: Params) => ofToken(params['id']) },
  /** POST /agents/{id}/heartbeat: nothing unless the status changes. */
  heartbeat: {
    tags: ({ result, args: [id] }: { result?: unknown; args: readonly unknown[] }) => {
      if (result === undefined) return tagsOfWrite(id);
      const beat = result as { row: { id: string }; isStatusChanged: boolean } | null;
      return beat?.isStatusChanged ? tagsOfWrite(beat.row.id) : [];
    },
  },
  /** The watch: those whose status it has changed. */
  observed: {
    tags: ({ result }: { result?: unknown }) => {
      if (result === undefined) return [all];
      const ids = result as readonly string[];
      return ids.length === 0 ? [] : tagsOfWrite(...ids);
    },
  },
  /** The first agents of a fresh installation. */
  fill: { tags: () => tagsOfWrite() },
} satisfies Record<string, InvalidatesOptions>;
