import { lifeFactors } from '../core';
import { duration, hitsOf, minReads, percent, readsOf, sum, type Advice, type Family } from './diagnosis';

/** What would be won at least, of all reads. */
const minGain = 0.02;
/** So much of what any longer life would bring is enough: not the longest, but the first that does. */
const enough = 0.8;
const minReloads = 20;
/** With fewer reloads that brought the same again, a longer life would hide changes. */
const minUnchanged = 0.5;

/** The shares of reads that would be fresh and stale with a life of so long. */
export interface LifePoint {
  readonly ttlMs: number;
  readonly hitRate: number;
  readonly staleRate: number;
}

export interface LifeReport {
  /** Sampled reads. */
  readonly reads: number;
  readonly curve: readonly LifePoint[];
  /** Share of the loads after the end of a life that brought the same again; undefined without enough of them. */
  readonly unchangedShare: number | undefined;
  readonly reloads: number;
}

/** How reads of some keys would have gone with other lives, by playing them through. */
export function lifeReport({ ttlMs, keys }: Family): LifeReport {
  const reads = sum(keys.map(({ outcomes }) => readsOf(outcomes)));
  const curve = lifeFactors.map((factor, at) => ({
    ttlMs: ttlMs * factor,
    hitRate: reads === 0 ? 0 : sum(keys.map(({ hitsByLife }) => hitsByLife[at]!)) / reads,
    staleRate: reads === 0 ? 0 : sum(keys.map(({ staleByLife }) => staleByLife[at]!)) / reads,
  }));
  const reloads = sum(keys.map(each => each.reloads));
  const unchanged = sum(keys.map(each => each.unchanged));
  return { reads, curve, reloads, unchangedShare: reloads < minReloads ? undefined : unchanged / reloads };
}

/** A longer life, where reads come back after the end of the present one and find what has not changed. */
export function longerLife(family: Family): Advice | undefined {
  const { head, policy, keys } = family;
  const { reads, curve, reloads, unchangedShare } = lifeReport(family);
  if (reads < minReads || (unchangedShare !== undefined && unchangedShare < minUnchanged)) return undefined;
  const at = lifeFactors.indexOf(1);
  const gains = curve.map(({ hitRate }) => hitRate - curve[at]!.hitRate);
  const most = Math.max(...gains);
  if (most < minGain) return undefined;
  const chosen = gains.findIndex((gain, index) => index > at && gain >= enough * most);
  const { ttlMs } = curve[chosen]!;
  const now = sum(keys.map(({ outcomes }) => hitsOf(outcomes))) / reads;
  const then = Math.min(1, now + gains[chosen]!);
  const unchanged =
    unchangedShare === undefined
      ? 'How often a reload brings something new is not known yet.'
      : `${percent(unchangedShare)} of ${Math.round(reloads)} reloads brought the same again.`;
  return {
    kind: 'longer_life',
    policy,
    head,
    message: `A ttlMs of ${ttlMs} (${duration(ttlMs)}) instead of ${family.ttlMs} (${duration(family.ttlMs)}) would raise the hit rate from ${percent(now)} to ${percent(then)}. ${unchanged}`,
    evidence: {
      sampled_reads: Math.round(reads),
      expired: Math.round(sum(keys.map(({ causes }) => causes.expired))),
      reloads: Math.round(reloads),
      ...(unchangedShare !== undefined && { unchanged_share: unchangedShare }),
      ttl_ms: family.ttlMs,
      suggested_ttl_ms: ttlMs,
    },
    prediction: { measure: 'hit_rate', now, then },
  };
}

/** A stale window, where there is none and reads wait for what has just expired. */
export function staleWindow({ head, policy, ttlMs, staleMs, keys, reads }: Family): Advice | undefined {
  if (staleMs > 0) return undefined;
  const expired = sum(keys.map(({ causes }) => causes.expired));
  if (reads < minReads || expired / reads < 0.05) return undefined;
  const now =
    sum(keys.map(({ outcomes }) => hitsOf(outcomes) + outcomes.stale_hit + outcomes.coalesced)) / reads;
  const then = Math.min(1, now + expired / reads);
  return {
    kind: 'stale_window',
    policy,
    head,
    message: `${percent(expired / reads)} of the reads wait for a load because the entry has just expired. With a staleMs as long as the pauses between reads they would be answered at once, with what expired a moment ago.`,
    evidence: { sampled_reads: Math.round(reads), expired: Math.round(expired), ttl_ms: ttlMs },
    prediction: { measure: 'user_visible_hit_rate', now, then },
  };
}
