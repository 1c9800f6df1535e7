import { groupBy, ofKind, type HistoryRecord, type LoadRecord, type Violation } from './records';

/** An invalidation so long before a loader began may have come after its lease had been taken. */
const leaseBeforeLoaderMs = 500;
/** So long after a fault or a stall connections are made anew, and commands time out. */
const afterwardsMs = 2_000;

interface Span {
  start: number;
  end: number;
}

export interface SingleFlightOptions {
  /** How many there are. */
  instances: number;
  /** Keys that every instance loads for itself. */
  perInstance?: readonly string[];
  /** Keys whose tags the loader alone knows: an invalidation of any tag overtakes their loads. */
  dynamic?: readonly string[];
}

/**
 * C6: while nothing is wrong, at most one load of a key that has not been invalidated runs in the whole cluster. While
 * something is, at most two on each instance: one that is in doubt, because a token that has changed cannot be read again,
 * is joined by nobody, and its successor runs beside it. A load that was invalidated or flushed does not count any more, and
 * neither does one whose process stood still.
 */
export function singleFlight(
  history: readonly HistoryRecord[],
  { instances, perInstance = [], dynamic = [] }: SingleFlightOptions,
): Violation[] {
  const stalls = ofKind(history, 'stall');
  const troubles = merged([...ofKind(history, 'fault'), ...stalls]);
  // An outer load is overtaken by what overtakes what it has read inside.
  const invalidations = groupBy(ofKind(history, 'inv'), inv => inv.key.split('>')[0]!);
  const ofTags = ofKind(history, 'inv').filter(({ how }) => how === 'tag');
  const flushes = groupBy(ofKind(history, 'flush'), flush => flush.inst);
  const found: Violation[] = [];
  for (const [key, loads] of groupBy(ofKind(history, 'load'), load => load.key)) {
    const own = invalidations.get(key) ?? [];
    const overtaken = dynamic.includes(key) ? [...own, ...ofTags] : own;
    const counts = (first: LoadRecord, second: LoadRecord): boolean => {
      const since = first.start - leaseBeforeLoaderMs;
      return !(
        overtaken.some(inv => inv.start < second.start && inv.end > since) ||
        flushes.get(first.inst)?.some(({ start }) => start > since && start < second.start) ||
        touches(stalls, since, second.start)
      );
    };
    for (const [second, running] of loadsUnderWay(loads)) {
      const others = running.filter(first => counts(first, second));
      const isCalm = (first: LoadRecord): boolean =>
        !touches(troubles, first.start - leaseBeforeLoaderMs, second.start) && !first.alone && !second.alone;
      const excess =
        others.length >= 2 * instances ||
        others.some(first => isCalm(first) && (!perInstance.includes(key) || first.inst === second.inst));
      if (!excess) continue;
      const who = others.map(({ inst, start }) => `${inst} since ${start.toFixed(1)}`).join(', ');
      found.push({
        check: 'C6',
        key,
        at: second.start,
        what: `${second.inst} loads ${key} at ${second.start.toFixed(1)}, and ${who}`,
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

/** Each load with those that were running when it began. */
function loadsUnderWay(loads: readonly LoadRecord[]): [LoadRecord, LoadRecord[]][] {
  let running: LoadRecord[] = [];
  return [...loads]
    .sort((a, b) => a.start - b.start)
    .map(load => {
      const others = running.filter(other => other.end > load.start);
      running = [...others, load];
      return [load, others];
    });
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
