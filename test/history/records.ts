/**
 * What a history is made of. Times are milliseconds of the one monotonic clock that all processes of a machine share
 * (`hrtime.ts`); `key` is the name of something that has versions, see `keyspace.ts`.
 */
export type HistoryRecord =
  | ReadRecord
  | CommitRecord
  | InvalidationRecord
  | LoadRecord
  | FaultRecord
  | FlushRecord
  | StallRecord
  | FailureRecord;

export interface ReadRecord {
  op: 'read';
  key: string;
  inst: string;
  /** Right before the call. */
  start: number;
  /** The clock as the cache may see it: at most one turn of the event loop older than `start`. */
  turn: number;
  /** Right after it has resolved. */
  end: number;
  version: number;
  via: Via;
  /** Read after the faults have ended and everything has calmed down. */
  final?: true;
}

/** Where a version came from. STALE: past its fresh life, within its stale window. GET: a read without a loader, which does not say. */
export type Via = 'L1' | 'L2' | 'LOAD' | 'STALE' | 'GET';

/** From `start` on the source has this version. */
export interface CommitRecord {
  op: 'commit';
  key: string;
  start: number;
  version: number;
}

/** An invalidation that must end whatever is older than `version`, which the source had before the call. */
export interface InvalidationRecord {
  op: 'inv';
  key: string;
  how: 'key' | 'tag' | 'pattern' | 'set';
  inst: string;
  start: number;
  end: number;
  version: number;
  /** The cache has said that it is done; otherwise it is queued, or failed. */
  acked: boolean;
}

/** One run of a loader. */
export interface LoadRecord {
  op: 'load';
  key: string;
  inst: string;
  start: number;
  end: number;
  /** Redis could not be asked: no lease, by design. Or nobody knows. */
  alone: boolean;
}

/** While a fault was in force. */
export interface FaultRecord {
  op: 'fault';
  kind: string;
  what: string;
  start: number;
  end: number;
}

/** The instance has let go of everything it held, and of the loads under way. */
export interface FlushRecord {
  op: 'flush';
  inst: string;
  start: number;
}

/** The event loop of an instance stood still. */
export interface StallRecord {
  op: 'stall';
  inst: string;
  start: number;
  end: number;
}

/** A call that ended as no call may end. */
export interface FailureRecord {
  op: 'failure';
  inst: string;
  start: number;
  what: string;
}

/** Something that the cache must never do. */
export interface Violation {
  check: string;
  what: string;
  /** Where to look in the history. */
  key?: string;
  at?: number;
}

export function ofKind<K extends HistoryRecord['op']>(
  history: readonly HistoryRecord[],
  op: K,
): Extract<HistoryRecord, { op: K }>[] {
  return history.filter((record): record is Extract<HistoryRecord, { op: K }> => record.op === op);
}

/** In groups by a name, in their order. */
export function groupBy<T>(all: Iterable<T>, nameOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const name = nameOf(one);
    const group = groups.get(name);
    if (group) group.push(one);
    else groups.set(name, [one]);
  }
  return groups;
}
