import { Standby } from '../measure/children';
import type { Bench, Question } from '../measure/question';
import { ratio, type Answer } from '../measure/report';

/** What statistics and the doctor's sample add to a hit in memory. Two processes, because the code is compiled for what it does. */
export const question: Question = { title: 'What counting adds to an L1 hit', ask };

const kinds = ['bare', 'counted'] as const;

async function ask({ redis, short }: Bench): Promise<Answer[]> {
  const children = new Map<string, Standby>();
  for (const kind of kinds) children.set(kind, await Standby.start('hit-loop', [kind, redis]));
  const values = new Map<string, number[]>(kinds.map(kind => [kind, []]));
  // Short turns side by side: a slow moment of the machine is in both.
  const rounds = short ? 5 : 101;
  for (let round = -5; round < rounds; round += 1)
    for (const kind of round % 2 === 0 ? kinds : [...kinds].reverse()) {
      const { us } = await children.get(kind)!.ask<{ us: number }>({ times: 60_000 });
      if (round >= 0) values.get(kind)!.push(us);
    }
  for (const child of children.values()) await child.end();
  const measured = kinds.map(name => ({ name, values: values.get(name)! }));
  return [
    {
      what: 'an awaited hit, 3 tags',
      unit: 'µs',
      measured,
      claims: [
        { what: 'counted ≤ 1.05 × not counted', value: ratio(measured, 'counted', 'bare'), atMost: 1.05 },
      ],
    },
  ];
}
