import { readFields, readOutcomes, type ReadOutcome } from './messages';

/** A read as it went. */
export interface Read {
  readonly instance: number;
  readonly of: number;
  readonly key: number;
  readonly version: number;
  readonly startMs: number;
  readonly durationMs: number;
  readonly lateMs: number;
  readonly outcome: ReadOutcome;
}

/** A change whose invalidation was done when this was noted, by the instance that made it. */
export interface Acknowledged {
  readonly instance: number;
  readonly of: number;
  readonly key: number;
  readonly version: number;
  readonly atMs: number;
}

export function readsOf(bytes: Buffer, instance: number): Read[] {
  const numbers = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const reads: Read[] = [];
  for (let at = 0; at < numbers.length; at += readFields.length) {
    const [of, key, version, startMs, durationMs, lateMs, outcome] = numbers.subarray(
      at,
      at + readFields.length,
    );
    reads.push({
      ...{ instance, of: of!, key: key!, version: version!, startMs: startMs! },
      ...{ durationMs: durationMs!, lateMs: lateMs!, outcome: readOutcomes[outcome!]! },
    });
  }
  return reads;
}

/** What was served after a change had been acknowledged. */
export interface Staleness {
  /** Reads that began after an invalidation of their own instance was acknowledged and got what was before it. Must be 0. */
  readonly olderHere: number;
  /** Reads of another instance that began more than the bound after it. Must be 0. */
  readonly olderElsewhere: number;
  /** Reads of another instance within the bound: allowed. */
  readonly withinBound: number;
  /** How long after the acknowledgement the last of those began. Milliseconds. */
  readonly longestMs: number;
  /** Reads of records that had been changed, of which all this is said. */
  readonly judged: number;
}

export function judge(reads: readonly Read[], changes: readonly Acknowledged[], boundMs: number): Staleness {
  const byRecord = new Map<string, Acknowledged[]>();
  for (const change of changes) {
    const record = `${change.of} ${change.key}`;
    const list = byRecord.get(record);
    if (list) list.push(change);
    else byRecord.set(record, [change]);
  }
  let [olderHere, olderElsewhere, withinBound, longestMs, judged] = [0, 0, 0, 0, 0];
  for (const read of reads) {
    const newer = byRecord.get(`${read.of} ${read.key}`)?.filter(change => change.atMs <= read.startMs);
    if (!newer?.length) continue;
    judged += 1;
    const missed = newer.filter(({ version }) => version > read.version);
    if (missed.some(({ instance }) => instance === read.instance)) olderHere += 1;
    else if (missed.some(({ atMs }) => read.startMs - atMs > boundMs)) olderElsewhere += 1;
    else if (missed.length > 0) {
      withinBound += 1;
      longestMs = Math.max(longestMs, ...missed.map(({ atMs }) => read.startMs - atMs));
    }
  }
  return { olderHere, olderElsewhere, withinBound, longestMs, judged };
}
