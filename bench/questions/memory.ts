import { askProcess } from '../measure/children';
import type { Bench, Question } from '../measure/question';
import type { Measured } from '../measure/race';
import { ratio, type Answer } from '../measure/report';

/** What an entry costs beside its key and its value, in a store that is full and in one through which many have gone. */
export const question: Question = { title: 'Memory', ask };

const names = ['Map', 'lru-cache', 'ours, store', 'ours, cache', 'BentoCache'];

interface Filled {
  readonly bytesPerEntry: number;
  readonly longestPauseMs: number;
  readonly growth: number;
}

async function ask({ short }: Bench): Promise<Answer[]> {
  const rounds = short ? 1 : 3;
  const answers: Answer[] = [];
  for (const entries of short ? [100_000] : [100_000, 1_000_000]) {
    const filled = await fillEach(names, entries, entries, rounds);
    const measured = measuredOf(filled, ({ bytesPerEntry }) => bytesPerEntry);
    answers.push({
      what: `${entries.toLocaleString('en')} entries`,
      unit: 'bytes an entry',
      measured,
      over: 'lru-cache',
      claims: [
        {
          what: 'our store ≤ 1.15 × lru-cache, both with expiry and sizes',
          value: ratio(measured, 'ours, store', 'lru-cache'),
          atMost: 1.15,
        },
      ],
    });
  }
  return [...answers, ...(await churn(short ? 200_000 : 1_000_000, rounds))];
}

/** A million keys through room for ten thousand. */
async function churn(keys: number, rounds: number): Promise<Answer[]> {
  const filled = await fillEach(['lru-cache', 'ours, store', 'ours, cache'], keys, 10_000, rounds);
  const pauses = measuredOf(filled, ({ longestPauseMs }) => longestPauseMs);
  const growth = measuredOf(filled, each => each.growth);
  const longest = (name: string): number => Math.max(...pauses.find(each => each.name === name)!.values);
  const what = `${keys.toLocaleString('en')} keys through room for 10,000`;
  return [
    {
      what: `${what}: longest pause for garbage`,
      unit: 'ms',
      measured: pauses,
      over: 'lru-cache',
      claims: [
        {
          what: 'our cache: no pause over 50 ms that lru-cache does not have',
          value: longest('ours, cache') - Math.max(50, longest('lru-cache')),
          atMost: 0,
        },
      ],
    },
    {
      what: `${what}: size of the process at the end, over that at half the keys`,
      unit: '×',
      measured: growth,
      over: 'lru-cache',
      claims: [
        {
          what: 'our cache: a plateau',
          value: Math.max(...growth.find(({ name }) => name === 'ours, cache')!.values),
          atMost: 1.15,
        },
      ],
    },
  ];
}

async function fillEach(
  of: readonly string[],
  keys: number,
  room: number,
  rounds: number,
): Promise<Map<string, Filled[]>> {
  const filled = new Map<string, Filled[]>(of.map(name => [name, []]));
  for (let round = 0; round < rounds; round += 1)
    for (const name of of)
      filled.get(name)!.push(await askProcess<Filled>('fill', [name, String(keys), String(room)]));
  return filled;
}

function measuredOf(filled: ReadonlyMap<string, Filled[]>, value: (each: Filled) => number): Measured[] {
  return [...filled].map(([name, all]) => ({ name, values: all.map(value) }));
}
