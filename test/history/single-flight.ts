import { groupBy, ofKind, type HistoryRecord, type LoadRecord, type Violation } from './records';

/** An invalidation so long before a loader began may have come after its lease had been taken. */
const leaseBeforeLoaderMs = 500;
/** So long after a fault or a stall connections are made anew, and commands time out. */
const afterwardsMs = 2_000;

interface Span {
  start: number;
  end: number;
}

/**
 * C6: while nothing is wrong, at most one load of a key that has not been invalidated runs in the whole cluster. While
 * something is, at most one on each instance. A load that was invalidated or flushed does not count any more, and neither
 * does one whose process stood still.
 */
export function singleFlight(
  history: readonly HistoryRecord[],
  /** Keys that every instance loads for itself. */
  perInstance: readonly string[] = [],
): Violation[] {
  const troubles = merged([...ofKind(history, 'fault'), ...ofKind(history, 'stall')]);
  const stalls = ofKind(history, 'stall');
  const invalidations = groupBy(ofKind(history, 'inv'), inv => inv.key);
  const flushes = groupBy(ofKind(history, 'flush'), flush => flush.inst);
  const found: Violation[] = [];
  for (const [key, loads] of groupBy(ofKind(history, 'load'), load => load.key)) {
    const overtaken = invalidations.get(key) ?? [];
    for (const [first, second] of overlapping(loads)) {
      const since = first.start - leaseBeforeLoaderMs;
      if (overtaken.some(inv => inv.start < second.start && inv.end > since)) continue;
      const calm = !touches(troubles, since, second.start);
      if ((!calm || perInstance.includes(key)) && first.inst !== second.inst) continue;
      if (calm && (first.alone || second.alone)) continue;
      if (flushes.get(first.inst)?.some(({ start }) => start > since && start < second.start)) continue;
      if (!calm && touches(stalls, since, second.start)) continue;
      found.push({
        check: 'C6',
        what:
          `${second.inst} loads ${key} at ${second.start.toFixed(1)} while ${first.inst} does since ` +
          `${first.start.toFixed(1)}, ${calm ? 'and nothing is wrong' : 'on the same instance'}`,
      });
    }
  }
  return found;
}

/** The greatest number of loads of one key at once. */
export function mostLoadsAtOnce(loads: readonly LoadRecord[]): number {
  let most = 0;
  for (const group of groupBy(loads, load => load.key).values()) {
    const steps = group
      .flatMap(({ start, end }) => [
        { at: start, step: 1 },
        { at: end, step: -1 },
      ])
      .sort((a, b) => a.at - b.at || a.step - b.step);
    let now = 0;
    for (const { step } of steps) most = Math.max(most, (now += step));
  }
  return most;
}

/** Each load with the ones that began while it ran. */
function overlapping(loads: readonly LoadRecord[]): [LoadRecord, LoadRecord][] {
  const sorted = [...loads].sort((a, b) => a.start - b.start);
  const pairs: [LoadRecord, LoadRecord][] = [];
  for (const [at, first] of sorted.entries()) {
    for (let next = at + 1; next < sorted.length && sorted[next]!.start < first.end; next += 1) {
      pairs.push([first, sorted[next]!]);
    }
  }
  return pairs;
}

/** In order and without overlaps, each with its aftermath. */
function merged(spans: readonly Span[]): Span[] {
  const out: Span[] = [];
  for (const { start, end } of [...spans].sort((a, b) => a.start - b.start)) {
    const last = out.at(-1);
    if (last && start <= last.end) last.end = Math.max(last.end, end + afterwardsMs);
    else out.push({ start, end: end + afterwardsMs });
  }
  return out;
}

function touches(spans: readonly Span[], start: number, end: number): boolean {
  return spans.some(span => span.start < end && span.end > start);
}
