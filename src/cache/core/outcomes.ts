/**
 * The closed vocabulary of what a read can come to. Every counted read has exactly one outcome and
 * every miss exactly one cause, so that the sums add up and no answer is counted twice.
 */
export const outcomes = [
  /** Fresh, from this process. */
  'l1_hit',
  /** Fresh, from Redis. */
  'l2_hit',
  /** Past its fresh life, within the stale window; never part of the hit rate. */
  'stale_hit',
  /** Waited for a load that another caller had begun, here or on another instance. */
  'coalesced',
  /** A fresh, cached "there is nothing". */
  'negative_hit',
  /** The loader ran for this caller (or, for a plain `get`, nothing was found). */
  'miss',
  /** The caller asked not to be served from the cache, or the request was not cacheable. */
  'bypass',
  /** The caller got an error: its loader failed, timed out, or was refused by the bulkhead. */
  'error',
] as const;
export type Outcome = (typeof outcomes)[number];

export const missCauses = [
  /** Never seen, as far as this instance remembers. */
  'cold',
  /** Its life was over. */
  'expired',
  /** Its key or one of its tags was invalidated. */
  'invalidated',
  /** Dropped from L1 for room, and there is no shared copy. */
  'evicted_l1',
  /** Dropped from Redis for room. */
  'evicted_l2',
  /** The value could not be stored: lease lost, value too large, not serialisable, or the loader forbade it. */
  'rejected',
  /** An entry was there, but unreadable: checksum, version, foreign key or type. */
  'format',
  /** Redis could not be asked. */
  'redis_down',
] as const;
export type MissCause = (typeof missCauses)[number];

/** Where an answer came from. */
export type AnswerSource = 'l1' | 'l2' | 'load';

/** How far past its fresh life a stale answer was. */
export const staleAges = ['up_to_1s', 'up_to_10s', 'up_to_1m', 'up_to_10m', 'over_10m'] as const;
export type StaleAge = (typeof staleAges)[number];

export function staleAgeOf(pastMs: number): StaleAge {
  if (pastMs <= 1_000) return 'up_to_1s';
  if (pastMs <= 10_000) return 'up_to_10s';
  if (pastMs <= 60_000) return 'up_to_1m';
  return pastMs <= 600_000 ? 'up_to_10m' : 'over_10m';
}
