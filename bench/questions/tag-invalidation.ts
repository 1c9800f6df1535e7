import { definePolicy, type TieredCache } from '../../src/cache';
import { median } from '../measure/median';
import { openCache } from '../measure/ours';
import type { Bench, Question } from '../measure/question';
import { collectYoung, type Measured } from '../measure/race';
import { ratio, type Answer } from '../measure/report';
import { plainClient } from '../measure/server';
import type { Redis } from 'ioredis';

/** How long the invalidation of a tag takes that few or many entries carry. */
export const question: Question = { title: 'Invalidation of a tag', ask };

const memberCounts = [10, 1_000, 33_333];

async function ask(bench: Bench): Promise<Answer[]> {
  const counts = bench.short ? memberCounts.slice(0, 2) : memberCounts;
  const rounds = bench.short ? 2 : 5;
  const ours = await openCache(bench.redis, { l1MaxEntries: 50_000 });
  const client = await plainClient(bench.redis);
  const values = { ours: timesOf(counts), sets: timesOf(counts) };
  for (let round = 0; round < rounds; round += 1) {
    for (const members of counts) {
      values.ours.get(members)!.push(await ofOurs(ours, members));
      values.sets.get(members)!.push(await ofSetIndex(client, members));
    }
  }
  client.disconnect();
  await ours.close();
  const title = (members: number): string => `${members.toLocaleString('en')} members`;
  const measuredOf = (times: Map<number, number[]>): Measured[] =>
    [...times].map(([members, all]) => ({ name: title(members), values: all }));
  const own = measuredOf(values.ours);
  const [least, most] = [own[0]!.name, own.at(-1)!.name];
  return [
    {
      what: 'ours',
      unit: 'µs',
      measured: own,
      claims: [
        { what: `${most} ≤ 1.5 × ${least}`, value: ratio(own, most, least), atMost: 1.5 },
        {
          what: `${title(counts[1]!)} ≤ 1.5 × ${least}`,
          value: ratio(own, title(counts[1]!), least),
          atMost: 1.5,
        },
      ],
    },
    { what: 'a set of the keys as index (SMEMBERS, UNLINK)', unit: 'µs', measured: measuredOf(values.sets) },
  ];
}

function timesOf(counts: readonly number[]): Map<number, number[]> {
  return new Map(counts.map(count => [count, []]));
}

/** One filling is enough for several invalidations: the time does not hang on what is there, or else this shows it. */
const repeats = 15;

async function ofOurs(cache: TieredCache, members: number): Promise<number> {
  const tag = `members-${members}`;
  const policy = definePolicy(tag, { ttlMs: 3_600_000, jitter: 0, tags: [tag] });
  const times: number[] = [];
  const fill = async (): Promise<void> => {
    for (let at = 0; at < members; at += 1_000) {
      const some = Array.from(
        { length: Math.min(1_000, members - at) },
        (_, index) => `${tag}:${at + index}`,
      );
      await cache.getOrSetMany(some, keys => Promise.resolve(new Map(keys.map(key => [key, key]))), {
        policy,
      });
    }
  };
  for (let repeat = 0; repeat < (members > 1_000 ? 3 : repeats); repeat += 1) {
    await fill();
    // Read back, so that copies are held in L1 as well.
    await fill();
    await settle(() => cache.invalidateTags(['nobody']));
    const beganAtMs = performance.now();
    const { applied } = await cache.invalidateTags([tag]);
    times.push((performance.now() - beganAtMs) * 1_000);
    if (!applied) throw new Error('the invalidation was not applied');
    if ((await cache.get(`${tag}:0`, { policy })) !== undefined) throw new Error('an entry is still there');
  }
  return median(times);
}

/** Word of a filling comes back for each key, and takes its time; the first command after it goes out over cold code and memory. */
const restMs = 100;

const warmTrips = 30;

/** What the filling has left to do is done, whatever was filled: a PING would be as slow before it. */
async function settle(trip: () => Promise<unknown>): Promise<void> {
  collectYoung();
  await new Promise(resolve => setTimeout(resolve, restMs));
  for (let times = 0; times < warmTrips; times += 1) await trip();
}

async function ofSetIndex(client: Redis, members: number): Promise<number> {
  const index = `index:${members}`;
  const times: number[] = [];
  for (let repeat = 0; repeat < (members > 1_000 ? 3 : repeats); repeat += 1) {
    for (let at = 0; at < members; at += 1_000) {
      const keys = Array.from({ length: Math.min(1_000, members - at) }, (_, n) => `${index}:${at + n}`);
      const commands = client.pipeline().sadd(index, ...keys);
      for (const key of keys) commands.set(key, key, 'PX', 3_600_000);
      await commands.exec();
    }
    await settle(() => client.unlink('nobody'));
    const beganAtMs = performance.now();
    const keys = await client.smembers(index);
    for (let at = 0; at < keys.length; at += 1_000) await client.unlink(...keys.slice(at, at + 1_000));
    await client.unlink(index);
    times.push((performance.now() - beganAtMs) * 1_000);
  }
  return median(times);
}
