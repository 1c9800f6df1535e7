import type { CacheStatistics, KeyProfile, Outcome, RemoteServerInfo } from '../core';

/** What may be advised. */
export const adviceKinds = [
  'longer_life',
  'stale_window',
  'more_room',
  'more_redis_memory',
  'narrower_key',
  'narrower_tags',
  'not_worth_caching',
  'warmed_unread',
  'redis_away',
] as const;
export type AdviceKind = (typeof adviceKinds)[number];

/** A number now, and what it would be. */
export interface Prediction {
  /** `hit_rate`, `user_visible_hit_rate` and `l1_hit_rate` are shares from 0 to 1. */
  readonly measure: 'hit_rate' | 'user_visible_hit_rate' | 'l1_hit_rate' | 'keys';
  readonly now: number;
  readonly then: number;
}

export interface Advice {
  readonly kind: AdviceKind;
  /** The policy that it is about; undefined for the cache as a whole. */
  readonly policy: string | undefined;
  /** The route, method or family of keys; undefined for all of the policy. */
  readonly head: string | undefined;
  readonly message: string;
  /** The numbers behind it. */
  readonly evidence: Readonly<Record<string, number | string>>;
  readonly prediction: Prediction | undefined;
}

/** Everything that a diagnosis is made from. */
export interface DoctorFacts {
  /** Counts of the last hour. */
  readonly statistics: CacheStatistics;
  readonly keys: readonly SampledKey[];
  /** The share of reads of L1 that an LRU of so many entries would answer. */
  readonly hitShareOfSize: (entries: number) => number | undefined;
  /** Share of all keys that `keys` are. */
  readonly rate: number;
  readonly l1MaxEntries: number;
  readonly l1MaxBytes: number;
  /** What was warmed and has been read by nobody since; by job. */
  readonly warmedUnread: readonly { readonly job: string; readonly count: number; readonly of: number }[];
  /** What the Redis server says of itself; undefined when there is none or it does not answer. */
  readonly server: RemoteServerInfo | undefined;
}

/** A key of the sample, with the family that it belongs to. */
export interface SampledKey extends KeyProfile {
  readonly head: string;
}

/** Sampled keys of one family under one policy, with one life. At least one. */
export interface Family {
  readonly head: string;
  readonly policy: string;
  readonly ttlMs: number;
  readonly staleMs: number;
  readonly keys: readonly SampledKey[];
  /** Reads that could have been answered from the cache. */
  readonly reads: number;
}

/** Reads that could have been answered from the cache. */
export function readsOf(outcomes: Readonly<Record<Outcome, number>>): number {
  let reads = 0;
  for (const [outcome, count] of Object.entries(outcomes)) if (outcome !== 'bypass') reads += count;
  return reads;
}

export function hitsOf(outcomes: Readonly<Record<Outcome, number>>): number {
  return outcomes.l1_hit + outcomes.l2_hit + outcomes.negative_hit;
}

/** Fewer reads say nothing. */
export const minReads = 100;

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1_000;
  if (seconds < 120) return `${trimmed(seconds)} s`;
  if (seconds < 7_200) return `${trimmed(seconds / 60)} min`;
  return seconds < 172_800 ? `${trimmed(seconds / 3_600)} h` : `${trimmed(seconds / 86_400)} days`;
}

function trimmed(value: number): string {
  return String(Number(value.toFixed(1)));
}
