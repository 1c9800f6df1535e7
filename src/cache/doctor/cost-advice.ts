import { rates, type CacheCounters } from '../core';
import { minReads, percent, type Advice, type DoctorFacts } from './diagnosis';

/** Of the reads: with less, writing entries costs more than is read. */
const minHitRate = 0.05;

/** A policy whose entries are written and hardly read, or whose refreshes ask the source more often than reads would. */
export function notWorthCaching(policy: string, counters: CacheCounters): Advice | undefined {
  const { hitRate, userVisibleHitRate } = rates(counters);
  const asked = counters.gets - counters.outcomes.bypass;
  if (asked < minReads) return undefined;
  const refreshesTooMuch = counters.refreshes > 0 && counters.originCallsAvoided <= 0;
  if (!refreshesTooMuch && userVisibleHitRate >= minHitRate) return undefined;
  const message = refreshesTooMuch
    ? `Refreshing asks the source ${counters.refreshes} times in an hour, and spares it ${counters.originCallsAvoided + counters.refreshes} calls. A refreshAheadFraction of 0, or a longer ttlMs, would ask it less.`
    : `${asked} reads in an hour wrote ${counters.sets + counters.l1.sets + counters.l2.sets} entries, and ${percent(userVisibleHitRate)} were answered from the cache. Without it they would cost the same, and Redis less.`;
  return {
    kind: 'not_worth_caching',
    policy,
    head: undefined,
    message,
    evidence: {
      reads: asked,
      hit_rate: hitRate,
      refreshes: counters.refreshes,
      origin_calls_avoided: counters.originCallsAvoided,
      load_ms: counters.loadMs,
    },
    prediction: undefined,
  };
}

/** What is warmed and nobody reads. */
export function warmedUnread({ warmedUnread: jobs }: DoctorFacts): Advice[] {
  return jobs
    .filter(({ count }) => count > 0)
    .map(({ job, count, of }) => ({
      kind: 'warmed_unread',
      policy: undefined,
      head: job,
      message: `Warming loads ${of} entries of ${job}, and nobody has read ${count} of them. Take them out of its requests or args.`,
      evidence: { warmed: of, unread: count },
      prediction: undefined,
    }));
}
