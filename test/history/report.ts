import { maxL1StalenessMs } from './node-options';
import { groupBy, ofKind, type HistoryRecord, type ReadRecord, type Violation } from './records';
import { mostLoadsAtOnce } from './single-flight';
import { nines, quantile, stalenessOf } from './staleness';

/** What a history came to, as lines for people. */
export function report(history: readonly HistoryRecord[], violations: readonly Violation[]): string {
  const reads = ofKind(history, 'read');
  const invalidations = new Map(ofKind(history, 'inv').map(inv => [`${inv.inst} ${inv.start}`, inv]));
  const loads = ofKind(history, 'load');
  const faults = ofKind(history, 'fault');
  const stale = stalenessOf(history, maxL1StalenessMs);
  const vias = counted(reads, read => read.via);
  const how = counted(invalidations.values(), inv => inv.how);
  const unconfirmed = [...invalidations.values()].filter(inv => !inv.acked).length;
  const over = [...stale.over].map(([tolerance, count]) => `>${tolerance} ms ${count}`).join(', ');
  const wrongAt = [...stale.over].map(
    ([tolerance, count]) => `${tolerance} ms ${ninesText(count, stale.reads)}`,
  );
  const alone = loads.filter(load => load.alone).length;
  const waits = duringFaults(reads, history);
  const recovered = recoveriesMs(history);
  const lines: [string, string][] = [
    ['reads', `${reads.length} (${vias})`],
    ['invalidations', `${invalidations.size} (${how}); not confirmed ${unconfirmed}`],
    [
      'stale reads, any instance',
      `${over}; p50 ${ms(stale.p50Ms)}, p99 ${ms(stale.p99Ms)}, max ${ms(stale.maxMs)}`,
    ],
    ['C8 nines at', wrongAt.join(', ')],
    [
      'loader calls',
      `${loads.length}, ${alone} without Redis; most at once of one key ${mostLoadsAtOnce(loads)}`,
    ],
    [
      'faults',
      `${faults.length} (${counted(faults, fault => fault.what.split(/[( ](?!redis|child|writes|all|scripts|pubsub|normal|tokens|anything)/)[0]!)})`,
    ],
    [
      't_fail',
      `a read during a fault: p50 ${ms(quantile(waits, 0.5))}, p99 ${ms(quantile(waits, 0.99))}, max ${ms(waits.at(-1) ?? 0)}`,
    ],
    [
      't_recover',
      `end of a fault to the first read from Redis: p50 ${ms(quantile(recovered, 0.5))}, max ${ms(recovered.at(-1) ?? 0)} (${recovered.length})`,
    ],
    ['stalls of a process', String(ofKind(history, 'stall').length)],
    ['violations', violations.length === 0 ? 'none' : counted(violations, violation => violation.check)],
  ];
  return lines.map(([name, text]) => `  ${name.padEnd(26)} ${text}`).join('\n');
}

/** Names with their numbers, most first. */
function counted<T>(all: Iterable<T>, nameOf: (one: T) => string): string {
  return [...groupBy(all, nameOf)]
    .map(([name, group]) => ({ name, count: group.length }))
    .sort((a, b) => b.count - a.count)
    .map(({ name, count }) => `${name} ${count}`)
    .join(', ');
}

/** How long reads took that were under way during a fault, sorted. */
function duringFaults(reads: readonly ReadRecord[], history: readonly HistoryRecord[]): number[] {
  const faults = ofKind(history, 'fault').filter(fault => fault.end - fault.start > 1);
  return reads
    .filter(read => faults.some(fault => read.start < fault.end && read.end > fault.start))
    .map(read => read.end - read.start)
    .sort((a, b) => a - b);
}

/** For each fault and each instance: from its end to the end of the first read from Redis, unless another fault came before. */
function recoveriesMs(history: readonly HistoryRecord[]): number[] {
  const faults = ofKind(history, 'fault');
  const fromRedis = groupBy(
    ofKind(history, 'read').filter(read => read.via === 'L2'),
    read => read.inst,
  );
  const found: number[] = [];
  for (const fault of faults) {
    const nextAt = Math.min(...faults.filter(other => other.end > fault.end).map(other => other.start));
    for (const reads of fromRedis.values()) {
      const first = Math.min(...reads.filter(read => read.start > fault.end).map(read => read.end));
      if (first < nextAt) found.push(first - fault.end);
    }
  }
  return found.sort((a, b) => a - b);
}

function ninesText(wrong: number, all: number): string {
  const count = nines(wrong, all);
  return count === Infinity ? 'all' : count.toFixed(2);
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}
