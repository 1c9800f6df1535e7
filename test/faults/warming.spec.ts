import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { eventually } from '../integration/cache-node';
import { RedisServer } from '../integration/redis-server';
import { unitCount, warmingInstance, type WarmingInstance } from './warming-instance';

const units = Array.from({ length: unitCount }, (_, unit) => unit);
/** Leases of loads and of the lead run out on the way, on a busy machine. */
const patienceMs = 60_000;

describe('warming by schedule', () => {
  let redis: RedisServer;
  const instances: WarmingInstance[] = [];
  let child: ChildProcess | undefined;
  const instance = async (load: (unit: number) => Promise<string>): Promise<WarmingInstance> => {
    const made = await warmingInstance(redis, load);
    instances.push(made);
    return made;
  };
  const leadKey = 'test:1:w:{warm-up}';
  const progress = async (): Promise<string | undefined> =>
    (await redis.admin().get(`${leadKey}:c`))?.split(' ')[1];

  beforeEach(async () => {
    redis = await RedisServer.start();
  });
  afterEach(async () => {
    child?.kill('SIGKILL');
    child = undefined;
    await Promise.all(instances.splice(0).map(each => each.close()));
    await redis.stop();
  });

  test(
    'F57: a leader is killed in the middle: the next one goes on where it was, and every unit is loaded',
    async () => {
      const holdFrom = 5;
      child = fork(
        join(__dirname, 'warming-child.ts'),
        [JSON.stringify({ redisPort: redis.port, holdFrom })],
        {
          execArgv: ['--require', join(__dirname, '../history/typescript.cjs')],
          stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        },
      );
      await once(child, 'message');
      const loaded: number[] = [];
      const next = await instance(unit => {
        loaded.push(unit);
        return Promise.resolve(`v${unit}`);
      });
      await next.cache.clear();
      expect(loaded).toEqual([]);
      child.send('tick');
      await eventually(async () => (await progress()) === String(holdFrom), patienceMs);
      const asked = jest.spyOn(next.cache.cluster, 'lead');
      next.tick();
      await eventually(() => asked.mock.results.length > 0);
      expect(await asked.mock.results[0]!.value).toBe('busy');
      expect(loaded).toEqual([]);
      child.kill('SIGKILL');
      await eventually(() => next.warming.runs().length === 2, patienceMs);
      expect(await next.ended()).toMatchObject({
        state: 'done',
        trigger: 'schedule',
        total: unitCount,
        resumed: holdFrom,
        warmed: unitCount - holdFrom,
        left: 0,
      });
      expect(loaded.sort((a, b) => a - b)).toEqual(units.slice(holdFrom));
      const before = await redis.admin().lrange('loads', 0, -1);
      expect(before.slice(0, holdFrom).sort()).toEqual(units.slice(0, holdFrom).map(unit => `child ${unit}`));
      // The round is over for whoever comes late.
      asked.mockClear();
      next.tick();
      await eventually(() => asked.mock.results.length > 0);
      expect(await asked.mock.results[0]!.value).toBe('over');
    },
    patienceMs,
  );

  test(
    'F58: two leaders by force: the earlier one is refused and stops, and every value is right',
    async () => {
      let holding = false;
      const held: (() => void)[] = [];
      const early = await instance(async unit => {
        if (holding && unit >= 3) await new Promise<void>(resolve => held.push(resolve));
        return `v${unit}`;
      });
      const later = await instance(unit => Promise.resolve(`v${unit}`));
      await early.cache.clear();
      holding = true;
      early.tick();
      await eventually(async () => held.length === 2 && (await progress()) === '3', patienceMs);
      await redis.admin().unlink(leadKey);
      later.tick();
      const run = await early.ended();
      expect(run).toMatchObject({ state: 'cut', warmed: 3 });
      expect(run.failures).toContainEqual(
        expect.objectContaining({ job: 'the run', reason: 'another instance has taken the lead' }),
      );
      for (const release of held) release();
      await eventually(() => later.warming.runs().length === 2, patienceMs);
      expect(await later.ended()).toMatchObject({ state: 'done', resumed: 3, left: 0, failed: 0 });
      for (const unit of units) expect(await later.read(unit)).toBe(`v${unit}`);
      // The one that was refused has not ended the round in the name of the other.
      expect(await redis.admin().get(`${leadKey}:e`)).toBe('2');
      expect(await redis.admin().exists(`${leadKey}:r`)).toBe(1);
    },
    patienceMs,
  );
});
