import { percent, type Advice, type DoctorFacts } from './diagnosis';

const minGain = 0.02;
/** Of the misses. */
const minEvictedShare = 0.1;
const minMisses = 100;

/** More room in the memory of the process, where entries are dropped for room and come back. */
export function moreRoom(facts: DoctorFacts): Advice | undefined {
  const { statistics, l1MaxEntries, l1MaxBytes } = facts;
  const { evictions, entries, bytes } = statistics.tiers.l1;
  if (evictions === 0 || entries === 0) return undefined;
  // What holds is the tighter of the two bounds: entries of the present size.
  const room = Math.min(l1MaxEntries, Math.floor((l1MaxBytes / Math.max(1, bytes)) * entries));
  const [now, then] = [facts.hitShareOfSize(room), facts.hitShareOfSize(2 * room)];
  if (now === undefined || then === undefined || then - now < minGain) return undefined;
  return {
    kind: 'more_room',
    policy: undefined,
    head: undefined,
    message: `${evictions} entries were dropped from the memory of this process for room in the last hour. Twice the room (${2 * room} entries) would answer ${percent(then)} of the reads there instead of ${percent(now)}.`,
    evidence: { evictions, entries, bytes, max_entries: l1MaxEntries, max_bytes: l1MaxBytes },
    prediction: { measure: 'l1_hit_rate', now, then },
  };
}

/** More memory for Redis, where it drops what is still wanted. */
export function moreRedisMemory({ statistics }: DoctorFacts): Advice | undefined {
  const { causes, outcomes, gets } = statistics.totals;
  const asked = gets - outcomes.bypass;
  if (outcomes.miss < minMisses || causes.evicted_l2 / outcomes.miss < minEvictedShare) return undefined;
  const now = (outcomes.l1_hit + outcomes.l2_hit + outcomes.negative_hit) / asked;
  const then = now + causes.evicted_l2 / asked;
  return {
    kind: 'more_redis_memory',
    policy: undefined,
    head: undefined,
    message: `${percent(causes.evicted_l2 / outcomes.miss)} of the misses are of entries that Redis has dropped before their time. More maxmemory there would answer them: ${percent(then)} instead of ${percent(now)}.`,
    evidence: { misses: outcomes.miss, evicted_l2: causes.evicted_l2 },
    prediction: { measure: 'hit_rate', now, then },
  };
}

/** Redis away often enough to explain misses. */
export function redisAway({ statistics }: DoctorFacts): Advice | undefined {
  const { causes, outcomes, gets } = statistics.totals;
  const asked = gets - outcomes.bypass;
  if (outcomes.miss < minMisses || causes.redis_down / outcomes.miss < minEvictedShare) return undefined;
  const now = (outcomes.l1_hit + outcomes.l2_hit + outcomes.negative_hit) / asked;
  return {
    kind: 'redis_away',
    policy: undefined,
    head: undefined,
    message: `${percent(causes.redis_down / outcomes.miss)} of the misses are there because Redis could not be asked. See its health first; no setting of the cache helps.`,
    evidence: { misses: outcomes.miss, redis_down: causes.redis_down },
    prediction: { measure: 'hit_rate', now, then: now + causes.redis_down / asked },
  };
}
