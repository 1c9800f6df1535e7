import { Standby } from '../measure/children';
import { median } from '../measure/median';
import type { PeerName } from '../measure/peers';
import type { Bench, Question } from '../measure/question';
import type { Measured } from '../measure/race';
import type { Answer } from '../measure/report';

/** A thousand callers in four processes want one key that is not there; its loader takes 50 ms. */
export const question: Question = { title: 'Stampede', ask };

const processes = 4;
const callers = 250;
const loaderMs = 50;
const names: readonly (PeerName | 'ours')[] = [
  'ours',
  'bentocache',
  'layered-loader',
  'cacheable',
  'async-cache-dedupe',
];

async function ask({ redis, short }: Bench): Promise<Answer[]> {
  const rounds = short ? 3 : 21;
  const loads: Measured[] = [];
  const times: Measured[] = [];
  for (const name of names) {
    const instances = await Promise.all(
      Array.from({ length: processes }, () => Standby.start('instance', [name, redis])),
    );
    const [loadsOf, timesOf]: [number[], number[]] = [[], []];
    for (let round = -2; round < rounds; round += 1) {
      const atNs = String(process.hrtime.bigint() + 30_000_000n);
      const results = await Promise.all(
        instances.map(instance =>
          instance.ask<{ loads: number; ms: number }>({
            key: `stampede|${name}|${round}`,
            callers,
            atNs,
          }),
        ),
      );
      if (round < 0) continue;
      loadsOf.push(results.reduce((total, each) => total + each.loads, 0));
      timesOf.push(Math.max(...results.map(({ ms }) => ms)));
    }
    for (const instance of instances) await instance.end();
    loads.push({ name, values: loadsOf });
    times.push({ name, values: timesOf });
  }
  const [ourLoads, ourTimes] = [loads[0]!.values, times[0]!.values];
  return [
    {
      what: `runs of the loader, for ${processes} × ${callers} callers`,
      unit: 'loads',
      measured: loads,
      claims: [{ what: 'ours: one load, in every round', value: Math.max(...ourLoads), atMost: 1 }],
    },
    {
      what: 'until the last caller has the value',
      unit: 'ms',
      measured: times,
      claims: [{ what: `ours: at most ${loaderMs} + 30 ms`, value: median(ourTimes), atMost: loaderMs + 30 }],
    },
  ];
}
