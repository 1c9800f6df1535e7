import { maxTtlMs, neverStale, type CachePolicy } from '../cache';
import type { ProblemItem } from '../http/problem.exception';
import type { SettingsChange } from './settings.document';

export const maxPolicySeconds = maxTtlMs / 1_000;
const maxItems = 50;
const maxPathCharacters = 64;

type PolicyChanges = NonNullable<NonNullable<SettingsChange['cache']>['policies']>;

/**
 * What is wrong with a change of `cache.policies`. Not the business of a DTO: which policies there are is known when the
 * application has started.
 */
export function policyProblems(
  changes: Readonly<Record<string, unknown>>,
  known: readonly CachePolicy[],
): ProblemItem[] {
  const names = known.map(({ name }) => name);
  const items: ProblemItem[] = [];
  const add = (path: string, code: string, message: string): void => {
    const full = `cache.policies.${path}`.slice(0, maxPathCharacters);
    if (items.length < maxItems) items.push({ path: full, code, message });
  };
  for (const [name, change] of Object.entries(changes)) {
    if (!names.includes(name)) add(name, 'UNKNOWN_FIELD', `is not a policy; there are ${names.join(', ')}`);
    else if (typeof change !== 'object' || change === null || Array.isArray(change))
      add(name, 'IS_OBJECT', 'must be an object');
    else
      for (const [field, value] of Object.entries(change)) {
        if (value === null && (field === 'ttl_seconds' || field === 'stale_seconds')) continue;
        const [code, message] = fieldProblem(name, field, value) ?? [];
        if (code !== undefined) add(`${name}.${field}`, code, message ?? '');
      }
  }
  return items;
}

/** The changes with every known policy and null where it has its own duration: what is shown of the settings. */
export function shownPolicies(
  set: PolicyChanges,
  known: readonly CachePolicy[],
): Record<string, { ttl_seconds: number | null; stale_seconds: number | null }> {
  return Object.fromEntries(
    known.map(({ name }) => [
      name,
      { ttl_seconds: set[name]?.ttl_seconds ?? null, stale_seconds: set[name]?.stale_seconds ?? null },
    ]),
  );
}

function fieldProblem(
  policy: string,
  field: string,
  value: unknown,
): readonly [code: string, message: string] | undefined {
  if (field === 'ttl_seconds')
    return isWhole(value, 1)
      ? undefined
      : ['TTL_INVALID', `must be null or a whole number from 1 to ${maxPolicySeconds}`];
  if (field !== 'stale_seconds') return ['UNKNOWN_FIELD', 'is not a field of this request'];
  if (neverStale.has(policy))
    return value === 0 ? undefined : ['STALE_INVALID', 'must be null or 0: this policy is never stale'];
  return isWhole(value, 0)
    ? undefined
    : ['STALE_INVALID', `must be null or a whole number from 0 to ${maxPolicySeconds}`];
}

function isWhole(value: unknown, min: number): boolean {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= maxPolicySeconds;
}
