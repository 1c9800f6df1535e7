import { maxTtlMs, type CachePolicy, type PolicyOverride } from '../cache';
import type { LogLevel } from '../config/app-config';

/** What can be changed while the application runs, in sections. */
export interface SettingsDocument {
  features: {
    /** Whether agents can be created. */
    agent_registration: boolean;
    /** Whether agents can be removed. */
    agent_removal: boolean;
  };
  performance: {
    /** Agents on a page when the request does not say. */
    agents_page_size: number;
    /** Agents on a page at most. */
    agents_max_page_size: number;
  };
  logging: {
    /** Least level that is logged; null: what LOG_LEVEL of each instance says. */
    level: LogLevel | null;
  };
  cache: {
    /** Durations in the place of those of a policy, by its name; what is not there is the policy's own. */
    policies: Readonly<Record<string, PolicySettings>>;
  };
  /** From when on the detailed health tells of a service as an alert. */
  health: {
    /** Failed checks in a row. */
    consecutive_failures: number;
    /** Milliseconds that a check took; 0: however long. */
    response_time_ms: number;
    /** Percent of the window that the service was up, or less; 0: however little. */
    uptime_percent: number;
  };
}

export interface PolicySettings {
  ttl_seconds?: number | undefined;
  stale_seconds?: number | undefined;
}

/** A change of some of them; null takes an override of a policy away. */
export type SettingsChange = {
  [Section in Exclude<keyof SettingsDocument, 'cache'>]?: Partial<SettingsDocument[Section]>;
} & {
  cache?: { policies?: Readonly<Record<string, { [Name in keyof PolicySettings]?: number | null }>> };
};

export const settingsDefaults: SettingsDocument = Object.freeze({
  features: Object.freeze({ agent_registration: true, agent_removal: true }),
  performance: Object.freeze({ agents_page_size: 50, agents_max_page_size: 200 }),
  logging: Object.freeze({ level: null }),
  cache: Object.freeze({ policies: Object.freeze({}) }),
  health: Object.freeze({ consecutive_failures: 1, response_time_ms: 1_000, uptime_percent: 99 }),
});

/** The document with a change laid over it, section by section; the base stays as it is. */
export function mergeSettings(base: SettingsDocument, change: SettingsChange): SettingsDocument {
  return {
    features: { ...base.features, ...withoutUndefined(change.features) },
    performance: { ...base.performance, ...withoutUndefined(change.performance) },
    logging: { ...base.logging, ...withoutUndefined(change.logging) },
    cache: { policies: mergePolicies(base.cache.policies, change.cache?.policies ?? {}) },
    health: { ...base.health, ...withoutUndefined(change.health) },
  };
}

/** Whether a change gives nothing, in however many empty sections. */
export function isEmptyChange(change: unknown): boolean {
  return (
    typeof change === 'object' &&
    change !== null &&
    Object.values(change).every(value => isEmptyChange(value))
  );
}

/** Where and why a document cannot be used although each of its fields is right, or undefined. */
export function contradiction(
  { performance, cache }: SettingsDocument,
  known: readonly CachePolicy[],
): { path: string; message: string } | undefined {
  if (performance.agents_page_size > performance.agents_max_page_size)
    return {
      path: 'performance.agents_page_size',
      message: `performance.agents_page_size (${performance.agents_page_size}) must not be above performance.agents_max_page_size (${performance.agents_max_page_size})`,
    };
  for (const { name, ttlMs } of known) {
    const { ttl_seconds = ttlMs / 1_000, stale_seconds } = cache.policies[name] ?? {};
    if (stale_seconds === undefined || (ttl_seconds + stale_seconds) * 1_000 <= maxTtlMs) continue;
    return {
      path: `cache.policies.${name}.stale_seconds`,
      message: `ttl_seconds (${ttl_seconds}) and stale_seconds (${stale_seconds}) of ${name} must be at most ${maxTtlMs / 1_000} together`,
    };
  }
  return undefined;
}

/**
 * The same of a change alone: whatever is set where it says nothing, what comes of it could not be used. That is left least in its way
 * here.
 */
export function contradictionWithin(
  change: SettingsChange,
  known: readonly CachePolicy[],
): ReturnType<typeof contradiction> {
  const { performance, cache, ...others } = settingsDefaults;
  const lenient: SettingsDocument = {
    ...others,
    performance: { ...performance, agents_page_size: 1, agents_max_page_size: Infinity },
    cache: { ...cache, policies: Object.fromEntries(known.map(({ name }) => [name, { ttl_seconds: 1 }])) },
  };
  return contradiction(mergeSettings(lenient, change), known);
}

/** The policies of a document as the cache takes them. */
export function policyOverridesOf({ cache }: SettingsDocument): Record<string, PolicyOverride> {
  return Object.fromEntries(
    Object.entries(cache.policies).map(([name, { ttl_seconds, stale_seconds }]) => [
      name,
      { ttlMs: milliseconds(ttl_seconds), staleMs: milliseconds(stale_seconds) },
    ]),
  );
}

/** What is null goes, and with the last of its durations a policy. */
function mergePolicies(
  base: SettingsDocument['cache']['policies'],
  change: NonNullable<NonNullable<SettingsChange['cache']>['policies']>,
): SettingsDocument['cache']['policies'] {
  const merged = new Map(Object.entries(base));
  for (const [name, given] of Object.entries(change)) {
    const next = Object.entries({ ...merged.get(name), ...withoutUndefined(given) });
    const left = next.filter(([, seconds]) => seconds !== null && seconds !== undefined);
    if (left.length === 0) merged.delete(name);
    else merged.set(name, Object.fromEntries(left));
  }
  return Object.fromEntries(merged);
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1_000;
}

function withoutUndefined<T extends object>(values: T | undefined): Partial<T> {
  return Object.fromEntries(
    Object.entries(values ?? {}).filter(([, value]) => value !== undefined),
  ) as Partial<T>;
}
