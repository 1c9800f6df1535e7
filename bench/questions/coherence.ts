import { Standby } from '../measure/children';
import { openInstance } from '../measure/instances';
import { median, quantile } from '../measure/median';
import { agentsOf } from '../measure/payload';
import type { PeerName } from '../measure/peers';
import type { Bench, Question } from '../measure/question';
import type { Measured } from '../measure/race';
import { bestOf, ratio, type Answer } from '../measure/report';
import { plainClient } from '../measure/server';

/** From the call that invalidates a key on one instance until another one does not hold it any more. */
export const question: Question = { title: 'Invalidation across instances', ask };

const peers: readonly PeerName[] = ['bentocache', 'layered-loader'];

async function ask({ redis, short }: Bench): Promise<Answer[]> {
  const rounds = short ? 20 : 400;
  const measured: Measured[] = [{ name: 'ioredis publish', values: await publishTimes(redis, rounds) }];
  for (const name of ['ours', ...peers] as const) {
    const [there, here] = [
      await Standby.start('instance', [name, redis]),
      await openInstance(name, redis, () => Promise.resolve(agentsOf(1))),
    ];
    const values: number[] = [];
    for (let round = -10; round < rounds; round += 1) {
      const key = 'coherence|one';
      const { held } = await there.ask<{ held: boolean }>({ hold: key });
      if (!held) throw new Error(`${name}: the key is not held`);
      const watching = there.ask<{ goneNs: string }>({ watch: key });
      // The watcher looks by then.
      await new Promise(resolve => setTimeout(resolve, 3));
      const droppedNs = process.hrtime.bigint();
      await here.drop!(key);
      const { goneNs } = await watching;
      if (round >= 0) values.push(Number(BigInt(goneNs) - droppedNs) / 1_000);
    }
    await there.end();
    await here.close();
    measured.push({ name, values, note: `p99 ${Math.round(quantile(values, 0.99))} µs` });
  }
  const ours = measured.find(({ name }) => name === 'ours')!.values;
  return [
    {
      what: 'from the call to the other process',
      unit: 'µs',
      measured,
      claims: [
        { what: 'ours: p50 ≤ 300 µs', value: median(ours), atMost: 300 },
        { what: 'ours: p99 ≤ 5,000 µs', value: quantile(ours, 0.99), atMost: 5_000 },
        { what: 'ours ≤ the best peer', value: ratio(measured, 'ours', bestOf(measured, peers)), atMost: 1 },
      ],
    },
  ];
}

/** The floor: a message through the server, to the same process. */
async function publishTimes(redis: string, rounds: number): Promise<number[]> {
  const [publisher, subscriber] = [await plainClient(redis), await plainClient(redis)];
  await subscriber.subscribe('floor');
  const values: number[] = [];
  for (let round = -10; round < rounds; round += 1) {
    const heard = new Promise<bigint>(done =>
      subscriber.once('message', () => done(process.hrtime.bigint())),
    );
    const sentNs = process.hrtime.bigint();
    await publisher.publish('floor', 'x');
    const us = Number((await heard) - sentNs) / 1_000;
    if (round >= 0) values.push(us);
  }
  publisher.disconnect();
  subscriber.disconnect();
  return values;
}
