import { Standby } from '../measure/children';
import type { Bench, Question } from '../measure/question';
import { ratio, type Answer } from '../measure/report';

/** What statistics and the doctor's sample add to a hit in memory. Two processes, because the code is compiled for what it does. */
export const question: Question = { title: 'What counting adds to an L1 hit', ask };

const kinds = ['bare', 'counted'] as const;

/**
 * What V8 makes of the code, and where it puts things, differs between two starts by more than what is asked for: so many pairs
 * of processes are started anew.
 */
const starts = 7;
const roundsOfStart = 15;
/**
 * Reads of a turn. After the turn of the other and a collection the caches of the processor are cold, and whatever is done by
 * time is due at once: with short turns that would be most of what is measured, and no reader meets it.
 */
const times = 400_000;

async function ask({ redis, short }: Bench): Promise<Answer[]> {
  const values = new Map<string, number[]>(kinds.map(kind => [kind, []]));
  for (let start = 0; start < (short ? 1 : starts); start += 1)
    await race(redis, short ? 5 : roundsOfStart, values);
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

/** Turns side by side: a slow moment of the machine is in both. */
async function race(redis: string, rounds: number, values: ReadonlyMap<string, number[]>): Promise<void> {
  const children = new Map<string, Standby>();
  for (const kind of kinds) children.set(kind, await Standby.start('hit-loop', [kind, redis]));
  for (let round = -3; round < rounds; round += 1)
    for (const kind of round % 2 === 0 ? kinds : [...kinds].reverse()) {
      const { us } = await children.get(kind)!.ask<{ us: number }>({ times });
      if (round >= 0) values.get(kind)!.push(us);
    }
  for (const child of children.values()) await child.end();
}
