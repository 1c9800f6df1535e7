import { openInstance } from '../measure/instances';
import { median, quantile } from '../measure/median';
import { agentsOf } from '../measure/payload';
import type { Peer } from '../measure/peers';
import type { Bench, Question } from '../measure/question';
import type { Measured } from '../measure/race';
import type { Answer } from '../measure/report';
import { plainClient, serverCpuUs } from '../measure/server';

/** What each instance more costs: work of the server for one change, and how soon an instance hears of it. */
export const question: Question = { title: 'Growth with instances', ask };

const key = 'growth|one';

async function ask({ redis, short }: Bench): Promise<Answer[]> {
  const rounds = short ? 20 : 300;
  const client = await plainClient(redis);
  const writer = await openInstance('ours', redis, () => Promise.resolve(agentsOf(1)));
  const instances: Peer[] = [];
  const work: Measured[] = [];
  const lag: Measured[] = [];
  for (const count of short ? [1, 2] : [1, 2, 4, 8, 16]) {
    while (instances.length < count)
      instances.push(await openInstance('ours', redis, () => Promise.resolve(agentsOf(1))));
    const last = instances.at(-1)!;
    const lags: number[] = [];
    const cpuBefore = await serverCpuUs(client);
    for (let round = 0; round < rounds; round += 1) {
      do await last.read(key);
      while (!last.isHeld!(key));
      const droppedNs = process.hrtime.bigint();
      const dropped = writer.drop!(key);
      await new Promise<void>(done => {
        const look = (): void => (last.isHeld!(key) ? void setImmediate(look) : done());
        look();
      });
      lags.push(Number(process.hrtime.bigint() - droppedNs) / 1_000);
      await dropped;
    }
    const name = `${count} ${count === 1 ? 'instance' : 'instances'}`;
    work.push({ name, values: [((await serverCpuUs(client)) - cpuBefore) / rounds] });
    lag.push({
      name,
      values: lags,
      note: `p50 ${Math.round(median(lags))}, p99 ${Math.round(quantile(lags, 0.99))} µs`,
    });
  }
  for (const instance of [writer, ...instances]) await instance.close();
  client.disconnect();
  return [
    {
      what: 'work of the server for one load, one fill and one invalidation',
      unit: 'µs of its CPU',
      measured: work,
    },
    { what: 'until the instance that listens last has heard', unit: 'µs', measured: lag },
  ];
}
