import { Packr } from 'msgpackr';
import { definePolicy, type CachePolicy, type TieredCache } from '../../src/cache';
import { StoredResponse, storedResponseSerializer } from '../../src/cache/http';
import { keyAt, keyCount } from '../measure/loops';
import { openCache } from '../measure/ours';
import { agentsOf } from '../measure/payload';
import { openPeer, type PeerName } from '../measure/peers';
import type { Bench, Question } from '../measure/question';
import { race, type Contender, type Measured } from '../measure/race';
import { bestOf, ratio, type Answer, type Claim } from '../measure/report';
import { plainClient } from '../measure/server';

/** Reads that memory has not: one after the other, and several at once. */
export const question: Question = { title: 'L2 hit', ask };

const peerNames: readonly PeerName[] = [
  'async-cache-dedupe',
  'layered-loader',
  'bentocache',
  'cache-manager',
  'cacheable',
];
const parsed = 'ioredis getBuffer and JSON.parse';
const keys = Array.from({ length: keyCount }, (_, at) => keyAt(at));

type Read = (key: string) => Promise<unknown>;

async function ask(bench: Bench): Promise<Answer[]> {
  let loads = 0;
  const load = (key: string): Promise<unknown> => {
    loads += 1;
    return Promise.resolve(agentsOf(Number(key.split('|')[1])));
  };
  const client = await plainClient(bench.redis);
  for (const key of keys) await client.set(`plain:${key}`, JSON.stringify(await load(key)));
  const packr = new Packr();
  for (const key of keys) await client.set(`packed:${key}`, packr.pack(await load(key)));
  const reads: [string, Read][] = [
    ['ioredis getBuffer', key => client.getBuffer(`plain:${key}`)],
    [parsed, async key => JSON.parse((await client.getBuffer(`plain:${key}`))!.toString()) as unknown],
    ['MGET of a tick and msgpackr', coalesced(keys => client.mgetBuffer(keys), packr)],
  ];
  const ours = await openCache(bench.redis);
  const values = definePolicy('values', { ttlMs: 3_600_000, jitter: 0, tier: 'redis', tags: ['agents'] });
  const bodies = definePolicy('bodies', { ...values, serializer: storedResponseSerializer });
  reads.push(await oursFilled('ours, decoded', ours, values, load));
  reads.push(
    await oursFilled('ours, bytes', ours, bodies, async key =>
      StoredResponse.of({
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: Buffer.from(JSON.stringify(await load(key))),
      }),
    ),
  );
  const opened = [];
  for (const name of peerNames) {
    const peer = await openPeer(name, { socket: bench.redis, memory: false, load });
    opened.push(peer);
    for (const key of keys) await peer.read(key);
    reads.push([name, key => Promise.resolve(peer.get(key))]);
  }
  loads = 0;
  const answers: Answer[] = [];
  for (const atOnce of [1, 32, 256]) {
    const contenders = reads.map(([name, read]): Contender => ({
      name,
      operations: atOnce,
      run: async times => {
        const missing = await readAtOnce(read, atOnce, times);
        if (missing > 0 || loads > 0)
          throw new Error(`${name}: ${missing} reads found nothing, ${loads} loads`);
      },
    }));
    const measured = await race(contenders, bench);
    answers.push({
      what: `${atOnce} at once`,
      unit: 'µs',
      measured,
      over: parsed,
      claims: claimsOf(measured, atOnce),
    });
  }
  client.disconnect();
  for (const peer of opened) await peer.close();
  await ours.close();
  return answers;
}

/** Rates are the reverse of times: 1.5 times as many is at most 1 / 1.5 of the time. */
function claimsOf(measured: readonly Measured[], atOnce: number): Claim[] {
  if (atOnce === 1)
    return [
      {
        what: 'ours, decoded: no slower than getBuffer and JSON.parse',
        value: ratio(measured, 'ours, decoded', parsed),
        atMost: 1,
      },
    ];
  const best = bestOf(measured, peerNames);
  return [
    {
      what: `ours, decoded: ≥ 1.5 × the rate of the best peer (${best})`,
      value: ratio(measured, best, 'ours, decoded'),
      atLeast: 1.5,
    },
    {
      what: 'ours, decoded: ≥ 0.85 × the rate of getBuffer and JSON.parse',
      value: ratio(measured, parsed, 'ours, decoded'),
      atLeast: 0.85,
    },
    {
      what: 'ours, bytes: ≥ 1.2 × the rate of getBuffer',
      value: ratio(measured, 'ioredis getBuffer', 'ours, bytes'),
      atLeast: 1.2,
    },
  ];
}

async function readAtOnce(read: Read, atOnce: number, times: number): Promise<number> {
  let missing = 0;
  for (let time = 0; time < times; time += 1) {
    const first = (time * atOnce * 37) & (keyCount - 1);
    const found = await Promise.all(
      Array.from({ length: atOnce }, (_, at) => read(keys[(first + at) & (keyCount - 1)]!)),
    );
    for (const value of found) if (value === undefined || value === null) missing += 1;
  }
  return missing;
}

async function oursFilled(
  name: string,
  cache: TieredCache,
  policy: CachePolicy,
  load: (key: string) => Promise<unknown>,
): Promise<[string, Read]> {
  const options = { policy };
  const prefixed = new Map(keys.map(key => [key, `${policy.name}:${key}`]));
  for (const key of keys) await cache.getOrSet(prefixed.get(key)!, () => load(key), options);
  const loader = (): Promise<unknown> => load('|0');
  return [name, key => cache.getOrSet(prefixed.get(key)!, loader, options)];
}

/** The least that reads of one tick can cost: one MGET, and msgpackr. */
function coalesced(mget: (keys: string[]) => Promise<(Buffer | null)[]>, packr: Packr): Read {
  let waiting: { key: string; resolve(value: unknown): void; reject(error: unknown): void }[] = [];
  const send = (): void => {
    const asked = waiting;
    waiting = [];
    mget(asked.map(one => `packed:${one.key}`)).then(
      found => asked.forEach((one, at) => one.resolve(packr.unpack(found[at]!))),
      (error: unknown) => asked.forEach(one => one.reject(error)),
    );
  };
  return key =>
    new Promise((resolve, reject) => {
      if (waiting.push({ key, resolve, reject }) === 1) process.nextTick(send);
    });
}
