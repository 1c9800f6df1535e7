import { openInstance } from '../measure/instances';
import { median, quantile } from '../measure/median';
import { agentsOf } from '../measure/payload';
import type { PeerName } from '../measure/peers';
import type { Bench, Question } from '../measure/question';
import type { Measured } from '../measure/race';
import { ratio, type Answer } from '../measure/report';
import { plainClient } from '../measure/server';

/**
 * From the call that invalidates a key on one instance until another one does not hold it any more. Both are in this process, so
 * that it measures the way and not how soon the system wakes another one.
 */
export const question: Question = { title: 'Invalidation across instances', ask };

const key = 'coherence|one';
const peers: readonly PeerName[] = ['bentocache', 'layered-loader'];

async function ask({ redis, short }: Bench): Promise<Answer[]> {
  const rounds = short ? 20 : 400;
  const measured: Measured[] = [{ name: 'ioredis publish', values: await publishTimes(redis, rounds) }];
  for (const name of ['ours', ...peers] as const) {
    const load = (): Promise<unknown> => Promise.resolve(agentsOf(1));
    const [there, here] = [await openInstance(name, redis, load), await openInstance(name, redis, load)];
    const values: number[] = [];
    // So that the compiler has seen the code.
    for (let times = 0; times < (short ? 100 : 3_000); times += 1) await here.drop!('coherence|other');
    for (let round = -10; round < rounds; round += 1) {
      do await there.read(key);
      while (!there.isHeld!(key));
      // Its own fill is announced as well: the copy has to be one that stays.
      await spin(1_000);
      if (!there.isHeld!(key)) await there.read(key);
      if (!there.isHeld!(key)) throw new Error(`${name}: the key is not held`);
      const droppedNs = process.hrtime.bigint();
      const dropped = here.drop!(key);
      const goneNs = await whenNot(() => there.isHeld!(key));
      await dropped;
      if (round >= 0) values.push(Number(goneNs - droppedNs) / 1_000);
    }
    await there.close();
    await here.close();
    measured.push({ name, values, note: `p99 ${Math.round(quantile(values, 0.99))} µs` });
  }
  const ours = measured.find(({ name }) => name === 'ours')!.values;
  return [
    {
      what: 'from the call to the other instance',
      unit: 'µs',
      measured,
      claims: [
        { what: 'ours: p50 ≤ 300 µs', value: median(ours), atMost: 300 },
        { what: 'ours: p99 ≤ 5,000 µs', value: quantile(ours, 0.99), atMost: 5_000 },
        { what: 'ours ≤ BentoCache', value: ratio(measured, 'ours', 'bentocache'), atMost: 1 },
      ],
    },
  ];
}

/** The floor: a message through the server, to the same process. */
async function publishTimes(redis: string, rounds: number): Promise<number[]> {
  const [publisher, subscriber] = [await plainClient(redis), await plainClient(redis)];
  await subscriber.subscribe('floor');
  const values: number[] = [];
  let waiting = true;
  subscriber.on('message', () => (waiting = false));
  for (let round = -10; round < rounds; round += 1) {
    await spin(1_000);
    waiting = true;
    const sentNs = process.hrtime.bigint();
    const sent = publisher.publish('floor', 'x');
    const us = Number((await whenNot(() => waiting)) - sentNs) / 1_000;
    await sent;
    if (round >= 0) values.push(us);
  }
  publisher.disconnect();
  subscriber.disconnect();
  return values;
}

/** When something has come to be so, by looking at each turn of the event loop: a process that sleeps takes its time to wake. */
function whenNot(isSo: () => boolean): Promise<bigint> {
  return new Promise(done => {
    const look = (): void => (isSo() ? void setImmediate(look) : done(process.hrtime.bigint()));
    look();
  });
}

function spin(us: number): Promise<bigint> {
  const untilNs = process.hrtime.bigint() + BigInt(us * 1_000);
  return whenNot(() => process.hrtime.bigint() < untilNs);
}
