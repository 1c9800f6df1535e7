import { Histogram } from './histogram';
import { groupBy, ofKind, type HistoryRecord, type ReadRecord, type Violation } from './records';
import { mostLoadsAtOnce } from './single-flight';
import { nines, stalenessMs } from './staleness';

const tolerancesMs = [0, 50, 1_000];
/** Shorter faults are over before anybody waits for them. */
const shortestFaultMs = 10;

/** What one or more histories came to, as lines for people. */
export class Summary {
  readonly #reads = new Counts();
  readonly #invalidations = new Counts();
  readonly #faults = new Counts();
  readonly #violations = new Counts();
  readonly #staleMs = new Histogram();
  readonly #staleOver = tolerancesMs.map(() => 0);
  readonly #waitsMs = new Histogram();
  readonly #recoveriesMs = new Histogram();
  readonly #coherentMs = new Histogram();
  #unconfirmed = 0;
  #loads = 0;
  #loadsAlone = 0;
  #mostAtOnce = 0;
  #stalls = 0;

  get violations(): number {
    return this.#violations.total;
  }

  add(history: readonly HistoryRecord[], violations: readonly Violation[]): this {
    const reads = ofKind(history, 'read');
    for (const { via } of reads) this.#reads.add(via);
    // One call has a record for each key that it reaches.
    const calls = new Map(ofKind(history, 'inv').map(inv => [`${inv.inst} ${inv.start}`, inv]));
    for (const inv of calls.values()) {
      this.#invalidations.add(inv.how);
      if (!inv.acked) this.#unconfirmed += 1;
    }
    for (const { kind } of ofKind(history, 'fault')) this.#faults.add(kind);
    for (const { check } of violations) this.#violations.add(check);
    for (const byMs of stalenessMs(history)) {
      this.#staleMs.add(byMs);
      tolerancesMs.forEach((tolerance, at) => (this.#staleOver[at]! += byMs > tolerance ? 1 : 0));
    }
    const loads = ofKind(history, 'load');
    this.#loads += loads.length;
    this.#loadsAlone += loads.filter(load => load.alone).length;
    this.#mostAtOnce = Math.max(this.#mostAtOnce, mostLoadsAtOnce(loads));
    this.#stalls += ofKind(history, 'stall').length;
    for (const ms of waitsMs(reads, history)) this.#waitsMs.add(ms);
    for (const ms of untilFirstMs(history, read => read.via === 'L2')) this.#recoveriesMs.add(ms);
    for (const ms of untilFirstMs(history, read => read.via === 'L1')) this.#coherentMs.add(ms);
    return this;
  }

  toString(): string {
    const lines: [string, string][] = [
      ['reads', `${this.#reads.total} (${this.#reads.text()})`],
      [
        'invalidations',
        `${this.#invalidations.total} (${this.#invalidations.text()}), not confirmed ${this.#unconfirmed}`,
      ],
      [
        'stale reads, all instances',
        `${tolerancesMs.map((tolerance, at) => `>${tolerance} ms ${this.#staleOver[at]}`).join(', ')} (${text(this.#staleMs)})`,
      ],
      [
        'C8: nines right at',
        tolerancesMs
          .map((tolerance, at) => `${tolerance} ms ${ninesText(this.#staleOver[at]!, this.#reads.total)}`)
          .join(', '),
      ],
      [
        'loader calls',
        `${this.#loads}, without a lease ${this.#loadsAlone}, of one key at once at most ${this.#mostAtOnce}`,
      ],
      ['faults', this.#faults.total === 0 ? 'none' : `${this.#faults.total} (${this.#faults.text()})`],
      ['t_fail, a read in a fault', text(this.#waitsMs)],
      ['t_recover, first L2 hit', text(this.#recoveriesMs)],
      ['t_coherent, first L1 hit', text(this.#coherentMs)],
      ['stalls of a process', String(this.#stalls)],
      ['violations', this.#violations.total === 0 ? 'none' : this.#violations.text()],
    ];
    return lines.map(([name, what]) => `  ${name.padEnd(28)}${what}`).join('\n');
  }
}

class Counts {
  readonly #counts = new Map<string, number>();
  total = 0;

  add(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    this.total += 1;
  }

  /** Most first. */
  text(): string {
    return [...this.#counts]
      .sort(([, a], [, b]) => b - a)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  }
}

/** How long reads took that were under way during a fault. */
function waitsMs(reads: readonly ReadRecord[], history: readonly HistoryRecord[]): number[] {
  const faults = ofKind(history, 'fault').filter(fault => fault.end - fault.start > shortestFaultMs);
  return reads
    .filter(read => faults.some(fault => read.start < fault.end && read.end > fault.start))
    .map(read => read.end - read.start);
}

/** For each fault and instance: from its end to the first such read, unless another fault came before. */
function untilFirstMs(history: readonly HistoryRecord[], isMeant: (read: ReadRecord) => boolean): number[] {
  const faults = ofKind(history, 'fault');
  const byInstance = groupBy(ofKind(history, 'read').filter(isMeant), read => read.inst);
  return faults.flatMap(fault => {
    const nextAt = Math.min(...faults.filter(other => other.end > fault.end).map(other => other.start));
    return [...byInstance.values()].flatMap(reads => {
      const first = reads.reduce(
        (least, read) => (read.start > fault.end && read.end < least ? read.end : least),
        Infinity,
      );
      return first < nextAt ? [first - fault.end] : [];
    });
  });
}

function text(durations: Histogram): string {
  if (durations.size === 0) return 'none';
  const [p50, p99, max] = [durations.quantile(0.5), durations.quantile(0.99), durations.max];
  return `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, max ${max.toFixed(1)} ms of ${durations.size}`;
}

function ninesText(wrong: number, all: number): string {
  const count = nines(wrong, all);
  return count === Infinity ? 'all' : count.toFixed(2);
}
