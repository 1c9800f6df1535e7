import { definePolicy, parsePattern, encodeKey, type CachePolicy } from '../../src/cache/core';

/** A key of the history, and what makes it special. */
export interface KeyPlan {
  key: string;
  policy: CachePolicy;
  /** Known to the caller. */
  tags: readonly string[];
  /** Known to the loader alone. */
  loaderTags: readonly string[];
  /** Keys that the loader reads through the cache. */
  inner: readonly string[];
  /** How a writer makes a change of it known. `tag`: only by a tag, because it is read inside loaders. */
  written: 'any' | 'set' | 'tag' | 'never';
}

const minuteMs = 60_000;
const plain = definePolicy('plain', { ttlMs: minuteMs });
const redisOnly = definePolicy('redis-only', { ttlMs: minuteMs, tier: 'redis' });
const localOnly = definePolicy('local-only', { ttlMs: minuteMs, tier: 'local' });
const brief = definePolicy('brief', { ttlMs: 700, staleMs: 700 });
/** Renewed rarely, so that a slow machine does not lose a lease that its holder has not given up. */
const fleeting = definePolicy('fleeting', {
  ttlMs: 150,
  jitter: 0,
  refreshAheadFraction: 0,
  leaseMs: 15_000,
});

export const policies = [plain, redisOnly, localOnly, brief, fleeting];

function plan(key: string, policy: CachePolicy, more: Partial<KeyPlan> = {}): KeyPlan {
  return { key, policy, tags: [], loaderTags: [], inner: [], written: 'any', ...more };
}

/** Twenty keys: every tier, static and dynamic tags, values that are set, nested loads, and one that nobody invalidates. */
export const keyspace: readonly KeyPlan[] = [
  ...[0, 1, 2, 3, 4, 5].map(n => plan(`p${n}`, plain, { tags: [`g${n % 3}`] })),
  plan('p6', redisOnly, { tags: ['g0'] }),
  plan('p7', localOnly, { tags: ['g1'] }),
  plan('p8', brief, { tags: ['g2'] }),
  ...[0, 1, 2, 3].map(n => plan(`d${n}`, plain, { loaderTags: [`u${n}`] })),
  ...[0, 1].map(n => plan(`s${n}`, plain, { tags: ['g0'], written: 'set' })),
  ...[0, 1].map(n => plan(`q${n}`, plain, { tags: [`h${n}`], written: 'tag' })),
  plan('n0', plain, { inner: ['q0'] }),
  plan('n1', plain, { inner: ['q0', 'q1'] }),
  plan('x0', fleeting, { written: 'never' }),
];

const byKey = new Map(keyspace.map(entry => [entry.key, entry]));

export function planOf(key: string): KeyPlan {
  const found = byKey.get(key);
  if (!found) throw new Error(`no key ${key} in this history`);
  return found;
}

/** The name of an inner value as it is seen in an outer one; it has the versions of the inner key. */
export function viewOf(outer: string, inner: string): string {
  return `${outer}>${inner}`;
}

export const views: readonly string[] = keyspace.flatMap(({ key, inner }) =>
  inner.map(name => viewOf(key, name)),
);

/** All that has versions. */
export const versioned: readonly string[] = [...keyspace.map(({ key }) => key), ...views];

export const keysInvalidatedByKey = keyspace.filter(({ written }) => written === 'any').map(({ key }) => key);
export const keysThatAreSet = keyspace.filter(({ written }) => written === 'set').map(({ key }) => key);
/** Every instance loads these for itself. */
export const localKeys = keyspace.filter(({ policy }) => policy.tier === 'local').map(({ key }) => key);
/** What invalidates these is known when their loaders have run. */
export const dynamicKeys = keyspace.filter(({ loaderTags }) => loaderTags.length > 0).map(({ key }) => key);
export const tags = [...new Set(keyspace.flatMap(entry => [...entry.tags, ...entry.loaderTags]))];
export const patterns = ['p*', 'd?', 'n*', '*1', 's*'];

/**
 * What an invalidation of this tag must reach: entries that carry it, and their values inside others. What else is in an
 * outer value it need not reach: the outer entry takes the tag over only when it reads the inner one.
 */
export function reachedByTag(tag: string): string[] {
  const carry = keyspace
    .filter(entry => entry.tags.includes(tag) || entry.loaderTags.includes(tag))
    .map(({ key }) => key);
  return [...carry, ...views.filter(view => carry.includes(view.split('>')[1]!))];
}

/** Keys whose versions a writer raises before it invalidates this tag. */
export function changedWithTag(tag: string): string[] {
  return keyspace
    .filter(entry => entry.tags.includes(tag) || entry.loaderTags.includes(tag))
    .filter(({ written }) => written === 'any' || written === 'tag')
    .map(({ key }) => key);
}

/** What clearing by this pattern must reach. */
export function reachedByPattern(pattern: string): string[] {
  const matcher = parsePattern(pattern);
  return keyspace.map(({ key }) => key).filter(key => matcher.matches(encodeKey(key, text => text)));
}
