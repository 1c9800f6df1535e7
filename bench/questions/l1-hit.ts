import type { Redis } from 'ioredis';
import { definePolicy } from '../../src/cache';
import { builtKeys, keyAt, keyCount, readyKeys } from '../measure/loops';
import { gateOpened, openCache } from '../measure/ours';
import { agentsOf } from '../measure/payload';
import { openPeer, type PeerName, type PeerOptions } from '../measure/peers';
import type { Bench, Question } from '../measure/question';
import { race, type Contender } from '../measure/race';
import { ratio, type Answer } from '../measure/report';
import { commandsOf, plainClient } from '../measure/server';

const tags = ['agents', 'api', 'fleet'];
const own = 'ours, 3 tags';
const bentoTagged = 'BentoCache, 3 tags';

/** What an awaited hit in memory costs, with the key put together for each read and ready-made; and that it asks Redis nothing. */
export const question: Question = { title: 'L1 hit', ask };

async function ask(bench: Bench): Promise<Answer[]> {
  const keys = Array.from({ length: keyCount }, (_, at) => keyAt(at));
  let loads = 0;
  const load = (key: string): Promise<unknown> => {
    loads += 1;
    return Promise.resolve(agentsOf(Number(key.split('|')[1])));
  };
  const ours = await openCache(bench.redis);
  const policy = definePolicy('bench', { ttlMs: 3_600_000, jitter: 0, tags });
  const options = { policy };
  const loader = (): Promise<unknown> => load('|0');
  const map = new Map<string, unknown>();
  for (const key of keys) map.set(key, agentsOf(0));
  // As a caller writes it.
  // eslint-disable-next-line @typescript-eslint/require-await
  const overMap = async (key: string): Promise<unknown> => map.get(key) ?? loader();

  const reads: [name: string, read: (key: string) => unknown][] = [
    ['Map.get, awaited', key => map.get(key)],
    ['async over a Map', overMap],
    [own, key => ours.getOrSet(key, loader, options)],
  ];
  const peers: [string, PeerName, Partial<PeerOptions>][] = [
    ['lru-cache fetch', 'lru-cache', {}],
    ['layered-loader', 'layered-loader', {}],
    ['cache-manager get', 'cache-manager', {}],
    ['cacheable get', 'cacheable', {}],
    [bentoTagged, 'bentocache', { tags }],
    ['BentoCache, JSON in L1', 'bentocache', { jsonInMemory: true }],
  ];
  const opened = [];
  for (const [title, name, extra] of peers) {
    const peer = await openPeer(name, { ...extra, load });
    opened.push(peer);
    for (const key of keys) await peer.read(key);
    reads.push([title, key => peer.get(key)]);
  }
  await fillOurs(keys, key => ours.getOrSet(key, () => load(key), options));

  const client = await plainClient(bench.redis);
  await onlyHeartbeats(client);
  loads = 0;
  const hitsOfOurs = (): number => ours.stats().tiers.l1.hits;
  const cases = [
    ['key built for each read', builtKeys],
    ['key ready-made', readyKeys],
  ] as const;
  const answers: Answer[] = [];
  for (const [what, loopOf] of cases) {
    const contenders = reads.map(([name, read]): Contender => {
      const loop = loopOf(`${name}, ${what}`);
      return {
        name,
        ...(name === own && { ready: () => gateOpened(ours) }),
        run: async times => {
          const hitsBefore = hitsOfOurs();
          const missing = await loop(read, keys, times);
          if (missing > 0 || loads > 0)
            throw new Error(`${name}: ${missing} reads found nothing, ${loads} loads`);
          const hits = hitsOfOurs() - hitsBefore;
          if (hits !== (name === own ? times : 0)) throw new Error(`${name}: ${hits} of ${times} were hits`);
        },
      };
    });
    const before = await commandsOf(client);
    const measured = await race(contenders, bench);
    const commands = (await commandsOf(client)) - before;
    answers.push({
      what,
      unit: 'µs',
      measured,
      over: 'lru-cache fetch',
      claims: [
        {
          what: 'ours ≤ lru-cache fetch',
          value: ratio(measured, own, 'lru-cache fetch'),
          atMost: 1,
        },
        {
          what: 'BentoCache with 3 tags ≥ 20 × ours',
          value: ratio(measured, bentoTagged, own),
          atLeast: 20,
        },
        { what: 'commands at Redis', value: commands, atMost: 0 },
      ],
    });
  }
  client.disconnect();
  for (const peer of opened) await peer.close();
  await ours.close();
  return answers;
}

/** Until every read is a hit: what this instance has filled itself, it is told of, and reads once more. */
async function fillOurs(keys: readonly string[], read: (key: string) => Promise<unknown>): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    await Promise.all(keys.map(read));
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

/** Canaries are set the first time, and from then on touched by heartbeats. */
async function onlyHeartbeats(client: Redis): Promise<void> {
  for (let before = -1, now = 0; now !== before;) {
    before = now;
    await new Promise(resolve => setTimeout(resolve, 2_000));
    now = await commandsOf(client);
  }
}
