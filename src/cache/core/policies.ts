import { definePolicy, type CachePolicy } from './policy';

const second = 1_000;

/**
 * The six policies of the backend, one table. `docs/cache.md` shows it; the decorators take their
 * defaults from it. Routes and methods override single options, never the table.
 */
export const policies = Object.freeze({
  /** AI model data. */
  model: definePolicy('model', { ttlMs: 3_600 * second, staleMs: 3_600 * second, tags: ['model', 'models'] }),
  /** Sessions and principals: never stale, and never refreshed ahead for somebody who has left. */
  session: definePolicy('session', {
    ttlMs: 1_800 * second,
    staleMs: 0,
    refreshAheadFraction: 0,
    tags: ['session'],
  }),
  /** API responses. */
  api: definePolicy('api', { ttlMs: 300 * second, staleMs: 300 * second, tags: ['api'] }),
  /** Database queries. */
  db: definePolicy('db', { ttlMs: 600 * second, staleMs: 600 * second, tags: ['db'] }),
  /** Expensive computations; the lease outlives a loader that blocks the event loop. */
  compute: definePolicy('compute', {
    ttlMs: 1_800 * second,
    staleMs: 3_600 * second,
    leaseMs: 30 * second,
    tags: ['compute'],
  }),
  /** Rarely changing data. */
  static: definePolicy('static', { ttlMs: 7_200 * second, staleMs: 86_400 * second, tags: ['static'] }),
}) satisfies Readonly<Record<string, CachePolicy>>;

export type PolicyName = keyof typeof policies;

/** Policies that nobody may give a stale window: whoever has signed out must not be let in by an old answer. */
export const neverStale: ReadonlySet<string> = new Set<PolicyName>(['session']);
