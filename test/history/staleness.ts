import { confirmed, floorsBy } from './checks';
import { ofKind, type HistoryRecord } from './records';

/** C8: how stale reads were, whoever had invalidated. Published, not judged: C1 and C2 do that. */
export interface Staleness {
  reads: number;
  /** Reads that were stale by more than so many milliseconds. */
  over: Map<number, number>;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

/** A read is stale by the time from the first confirmation of something newer to its own beginning. */
export function stalenessOf(history: readonly HistoryRecord[], maxStalenessMs: number): Staleness {
  const floors = floorsBy(confirmed(history), inv => inv.key);
  const reads = ofKind(history, 'read');
  const stale = reads
    .flatMap(read => {
      const of = floors.get(read.key);
      if ((of?.before(read.start)?.version ?? -1) <= read.version) return [];
      return [read.start - of!.firstAbove(read.version, read.start)!.end];
    })
    .sort((a, b) => a - b);
  const tolerances = [0, 50, 1_000, maxStalenessMs];
  return {
    reads: reads.length,
    over: new Map(tolerances.map(tolerance => [tolerance, stale.filter(by => by > tolerance).length])),
    p50Ms: quantile(stale, 0.5),
    p99Ms: quantile(stale, 0.99),
    maxMs: stale.at(-1) ?? 0,
  };
}

/** How many nines of the reads were right: 3 is 99.9 %; Infinity when all were. */
export function nines(wrong: number, all: number): number {
  return wrong === 0 ? Infinity : -Math.log10(wrong / all);
}

/** Of sorted values; 0 when there are none. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
