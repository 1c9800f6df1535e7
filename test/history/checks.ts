import {
  groupBy,
  ofKind,
  type HistoryRecord,
  type InvalidationRecord,
  type ReadRecord,
  type Violation,
} from './records';

/**
 * The checks of a history. Each says what must never be in one, and returns what is there all the same. They know
 * nothing of the cache: a version is a number that only grows, and an invalidation of version v that was confirmed means
 * that nobody wants to see less than v.
 */

/** C1: a read that begins after an invalidation confirmed on its own instance returns nothing older. No tolerance. */
export function sameInstance(history: readonly HistoryRecord[]): Violation[] {
  const floors = floorsBy(confirmed(history), inv => `${inv.inst} ${inv.key}`);
  return ofKind(history, 'read').flatMap(read => {
    const floor = floors.get(`${read.inst} ${read.key}`)?.before(read.start);
    return floor && read.version < floor.version ? [violation('C1', read, floor)] : [];
  });
}

/**
 * C2: the same for every other instance, from Δ after the invalidation on. The turn in which the read began counts: the
 * cache reads its clock once a turn.
 */
export function bounded(history: readonly HistoryRecord[], maxStalenessMs: number): Violation[] {
  const floors = floorsBy(confirmed(history), inv => inv.key);
  return ofKind(history, 'read').flatMap(read => {
    const floor = floors.get(read.key)?.before(read.turn - maxStalenessMs);
    return floor && read.version < floor.version ? [violation('C2', read, floor)] : [];
  });
}

/** C3: when the faults have ended and all has calmed down, every instance returns the version of the source for every key. */
export function quiescent(
  history: readonly HistoryRecord[],
  keys: readonly string[],
  instances: readonly string[],
): Violation[] {
  const latest = latestVersions(history);
  const finals = groupBy(
    ofKind(history, 'read').filter(read => read.final),
    read => `${read.inst} ${read.key}`,
  );
  return instances.flatMap(inst =>
    keys.flatMap(key => {
      const reads = finals.get(`${inst} ${key}`);
      if (!reads) return [{ check: 'C3', what: `${inst} has not read ${key} at the end` }];
      return reads
        .filter(read => read.version !== latest.get(key))
        .map(read => ({
          check: 'C3',
          key,
          at: read.start,
          what: `at the end ${inst} returns ${key} v${read.version} (${read.via}), the source has v${latest.get(key)}`,
        }));
    }),
  );
}

/**
 * C4: what was invalidated does not come back. Of two reads of one instance, one after the other and both begun after an
 * invalidation of the first one's version, the second never returns less than the first.
 */
export function noResurrection(history: readonly HistoryRecord[]): Violation[] {
  const floors = floorsBy(confirmed(history), inv => inv.key);
  const reads = groupBy(ofKind(history, 'read'), read => `${read.inst} ${read.key}`);
  return [...reads.values()].flatMap(group => {
    const settled = group
      .filter(read => read.version <= (floors.get(read.key)?.before(read.start)?.version ?? -1))
      .sort((a, b) => a.end - b.end);
    let seen = 0;
    let highest: ReadRecord | undefined;
    return group
      .sort((a, b) => a.start - b.start)
      .flatMap(read => {
        for (; seen < settled.length && settled[seen]!.end < read.start; seen += 1) {
          if (!highest || settled[seen]!.version > highest.version) highest = settled[seen];
        }
        if (!highest || read.version >= highest.version) return [];
        return [
          {
            check: 'C4',
            key: read.key,
            at: read.start,
            what: `${describe(read)}, ${ms(read.start - highest.end)} after v${highest.version} (${highest.via})`,
          },
        ];
      });
  });
}

/** C5: every version that was read had been committed by the end of the read. */
export function noInvention(history: readonly HistoryRecord[]): Violation[] {
  const commits = new Map(
    ofKind(history, 'commit').map(commit => [`${commit.key} ${commit.version}`, commit]),
  );
  return ofKind(history, 'read').flatMap(read => {
    const commit = commits.get(`${read.key} ${read.version}`);
    if (!commit) return [{ check: 'C5', what: `${describe(read)}, which never was` }];
    if (commit.start <= read.end) return [];
    return [{ check: 'C5', what: `${describe(read)}, ${ms(commit.start - read.end)} before it was` }];
  });
}

/** C7: C3 for the keys with an invalidation that was not confirmed: it has been made when all has calmed down. */
export function unconfirmedMade(
  history: readonly HistoryRecord[],
  instances: readonly string[],
): Violation[] {
  const unconfirmed = new Set(
    ofKind(history, 'inv')
      .filter(inv => !inv.acked)
      .map(inv => inv.key),
  );
  return quiescent(history, [...unconfirmed], instances).map(({ what }) => ({ check: 'C7', what }));
}

/** No call fails, whatever happens to Redis, and no answer is something else than what was stored. */
export function noFailure(history: readonly HistoryRecord[]): Violation[] {
  return ofKind(history, 'failure').map(({ inst, what }) => ({ check: 'errors', what: `${inst}: ${what}` }));
}

/** For each key the highest version that was confirmed as the least to be seen, as time goes on. */
export class Floors {
  readonly #byEnd: InvalidationRecord[];
  readonly #highest: InvalidationRecord[] = [];

  constructor(invalidations: readonly InvalidationRecord[]) {
    this.#byEnd = [...invalidations].sort((a, b) => a.end - b.end);
    for (const inv of this.#byEnd) {
      const before = this.#highest.at(-1);
      this.#highest.push(before && before.version >= inv.version ? before : inv);
    }
  }

  /** Of those that had ended before `time` the one with the highest version. */
  before(time: number): InvalidationRecord | undefined {
    let [least, most] = [0, this.#byEnd.length];
    while (least < most) {
      const middle = (least + most) >> 1;
      if (this.#byEnd[middle]!.end < time) least = middle + 1;
      else most = middle;
    }
    return this.#highest[least - 1];
  }

  /** The first that had ended before `time` and asks for more than `version`. */
  firstAbove(version: number, time: number): InvalidationRecord | undefined {
    return this.#byEnd.find(inv => inv.version > version && inv.end < time);
  }
}

export function floorsBy(
  invalidations: readonly InvalidationRecord[],
  nameOf: (inv: InvalidationRecord) => string,
): Map<string, Floors> {
  return new Map([...groupBy(invalidations, nameOf)].map(([name, group]) => [name, new Floors(group)]));
}

export function confirmed(history: readonly HistoryRecord[]): InvalidationRecord[] {
  return ofKind(history, 'inv').filter(inv => inv.acked);
}

function latestVersions(history: readonly HistoryRecord[]): Map<string, number> {
  const latest = new Map<string, number>();
  for (const { key, version } of ofKind(history, 'commit')) {
    latest.set(key, Math.max(version, latest.get(key) ?? 0));
  }
  return latest;
}

function violation(check: string, read: ReadRecord, floor: InvalidationRecord): Violation {
  return {
    check,
    key: read.key,
    at: read.start,
    what:
      `${describe(read)} ${ms(read.start - floor.end)} after ${floor.inst} had invalidated it for v${floor.version} ` +
      `by ${floor.how} (at ${floor.end.toFixed(1)})`,
  };
}

function describe(read: ReadRecord): string {
  return `${read.inst} read ${read.key} v${read.version} from ${read.via} at ${read.start.toFixed(1)}`;
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}
