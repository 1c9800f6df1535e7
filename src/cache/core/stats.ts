import { missCauses, outcomes, type MissCause, type Outcome } from './outcomes';

/** Counters of one policy, or of all. Counts since the process began. */
export interface CacheCounters {
  gets: number;
  sets: number;
  outcomes: Record<Outcome, number>;
  causes: Record<MissCause, number>;
  loads: number;
  loadErrors: number;
  /** Milliseconds spent in loaders. */
  loadMs: number;
  /** Milliseconds that hits would have spent in loaders, at this policy's mean. */
  loadMsSaved: number;
  /** Loads that ran behind an answer already given. */
  refreshes: number;
  /** Loads whose result Redis refused because the lease was gone: something was invalidated meanwhile. */
  fillsRefused: number;
}

export interface CacheStatistics {
  uptimeMs: number;
  totals: CacheCounters;
  policies: Record<string, CacheCounters>;
  tiers: {
    l1: { hits: number; misses: number; sets: number; evictions: number; entries: number; bytes: number };
    l2: { hits: number; misses: number; sets: number; errors: number };
  };
  invalidations: { keys: number; tags: number; clears: number; queued: number };
  compression: { compressions: number; bytesIn: number; bytesOut: number };
  /** Entries that were there but unreadable, by reason. */
  corrupt: Record<string, number>;
}

export type Rating = 'excellent' | 'good' | 'poor' | 'insufficient_data';

/** Fewer reads than this say nothing about a hit rate. */
export const minGetsForRating = 100;

export interface Rates {
  hits: number;
  misses: number;
  /** (l1 + l2 + negative) / (gets − bypass): fresh answers from the cache alone. 0 without reads. */
  hitRate: number;
  /** Adds stale and coalesced answers: what a user did not have to wait a whole load for. */
  userVisibleHitRate: number;
  rating: Rating;
}

/**
 * The rates of some counters. A stale or coalesced answer is neither hit nor miss: it stands in the denominator of
 * `hitRate`, and `userVisibleHitRate` adds it.
 */
export function rates(counters: CacheCounters): Rates {
  const of = counters.outcomes;
  const hits = of.l1_hit + of.l2_hit + of.negative_hit;
  const asked = counters.gets - of.bypass;
  const hitRate = asked === 0 ? 0 : hits / asked;
  return {
    hits,
    misses: of.miss,
    hitRate,
    userVisibleHitRate: asked === 0 ? 0 : (hits + of.stale_hit + of.coalesced) / asked,
    rating:
      asked < minGetsForRating
        ? 'insufficient_data'
        : hitRate > 0.85
          ? 'excellent'
          : hitRate > 0.7
            ? 'good'
            : 'poor',
  };
}

/** Counts where things happen. One instance a cache. */
export class CacheStats {
  readonly #policies = new Map<string, CacheCounters>();
  l1 = { hits: 0, misses: 0, sets: 0, evictions: 0 };
  l2 = { hits: 0, misses: 0, sets: 0, errors: 0 };
  invalidations = { keys: 0, tags: 0, clears: 0, queued: 0 };
  readonly corrupt = new Map<string, number>();

  of(policy: string): CacheCounters {
    let counters = this.#policies.get(policy);
    if (!counters) this.#policies.set(policy, (counters = emptyCounters()));
    return counters;
  }

  read(policy: string, outcome: Outcome, cause: MissCause | undefined): void {
    const counters = this.of(policy);
    counters.gets += 1;
    counters.outcomes[outcome] += 1;
    if (cause) counters.causes[cause] += 1;
  }

  countCorrupt(reason: string): void {
    this.corrupt.set(reason, (this.corrupt.get(reason) ?? 0) + 1);
  }

  snapshot(): Pick<CacheStatistics, 'totals' | 'policies'> {
    const policies: Record<string, CacheCounters> = {};
    for (const [name, counters] of this.#policies) policies[name] = withSavings(counters);
    return { policies, totals: sum(Object.values(policies)) };
  }
}

export function emptyCounters(): CacheCounters {
  return {
    gets: 0,
    sets: 0,
    outcomes: zeros(outcomes),
    causes: zeros(missCauses),
    loads: 0,
    loadErrors: 0,
    loadMs: 0,
    loadMsSaved: 0,
    refreshes: 0,
    fillsRefused: 0,
  };
}

function withSavings(counters: CacheCounters): CacheCounters {
  const of = counters.outcomes;
  const saved = of.l1_hit + of.l2_hit + of.negative_hit + of.stale_hit + of.coalesced;
  const meanMs = counters.loads === 0 ? 0 : counters.loadMs / counters.loads;
  return { ...counters, outcomes: { ...of }, causes: { ...counters.causes }, loadMsSaved: saved * meanMs };
}

function sum(all: readonly CacheCounters[]): CacheCounters {
  const total = emptyCounters();
  for (const counters of all) {
    for (const name of Object.keys(total) as (keyof CacheCounters)[]) {
      if (name === 'outcomes')
        for (const outcome of outcomes) total.outcomes[outcome] += counters.outcomes[outcome];
      else if (name === 'causes')
        for (const cause of missCauses) total.causes[cause] += counters.causes[cause];
      else total[name] += counters[name];
    }
  }
  return total;
}

function zeros<N extends string>(names: readonly N[]): Record<N, number> {
  return Object.fromEntries(names.map(name => [name, 0])) as Record<N, number>;
}
