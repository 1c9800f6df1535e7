import { definePolicy } from '../../src/cache';
import { keyAt, keyCount, readyKeys } from '../measure/loops';
import { gateOpened, openCache } from '../measure/ours';
import { agentsOf } from '../measure/payload';
import { openPeer } from '../measure/peers';
import type { Bench, Question } from '../measure/question';
import { race, type Contender } from '../measure/race';
import { ratio, type Answer } from '../measure/report';

/** What three tags add to a hit in memory. */
export const question: Question = { title: 'What tags add to an L1 hit', ask };

const tags = ['agents', 'api', 'fleet'];
const keys = Array.from({ length: keyCount }, (_, at) => keyAt(at));

async function ask(bench: Bench): Promise<Answer[]> {
  let loads = 0;
  const load = (): Promise<unknown> => {
    loads += 1;
    return Promise.resolve(agentsOf(1));
  };
  const plain = definePolicy('plain', { ttlMs: 3_600_000, jitter: 0 });
  const tagged = definePolicy('tagged', { ttlMs: 3_600_000, jitter: 0, tags });
  const opened: { close(): Promise<unknown> }[] = [];
  const contenders: Contender[] = [];
  const add = async (
    name: string,
    read: (key: string) => unknown,
    ready?: () => Promise<void>,
  ): Promise<void> => {
    for (let round = 0; round < 3; round += 1) {
      await Promise.all(keys.map(key => read(key)));
      await new Promise(resolve => setTimeout(resolve, 50));
    }
    const loop = readyKeys(`tags, ${name}`);
    contenders.push({
      name,
      ...(ready && { ready }),
      run: async times => {
        const loadsBefore = loads;
        const missing = await loop(read, keys, times);
        if (missing > 0 || loads > loadsBefore) throw new Error(`${name}: not all were hits`);
      },
    });
  };
  for (const [name, policy] of [
    ['ours', plain],
    ['ours, 3 tags', tagged],
  ] as const) {
    // Apart from each other, so that neither makes the other's calls slower.
    const cache = await openCache(bench.redis, { namespace: `tags-${policy.name}` });
    opened.push(cache);
    const options = { policy };
    await add(
      name,
      key => cache.getOrSet(key, load, options),
      () => gateOpened(cache),
    );
  }
  for (const [name, given] of [
    ['BentoCache', {}],
    ['BentoCache, 3 tags', { tags }],
  ] as const) {
    const peer = await openPeer('bentocache', { ...given, load });
    opened.push(peer);
    await add(name, key => peer.get(key));
  }
  const measured = await race(contenders, bench);
  for (const one of opened) await one.close();
  return [
    {
      what: 'hit with and without 3 tags',
      unit: 'µs',
      measured,
      claims: [
        {
          what: 'ours: 3 tags ≤ 1.4 × untagged',
          value: ratio(measured, 'ours, 3 tags', 'ours'),
          atMost: 1.4,
        },
      ],
    },
  ];
}
