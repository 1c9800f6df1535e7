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
  nest: 'plain Nest controller',
  peer: '`@nestjs/cache-manager`, hit',
  normal: 'ours, normal way, hit',
  fast: 'ours, fast way, hit',
};

/** What we claim: how many times another one. At 64 connections, as the comparison that it comes from. */
const claims: readonly { of: Contender; over: Contender; atLeast: number }[] = [
  { of: 'fast', over: 'node', atLeast: 0.85 },
  { of: 'fast', over: 'peer', atLeast: 8 },
  { of: 'normal', over: 'peer', atLeast: 1.2 },
];
const claimedAt = 64;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The table of medians and ratios, and whether each claim is reached. */
export function report(
  measurements: readonly Measurement[],
  how: Circumstances,
): { markdown: string; json: object } {
  const found = (of: Contender, status: number, connections: number): Measurement =>
    measurements.find(
      each => each.contender === of && each.status === status && each.connections === connections,
    )!;
  const rate = (...cell: Parameters<typeof found>): number => median(found(...cell).perSecond);
  const work = (...cell: Parameters<typeof found>): number => median(found(...cell).cpuUs);
  const cells = measurements
    .filter(each => each.contender === 'node')
    .map(({ status, connections }) => ({ status, connections }));
  const lines = [
    '# HTTP hits',
    '',
    `2 KB of JSON, Node ${how.node}, ${how.cpus} cores shared by server and load, ${how.rounds} interleaved rounds of ${how.durationMs} ms, medians.`,
    'Ratios to bare `node:http` and to `@nestjs/cache-manager`; the requests a second are this machine’s and mean nothing elsewhere.',
    '',
    '| status | connections | contender | requests/s | × `node:http` | × `@nestjs/cache-manager` | server µs an answer | × `node:http` in work |',
    '| --: | --: | --- | --: | --: | --: | --: | --: |',
  ];
  for (const { status, connections } of cells) {
    for (const contender of contenders) {
      const own = rate(contender, status, connections);
      const ratio = (over: Contender): string => (own / rate(over, status, connections)).toFixed(2);
      lines.push(
        `| ${status} | ${connections} | ${titles[contender]} | ${Math.round(own).toLocaleString('en')} | ${ratio('node')} | ${ratio('peer')} | ${work(contender, status, connections).toFixed(1)} | ${(work('node', status, connections) / work(contender, status, connections)).toFixed(2)} |`,
      );
    }
  }
  const reached = [200, 304].flatMap(status =>
    claims.map(({ of, over, atLeast }) => {
      const ratio = rate(of, status, claimedAt) / rate(over, status, claimedAt);
      // The same in the server's own work, which does not depend on how fast the load could ask.
      const inWork = work(over, status, claimedAt) / work(of, status, claimedAt);
      const rounded = { ratio: Number(ratio.toFixed(3)), inWork: Number(inWork.toFixed(3)) };
      return {
        status,
        of,
        over,
        atLeast,
        ...rounded,
        reached: ratio >= atLeast,
        reachedInWork: inWork >= atLeast,
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
  for (const { status, of, over, atLeast, ratio, inWork, reached: is, reachedInWork } of reached)
    lines.push(
      `| ${status} | ${titles[of]} ≥ ${atLeast} × ${titles[over]} | ${ratio.toFixed(2)} | ${is ? 'yes' : 'no'} | ${inWork.toFixed(2)} | ${reachedInWork ? 'yes' : 'no'} |`,
    );
  return { markdown: `${lines.join('\n')}\n`, json: { how, measurements, reached } };
}
