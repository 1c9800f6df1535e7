import { confirmed, floorsBy } from './checks';
import { ofKind, type HistoryRecord } from './records';

/**
 * C8: by how much each stale read was stale: the time from the first confirmation of something newer, on whichever
 * instance, to the beginning of the read. Published, not judged: C1 and C2 do that.
 */
export function stalenessMs(history: readonly HistoryRecord[]): number[] {
  const floors = floorsBy(confirmed(history), inv => inv.key);
  return ofKind(history, 'read').flatMap(read => {
    const of = floors.get(read.key);
    if ((of?.before(read.start)?.version ?? -1) <= read.version) return [];
    return [read.start - of!.firstAbove(read.version, read.start)!.end];
  });
}

/** How many nines of the reads were right: 3 is 99.9 %; Infinity when all were. */
export function nines(wrong: number, all: number): number {
  return wrong === 0 ? Infinity : -Math.log10(wrong / all);
}
