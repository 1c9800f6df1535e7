import type { Clock } from './clock';
import {
  countersOf,
  plainHitFields,
  policyAt,
  policyRowLength,
  processAt,
  processCountersOf,
  processRowLength,
  totalOf,
  type CacheCounters,
  type PolicyField,
  type ProcessCounters,
  type ProcessField,
} from './counters';
import type { MissCause, Outcome } from './outcomes';
import { staleAgeOf } from './outcomes';
import { CountedRow, coveredMs, turnEveryMs, type StatsWindow } from './windows';

export interface CacheStatistics extends Omit<ProcessCounters, 'evictions'> {
  uptimeMs: number;
  /** So much time the counts cover: whole buckets, and no more than since the start. */
  windowMs: number;
  totals: CacheCounters;
  policies: Record<string, CacheCounters>;
  tiers: {
    l1: { hits: number; misses: number; sets: number; evictions: number; entries: number; bytes: number };
    l2: CacheCounters['l2'];
  };
}

/** The counts of one instance as rows of numbers: for adding up several instances. */
export interface StatisticsRows {
  process: number[];
  policies: Record<string, number[]>;
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

/** Names counted apart; whatever comes later is counted together under `otherPolicies`. */
export const maxPoliciesCounted = 64;
export const otherPolicies = '(others)';

/** What the codec has counted since the start. */
export interface CompressionCounts {
  readonly compressions: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Counts where things happen, by policy and for four windows. One instance a cache; its size does not depend on keys or time. */
export class CacheStats {
  readonly #policies = new Map<string, CountedRow>();
  readonly #process = new CountedRow(processRowLength);
  readonly #startedAtMs: number;
  #bucketsEnded = 0;
  #turnAtMs: number;
  #beforeLooks: () => void = () => undefined;

  constructor(
    private readonly clock: Clock,
    private readonly compression: CompressionCounts,
  ) {
    this.#startedAtMs = clock.nowMs();
    this.#turnAtMs = this.#startedAtMs + turnEveryMs;
  }

  /** `listener` hears before counts are read, or belong to the past: what is counted elsewhere has to come now. */
  onLook(listener: () => void): void {
    this.#beforeLooks = listener;
  }

  /** When the present bucket ends. */
  get bucketEndsAtMs(): number {
    return this.#turnAtMs;
  }

  /** A read that L1 has answered. */
  hit(policy: string, outcome: Outcome, nowMs: number): void {
    if (nowMs >= this.#turnAtMs) this.#turn(nowMs);
    const row = this.#rowOf(policy).now;
    row[policyAt.l1Hits]! += 1;
    row[policyAt.gets]! += 1;
    row[policyAt[outcome]]! += 1;
  }

  /** Reads that L1 has answered with a fresh value, since the present bucket began. */
  addPlainHits(policy: string, count: number): void {
    const row = this.#rowOf(policy).now;
    for (const field of plainHitFields) row[policyAt[field]]! += count;
  }

  /** An answer, wherever it came from. */
  read(policy: string, outcome: Outcome, cause: MissCause | undefined): void {
    const row = this.#current(policy).now;
    row[policyAt.gets]! += 1;
    row[policyAt[outcome]]! += 1;
    if (cause) row[policyAt[cause]]! += 1;
  }

  /** A look at the shared tier that has brought an entry, of so many bytes, which was of use or not. */
  looked(policy: string, found: boolean, bytes: number): void {
    const row = this.#current(policy).now;
    row[found ? policyAt.l2Hits : policyAt.l2Misses]! += 1;
    row[policyAt.l2BytesRead]! += bytes;
  }

  /** A stale answer was so many milliseconds past its fresh life. */
  stale(policy: string, pastMs: number): void {
    const row = this.#current(policy).now;
    row[policyAt.staleMs]! += pastMs;
    row[policyAt[staleAgeOf(pastMs)]]! += 1;
  }

  add(policy: string, field: PolicyField, count = 1): void {
    this.#current(policy).now[policyAt[field]]! += count;
  }

  count(field: ProcessField, count = 1): void {
    this.#turnIfDue();
    this.#process.now[processAt[field]]! += count;
  }

  /** Everything counted in a window that ends now. */
  snapshot(
    window: StatsWindow = 'all',
  ): Pick<CacheStatistics, 'totals' | 'policies' | 'windowMs'> & ProcessCounters {
    const { process, policies } = this.rows(window);
    return { windowMs: this.coveredMs(window), ...statisticsOfRows({ process, policies }) };
  }

  rows(window: StatsWindow): StatisticsRows {
    this.#turnIfDue();
    this.#beforeLooks();
    this.#takeCompression();
    const sinceStartMs = this.uptimeMs;
    const policies: Record<string, number[]> = {};
    for (const [name, row] of this.#policies) policies[name] = [...row.within(window, sinceStartMs)];
    return { process: [...this.#process.within(window, sinceStartMs)], policies };
  }

  coveredMs(window: StatsWindow): number {
    return coveredMs(window, this.uptimeMs);
  }

  get uptimeMs(): number {
    return this.clock.nowMs() - this.#startedAtMs;
  }

  /** The name that a policy is counted under. */
  countedAs(policy: string): string {
    return this.#policies.has(policy) || this.#policies.size < maxPoliciesCounted ? policy : otherPolicies;
  }

  #current(policy: string): CountedRow {
    this.#turnIfDue();
    return this.#rowOf(policy);
  }

  #rowOf(policy: string): CountedRow {
    return this.#policies.get(policy) ?? this.#newRow(policy);
  }

  /** Names could come from anywhere: there is an end to what is kept for them. */
  #newRow(policy: string): CountedRow {
    const name = this.countedAs(policy);
    let row = this.#policies.get(name);
    if (!row) this.#policies.set(name, (row = new CountedRow(policyRowLength)));
    return row;
  }

  #turnIfDue(): void {
    const nowMs = this.clock.coarseMs();
    if (nowMs >= this.#turnAtMs) this.#turn(nowMs);
  }

  /** What has been counted until now belongs to the buckets that have ended meanwhile. */
  #turn(nowMs: number): void {
    this.#beforeLooks();
    this.#takeCompression();
    const ended = Math.floor((nowMs - this.#startedAtMs) / turnEveryMs);
    for (const row of [this.#process, ...this.#policies.values()])
      row.endBuckets(this.#bucketsEnded + 1, ended);
    this.#bucketsEnded = ended;
    this.#turnAtMs = this.#startedAtMs + (ended + 1) * turnEveryMs;
  }

  #takeCompression(): void {
    const row = this.#process.now;
    row[processAt.compressions] = this.compression.compressions;
    row[processAt.bytesIn] = this.compression.bytesIn;
    row[processAt.bytesOut] = this.compression.bytesOut;
  }
}

/** Rows under their names, and their sums. */
export function statisticsOfRows({
  process,
  policies,
}: StatisticsRows): Pick<CacheStatistics, 'totals' | 'policies'> & ProcessCounters {
  return {
    policies: Object.fromEntries(Object.entries(policies).map(([name, row]) => [name, countersOf(row)])),
    totals: totalOf(Object.values(policies)),
    ...processCountersOf(process),
  };
}
