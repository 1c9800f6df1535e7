/**
 * What a key may be for. Keys from the environment and requests of this machine have all of them; a key of the database has
 * those that it was made with.
 */
export const scopes = [
  /** See what the cache holds: entries, runs, jobs, the audit log. */
  'cache:read',
  /** Warm, invalidate and clear. */
  'cache:write',
  /** Change the settings and read their history. */
  'settings:write',
  /** Create, change and remove agents. */
  'agents:write',
  /** Have the provider pull models, and see how far it is. */
  'models:write',
  /** Change how hardware is watched, acknowledge alerts, run benchmarks and optimisations. */
  'hardware:write',
  /** Reset circuit breakers. */
  'health:write',
  /** List, make and revoke keys. */
  'keys:write',
] as const;

export type Scope = (typeof scopes)[number];

export const allScopes: ReadonlySet<Scope> = new Set(scopes);

export function isScope(value: unknown): value is Scope {
  return allScopes.has(value as Scope);
}
