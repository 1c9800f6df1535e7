import { missCauses, outcomes, staleAges, type MissCause, type Outcome, type StaleAge } from './outcomes';

/**
 * Where each count stands in a row of numbers. Rows and not objects, because a row can be copied, subtracted and added up
 * whatever it counts, and because adding one to a number in it allocates nothing.
 */
const policyNumbers = [
  'gets',
  'sets',
  'loads',
  'loadErrors',
  'loadMs',
  'refreshes',
  'fillsRefused',
  'staleMs',
  'l1Hits',
  'l1Misses',
  'l1Sets',
  'l2Hits',
  'l2Misses',
  'l2Sets',
  'l2Errors',
  'l2BytesRead',
  'l2BytesWritten',
] as const;
const policyFields = [...policyNumbers, ...outcomes, ...missCauses, ...staleAges] as const;
export type PolicyField = (typeof policyFields)[number];

/** Why an entry that was there could not be read. */
export const corruptReasons = [
  'short',
  'magic',
  'version',
  'checksum',
  'key',
  'structure',
  'payload',
] as const;
export type CorruptReason = (typeof corruptReasons)[number];

/** What belongs to no policy. */
const processFields = [
  'evictions',
  'invalidatedKeys',
  'invalidatedTags',
  'clears',
  'queued',
  'compressions',
  'bytesIn',
  'bytesOut',
  ...corruptReasons,
] as const;
export type ProcessField = (typeof processFields)[number];

/** Counts in the order of their fields. */
export type Row = Float64Array;

export const policyAt = placesOf(policyFields);
export const processAt = placesOf(processFields);
export const policyRowLength = policyFields.length;
export const processRowLength = processFields.length;

/** What a read counts that finds a fresh value in L1. */
export const plainHitFields = ['gets', 'l1Hits', 'l1_hit'] as const satisfies readonly PolicyField[];

/** Counters of one policy, or of all. */
export interface CacheCounters {
  gets: number;
  sets: number;
  outcomes: Record<Outcome, number>;
  causes: Record<MissCause, number>;
  loads: number;
  loadErrors: number;
  /** Milliseconds spent in loaders. */
  loadMs: number;
  /** Milliseconds that answers from the cache would have spent in loaders, at this policy's mean. */
  loadMsSaved: number;
  /**
   * Answers that came without a load of their own, less the loads that ran behind answers: so many calls the source was
   * spared. Negative where refreshing costs more than is read.
   */
  originCallsAvoided: number;
  /** Loads that ran behind an answer already given. */
  refreshes: number;
  /** Loads whose result Redis refused because the lease was gone: something was invalidated meanwhile. */
  fillsRefused: number;
  /** Milliseconds that stale answers were past their fresh life, all together. */
  staleMs: number;
  /** Stale answers by how far past their fresh life they were. */
  staleAges: Record<StaleAge, number>;
  l1: { hits: number; misses: number; sets: number };
  l2: {
    hits: number;
    misses: number;
    sets: number;
    errors: number;
    /** Bytes of entries, as they are in Redis. */
    bytesRead: number;
    bytesWritten: number;
  };
}

/** What belongs to no policy, under its names. */
export interface ProcessCounters {
  evictions: number;
  invalidations: { keys: number; tags: number; clears: number; queued: number };
  compression: { compressions: number; bytesIn: number; bytesOut: number };
  /** Entries that were there but unreadable; reasons that occurred. */
  corrupt: Record<string, number>;
}

export function countersOf(row: ArrayLike<number>): CacheCounters {
  const of = (field: PolicyField): number => row[policyAt[field]] ?? 0;
  const saved = of('l1_hit') + of('l2_hit') + of('negative_hit') + of('stale_hit') + of('coalesced');
  return {
    gets: of('gets'),
    sets: of('sets'),
    outcomes: named(outcomes, of),
    causes: named(missCauses, of),
    loads: of('loads'),
    loadErrors: of('loadErrors'),
    loadMs: of('loadMs'),
    loadMsSaved: of('loads') === 0 ? 0 : (saved * of('loadMs')) / of('loads'),
    originCallsAvoided: saved - of('refreshes'),
    refreshes: of('refreshes'),
    fillsRefused: of('fillsRefused'),
    staleMs: of('staleMs'),
    staleAges: named(staleAges, of),
    l1: { hits: of('l1Hits'), misses: of('l1Misses'), sets: of('l1Sets') },
    l2: {
      hits: of('l2Hits'),
      misses: of('l2Misses'),
      sets: of('l2Sets'),
      errors: of('l2Errors'),
      bytesRead: of('l2BytesRead'),
      bytesWritten: of('l2BytesWritten'),
    },
  };
}

/** The sum of several policies. What was saved is told by each policy's own mean, and added up. */
export function totalOf(rows: readonly ArrayLike<number>[]): CacheCounters {
  const total = countersOf(sumOfRows(rows, policyRowLength));
  return { ...total, loadMsSaved: rows.reduce((sum, row) => sum + countersOf(row).loadMsSaved, 0) };
}

export function processCountersOf(row: ArrayLike<number>): ProcessCounters {
  const of = (field: ProcessField): number => row[processAt[field]] ?? 0;
  return {
    evictions: of('evictions'),
    invalidations: {
      keys: of('invalidatedKeys'),
      tags: of('invalidatedTags'),
      clears: of('clears'),
      queued: of('queued'),
    },
    compression: { compressions: of('compressions'), bytesIn: of('bytesIn'), bytesOut: of('bytesOut') },
    corrupt: Object.fromEntries(
      corruptReasons.map(reason => [reason, of(reason)] as const).filter(([, count]) => count > 0),
    ),
  };
}

export function sumOfRows(rows: readonly ArrayLike<number>[], length: number): Row {
  const sum = new Float64Array(length);
  for (const row of rows) for (let at = 0; at < length; at += 1) sum[at]! += row[at] ?? 0;
  return sum;
}

/** Counters of nothing. */
export function emptyCounters(): CacheCounters {
  return countersOf([]);
}

function placesOf<F extends string>(fields: readonly F[]): Readonly<Record<F, number>> {
  return Object.freeze(Object.fromEntries(fields.map((field, at) => [field, at]))) as Record<F, number>;
}

function named<N extends PolicyField>(names: readonly N[], of: (name: N) => number): Record<N, number> {
  return Object.fromEntries(names.map(name => [name, of(name)])) as Record<N, number>;
}
