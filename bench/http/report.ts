import { contenders, type Contender } from './servers';

export interface Measurement {
  readonly contender: Contender;
  readonly status: 200 | 304;
  readonly connections: number;
  /** One a round. */
  readonly perSecond: readonly number[];
  /** Microseconds of the server's own work for one answer, one a round. */
  readonly cpuUs: readonly number[];
}

export interface Circumstances {
  readonly node: string;
  readonly cpus: number;
  readonly rounds: number;
  readonly durationMs: number;
}

const titles: Readonly<Record<Contender, string>> = {
  node: 'bare `node:http`',
  fields: '`node:http` with the fields of a cache',
  nest: 'plain Nest controller',
  peer: '`@nestjs/cache-manager`, hit',
  normal: 'ours, normal way, hit',
  fast: 'ours, fast way, hit',
};

/** What we claim: how many times another one. At 64 connections, as the comparison that it comes from. */
const claims: readonly { of: Contender; over: Contender; atLeast: number }[] = [
  { of: 'fast', over: 'node', atLeast: 0.85 },
  { of: 'fast', over: 'fields', atLeast: 0.85 },
  { of: 'fast', over: 'peer', atLeast: 8 },
  { of: 'normal', over: 'peer', atLeast: 1.2 },
];
const claimedAt = 64;

interface Spread {
  readonly median: number;
  /** The first and the third quartile. */
  readonly low: number;
  readonly high: number;
}

interface Ratios {
  readonly rate: Spread;
  readonly work: Spread;
}

/** The value below which this part of the others lies, with a straight line between neighbours. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * part;
  const [low, high] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!];
  return low + (high - low) * (at - Math.floor(at));
}

const median = (values: readonly number[]): number => quantile(values, 0.5);
const spreadOf = (values: readonly number[]): Spread => ({
  median: median(values),
  low: quantile(values, 0.25),
  high: quantile(values, 0.75),
});
const text = ({ median: middle, low, high }: Spread): string =>
  `${middle.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;

/** The table of medians and ratios, and whether each claim is reached. */
export function report(
  measurements: readonly Measurement[],
  how: Circumstances,
): { markdown: string; json: object } {
  const found = (of: Contender, status: number, connections: number): Measurement =>
    measurements.find(
      each => each.contender === of && each.status === status && each.connections === connections,
    )!;
  const ratios = (of: Contender, over: Contender, status: number, connections: number): Ratios => {
    const [own, other] = [found(of, status, connections), found(over, status, connections)];
    return {
      rate: spreadOf(own.perSecond.map((rate, round) => rate / other.perSecond[round]!)),
      // The server's own work, which does not depend on how fast the load could ask.
      work: spreadOf(own.cpuUs.map((us, round) => other.cpuUs[round]! / us)),
    };
  };
  const cells = measurements
    .filter(each => each.contender === 'node')
    .map(({ status, connections }) => ({ status, connections }));
  const lines = [
    '# HTTP hits',
    '',
    `2 KB of JSON, Node ${how.node}, ${how.cpus} cores shared by server and load, ${how.rounds} rounds of ${how.durationMs} ms a contender, which take turns.`,
    'A ratio compares two contenders of one round, as neighbours on a shared machine; given are the median of the rounds and, in brackets, the middle half of them.',
    'The requests a second are this machine’s and mean nothing elsewhere.',
    '',
    '| status | connections | contender | requests/s | × `node:http` | × `@nestjs/cache-manager` | server µs an answer | × `node:http` in work |',
    '| --: | --: | --- | --: | --: | --: | --: | --: |',
  ];
  for (const { status, connections } of cells) {
    for (const contender of contenders) {
      const own = found(contender, status, connections);
      const toNode = ratios(contender, 'node', status, connections);
      const toPeer = ratios(contender, 'peer', status, connections);
      lines.push(
        `| ${status} | ${connections} | ${titles[contender]} | ${Math.round(median(own.perSecond)).toLocaleString('en')} | ${text(toNode.rate)} | ${text(toPeer.rate)} | ${median(own.cpuUs).toFixed(1)} | ${text(toNode.work)} |`,
      );
    }
  }
  const reached = [200, 304].flatMap(status =>
    claims.map(({ of, over, atLeast }) => {
      const { rate, work } = ratios(of, over, status, claimedAt);
      return {
        status,
        of,
        over,
        atLeast,
        rate,
        work,
        reached: rate.median >= atLeast,
        reachedInWork: work.median >= atLeast,
      };
    }),
  );
  lines.push(
    '',
    `## Reach, at ${claimedAt} connections`,
    '',
    '| status | claim | in requests/s | reached | in work | reached |',
    '| --: | --- | --: | --- | --: | --- |',
  );
  for (const { status, of, over, atLeast, rate, work, reached: is, reachedInWork } of reached)
    lines.push(
      `| ${status} | ${titles[of]} ≥ ${atLeast} × ${titles[over]} | ${text(rate)} | ${is ? 'yes' : 'no'} | ${text(work)} | ${reachedInWork ? 'yes' : 'no'} |`,
    );
  return { markdown: `${lines.join('\n')}\n`, json: { how, measurements, reached } };
}
