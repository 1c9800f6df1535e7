import {
  policyAt,
  policyRowLength,
  processAt,
  processRowLength,
  sumOfRows,
  type PolicyField,
  type ProcessField,
} from './counters';
import { statisticsOfRows, type CacheStatistics, type StatisticsRows } from './stats';
import { statsWindows, type StatsWindow } from './windows';

/** The counts of one instance under their names, those that are not 0: instances of two versions understand each other. */
interface NamedCounts {
  readonly process: Partial<Record<ProcessField, number>>;
  readonly policies: Record<string, Partial<Record<PolicyField, number>>>;
}

/** What an instance tells the others of its counts. */
export interface StatsShare {
  readonly uptimeMs: number;
  readonly entries: number;
  readonly bytes: number;
  readonly windows: Readonly<Record<StatsWindow, NamedCounts & { readonly windowMs: number }>>;
}

export function shareOf(
  rowsOf: (window: StatsWindow) => StatisticsRows,
  windowMsOf: (window: StatsWindow) => number,
  near: Pick<StatsShare, 'entries' | 'bytes' | 'uptimeMs'>,
): StatsShare {
  const windows = Object.fromEntries(
    statsWindows.map(window => {
      const { process, policies } = rowsOf(window);
      const named = {
        windowMs: windowMsOf(window),
        process: withNames(process, processAt),
        policies: Object.fromEntries(
          Object.entries(policies).map(([name, row]) => [name, withNames(row, policyAt)]),
        ),
      };
      return [window, named];
    }),
  ) as Record<StatsWindow, NamedCounts & { windowMs: number }>;
  return { uptimeMs: near.uptimeMs, entries: near.entries, bytes: near.bytes, windows };
}

/** The share behind a text; undefined when it is none, as one of an instance with another format may be. */
export function parseShare(text: string): StatsShare | undefined {
  try {
    const share: unknown = JSON.parse(text);
    return isShare(share) ? share : undefined;
  } catch {
    return undefined;
  }
}

/** The counts of several instances as if they were one. The window is the longest that any of them covers. */
export function statisticsOfShares(shares: readonly StatsShare[], window: StatsWindow): CacheStatistics {
  const counts = shares.map(({ windows }) => windows[window]);
  const names = new Set(counts.flatMap(({ policies }) => Object.keys(policies)));
  const policies: Record<string, number[]> = {};
  for (const name of names) {
    const rows = counts.map(each => rowOf(each.policies[name] ?? {}, policyAt, policyRowLength));
    policies[name] = [...sumOfRows(rows, policyRowLength)];
  }
  const process = sumOfRows(
    counts.map(each => rowOf(each.process, processAt, processRowLength)),
    processRowLength,
  );
  const { evictions, ...counted } = statisticsOfRows({ process: [...process], policies });
  const { l1, l2 } = counted.totals;
  const sum = (of: (share: StatsShare) => number): number =>
    shares.reduce((total, share) => total + of(share), 0);
  return {
    uptimeMs: Math.max(0, ...shares.map(share => share.uptimeMs)),
    windowMs: Math.max(0, ...counts.map(({ windowMs }) => windowMs)),
    ...counted,
    tiers: {
      l1: { ...l1, evictions, entries: sum(share => share.entries), bytes: sum(share => share.bytes) },
      l2,
    },
  };
}

function withNames<F extends string>(
  row: readonly number[],
  places: Readonly<Record<F, number>>,
): Partial<Record<F, number>> {
  const named: Partial<Record<F, number>> = {};
  for (const field of Object.keys(places) as F[]) {
    const count = row[places[field]]!;
    if (count !== 0) named[field] = count;
  }
  return named;
}

function rowOf<F extends string>(
  named: Partial<Record<F, number>>,
  places: Readonly<Record<F, number>>,
  length: number,
): Float64Array {
  const row = new Float64Array(length);
  for (const field of Object.keys(places) as F[]) row[places[field]] = named[field] ?? 0;
  return row;
}

function isShare(share: unknown): share is StatsShare {
  if (!isRecord(share) || !isRecord(share['windows'])) return false;
  const { uptimeMs, entries, bytes, windows } = share;
  return (
    [uptimeMs, entries, bytes].every(isCount) && statsWindows.every(window => isNamedCounts(windows[window]))
  );
}

function isNamedCounts(counts: unknown): boolean {
  if (!isRecord(counts) || !isCount(counts['windowMs'])) return false;
  const { process, policies } = counts;
  return isCounts(process) && isRecord(policies) && Object.values(policies).every(isCounts);
}

function isCounts(counts: unknown): boolean {
  return isRecord(counts) && Object.values(counts).every(isCount);
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
