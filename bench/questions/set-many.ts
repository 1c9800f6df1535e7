import { definePolicy } from '../../src/cache';
import { keyAt } from '../measure/loops';
import { openCache } from '../measure/ours';
import { agentsOf } from '../measure/payload';
import { openPeer, type PeerName } from '../measure/peers';
import type { Bench, Question } from '../measure/question';
import { race, type Contender } from '../measure/race';
import { ratio, type Answer } from '../measure/report';
import { plainClient } from '../measure/server';

/** A hundred values set in one call. */
export const question: Question = { title: 'Set of 100 keys', ask };

const count = 100;
const entries = Array.from({ length: count }, (_, at) => [keyAt(at), agentsOf(at)] as const);
const floor = 'pipeline of SET PX and JSON.stringify';
const ttlMs = 3_600_000;
const peerNames: readonly PeerName[] = ['layered-loader', 'bentocache', 'cache-manager', 'cacheable'];

type Entries = typeof entries;

async function ask(bench: Bench): Promise<Answer[]> {
  const client = await plainClient(bench.redis);
  const texts = entries.map(([key, value]) => [key, JSON.stringify(value)] as const);
  const pipeline = async (all: readonly (readonly [string, string])[]): Promise<void> => {
    const commands = client.pipeline();
    for (const [key, text] of all) commands.set(`plain:${key}`, text, 'PX', ttlMs);
    for (const [error] of (await commands.exec())!) if (error) throw error;
  };
  const ours = await openCache(bench.redis);
  const policy = definePolicy('sets', { ttlMs, jitter: 0, tags: ['agents'] });
  const contenders = [
    contender('pipeline of SET PX', () => pipeline(texts)),
    contender(floor, all => pipeline(all.map(([key, value]) => [key, JSON.stringify(value)] as const))),
    contender('ours', async all => {
      const { applied } = await ours.setMany(all, { policy });
      if (!applied) throw new Error('ours: not all were stored');
    }),
  ];
  const opened = [];
  for (const name of peerNames) {
    const peer = await openPeer(name, { socket: bench.redis, load: () => Promise.resolve(undefined) });
    opened.push(peer);
    const setMany =
      peer.setMany ?? ((all: Entries) => Promise.all(all.map(([key, value]) => peer.set!(key, value))));
    contenders.push(contender(name, setMany));
  }
  const measured = await race(contenders, bench);
  client.disconnect();
  for (const peer of opened) await peer.close();
  await ours.close();
  return [
    {
      what: `${count} values of 2 KB`,
      unit: 'µs a call',
      measured,
      over: floor,
      claims: [
        { what: 'ours ≤ 1.5 × pipeline and encode', value: ratio(measured, 'ours', floor), atMost: 1.5 },
      ],
    },
  ];
}

function contender(name: string, set: (all: Entries) => Promise<unknown>): Contender {
  return {
    name,
    run: async times => {
      for (let time = 0; time < times; time += 1) await set(entries);
    },
  };
}
