import { sum } from '../hit-rate/workload';
import { background, type AskedByRoute } from './messages';
import type { Played } from './player';

/** One side of the comparison. */
export interface Side {
  readonly played: Played;
  readonly byRoute: AskedByRoute;
  /** What came to the server of the database. */
  readonly statements: number;
  /** What had been asked for when half of the plan was played, and requests by route until then. */
  readonly half: { readonly byRoute: AskedByRoute; readonly requests: Readonly<Record<string, number>> };
}

export interface RouteRow {
  readonly route: string;
  readonly requests: number;
  /** Without the cache and with it. */
  readonly queries: readonly [without: number, withIt: number];
  readonly ollama: readonly [without: number, withIt: number];
}

export interface Claim {
  readonly claim: string;
  readonly value: string;
  readonly reached: boolean;
}

/** What each route asked for on both sides, reads first; what no request asked for last. */
export function rowsOf(without: Side, withIt: Side): RouteRow[] {
  const routes = new Set([...Object.keys(without.played.requests), ...Object.keys(withIt.played.requests)]);
  const rank = (route: string): number => (route.startsWith('GET ') ? 0 : 1);
  const names = [...routes].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  return [...names, background].map(route => {
    const of = (what: 'queries' | 'ollama'): readonly [number, number] => [
      without.byRoute[route]?.[what] ?? 0,
      withIt.byRoute[route]?.[what] ?? 0,
    ];
    return {
      route,
      requests: withIt.played.requests[route] ?? 0,
      queries: of('queries'),
      ollama: of('ollama'),
    };
  });
}

/** Those of all reads together. */
export function readsOf(rows: readonly RouteRow[]): RouteRow {
  const reads = rows.filter(({ route }) => route.startsWith('GET '));
  const total = (what: 'queries' | 'ollama', at: 0 | 1): number => sum(reads.map(row => row[what][at]));
  return {
    route: 'all reads',
    requests: sum(reads.map(({ requests }) => requests)),
    queries: [total('queries', 0), total('queries', 1)],
    ollama: [total('ollama', 0), total('ollama', 1)],
  };
}

/** Those of all reads of the second half, which finds in the cache what the first has left. */
export function warmReadsOf(without: Side, withIt: Side): RouteRow {
  const whole = readsOf(rowsOf(without, withIt));
  const [firstWithout, firstWith] = [without, withIt].map(side => ({
    ...side,
    byRoute: side.half.byRoute,
    played: { ...side.played, requests: side.half.requests },
  })) as [Side, Side];
  const first = readsOf(rowsOf(firstWithout, firstWith));
  const less = (what: 'queries' | 'ollama'): readonly [number, number] => [
    whole[what][0] - first[what][0],
    whole[what][1] - first[what][1],
  ];
  return {
    route: 'all reads, second half',
    requests: whole.requests - first.requests,
    queries: less('queries'),
    ollama: less('ollama'),
  };
}

/** Share of what was asked for without the cache that was not asked for with it; null where nothing was. */
export function saved([without, withIt]: readonly [number, number]): number | null {
  return without === 0 ? null : 1 - withIt / without;
}

export function claimsOf(without: Side, withIt: Side): Claim[] {
  const failures = failuresOf(without) + failuresOf(withIt);
  const { staleness, revoked } = withIt.played;
  return [
    {
      claim: 'every statement that came to PostgreSQL is attributed',
      value: [without, withIt].map(side => `${attributed(side.byRoute)} of ${side.statements}`).join(', '),
      reached: [without, withIt].every(side => attributed(side.byRoute) === side.statements),
    },
    { claim: 'requests that failed: none', value: String(failures), reached: failures === 0 },
    {
      claim: 'versions older than an acknowledged write: none',
      value: `${staleness.olderHere} of ${staleness.judged}`,
      reached: staleness.olderHere === 0,
    },
    {
      claim: 'keys let in after their revocation: none',
      value: `${revoked.admitted} of ${revoked.tried}`,
      reached: revoked.admitted === 0,
    },
  ];
}

/** Statements of all routes together. */
export function attributed(byRoute: AskedByRoute): number {
  return sum(Object.values(byRoute).map(({ queries }) => queries));
}

function failuresOf({ played }: Side): number {
  return sum(Object.values(played.failures));
}

export function markdownOf(without: Side, withIt: Side, circumstances: string): string {
  const rows = rowsOf(without, withIt);
  const line = ({ route, requests, queries, ollama }: RouteRow): string =>
    `| ${[route, requests || '–', ...queries, percent(saved(queries)), ...ollama, percent(saved(ollama))].join(' | ')} |`;
  const times = ({ played }: Side): string =>
    `${played.p50Ms.toFixed(1)}, ${played.p99Ms.toFixed(1)} (begun late by at most ${played.lateP99Ms.toFixed(1)} ms in 99 % of cases)`;
  return `${[
    '# Origin load',
    '',
    circumstances,
    '',
    '| route | requests | queries without | with | saved | Ollama calls without | with | saved |',
    '| --- | --: | --: | --: | --: | --: | --: | --: |',
    ...rows.map(line),
    line({ ...readsOf(rows), route: '**all reads**' }),
    line({ ...warmReadsOf(without, withIt), route: '**all reads, second half**' }),
    '',
    '| claim | here | reached |',
    '| --- | --- | --- |',
    ...claimsOf(without, withIt).map(
      ({ claim, value, reached }) => `| ${claim} | ${value} | ${reached ? 'yes' : '**no**'} |`,
    ),
    '',
    '“Without” is the same application with every cache decorator of routes and methods taken out, before the same requests. Queries are',
    'the statements that went to PostgreSQL, pings of the checks of health among them, told apart by the request in whose context they',
    'were made, loads behind answers included; their sum is held against what a proxy in front of the server has seen. Writes ask for the',
    'same on both sides. Both begin with nothing cached, so that long lives show little of what they save in a run of this length; the',
    'second half finds what the first has left.',
    'Hardware and metrics ask this machine, and neither database nor Ollama.',
    '',
    `Reads, p50 and p99 in ms: without ${times(without)}; with ${times(withIt)}. Requests that failed: without ${failuresOf(without)},`,
    `with ${failuresOf(withIt)}.`,
  ].join('\n')}\n`;
}

function percent(share: number | null): string {
  return share === null ? '–' : `${(share * 100).toFixed(1)} %`.replace('-', '−');
}
