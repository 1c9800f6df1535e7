import { held } from '../integration/cache-node';
import { Cluster, type ClusterOptions } from './cluster';
import { sameInstance } from './checks';
import { hrtimeMs } from './hrtime';
import { judge } from './judge';
import { planOf } from './keyspace';
import { NaiveCache } from './naive-cache';
import { ofKind, type HistoryRecord } from './records';
import { Summary } from './summary';
import type { Subject, Value } from './subject';

/**
 * Random histories of three instances, one of them a process of its own. `HISTORY_SEED=n` repeats the faults of a run that
 * has failed; `npm run history` runs for longer.
 */
const seed = Number(process.env['HISTORY_SEED'] ?? Math.floor(Math.random() * 1e6));
const print = (title: string, summary: Summary): void =>
  void process.stdout.write(`${title} (seed ${seed})\n${summary.toString()}\n`);

describe('a history', () => {
  let cluster: Cluster | undefined;
  const started = async (options: Partial<ClusterOptions> = {}): Promise<Cluster> =>
    (cluster = await Cluster.start({ seed, ...options }));

  afterEach(async () => {
    await cluster?.stop();
    cluster = undefined;
  });

  test('shows no lost invalidation, no second load and no error: first without faults, then with all of them', async () => {
    const ours = await started();
    const calm = await ours.history({ lengthMs: 1_500 });
    print('without faults', new Summary().add(calm, judge(calm, ours.instanceNames)));
    expect({ seed, violations: judge(calm, ours.instanceNames) }).toEqual({ seed, violations: [] });
    expect(ofKind(calm, 'load').filter(load => !load.alone).length).toBeGreaterThan(0);

    const rough = await ours.history({ lengthMs: 8_000, faultsOf: 1 });
    print('with faults', new Summary().add(rough, judge(rough, ours.instanceNames)));
    expect({ seed, violations: judge(rough, ours.instanceNames) }).toEqual({ seed, violations: [] });
    for (const inst of ours.instanceNames) {
      const here = (record: HistoryRecord): boolean => 'inst' in record && record.inst === inst;
      expect(ofKind(rough, 'read').some(here) && ofKind(rough, 'inv').some(here)).toBe(true);
    }
    const measured = await ours.measure();
    expect([...measured.values()].map(one => one.unhandledRejections)).toEqual([0, 0]);
    // Of the child: that it ends by itself. Anything left open would keep it alive.
    await ours.close();
  }, 180_000);

  test('of a naive cache shows what is wrong with it', async () => {
    const naive = await started({
      readers: 6,
      writers: 2,
      subjectOf: ({ redis }, inst) => naiveCache(redis, inst === 'a' ? 20 : 0),
    });
    const history = await naive.history({ lengthMs: 1_000 });
    const violations = judge(history, naive.instanceNames);
    print('naive cache, without faults', new Summary().add(history, violations));
    expect(violations).not.toEqual([]);
  }, 60_000);

  test('of a naive cache shows a load that an invalidation has overtaken, each time', async () => {
    const { stage } = await started({ subjectOf: ({ redis }) => naiveCache(redis, 0) });
    const cache = await naiveCache(stage.redis, 0);
    try {
      expect(sameInstance(await overtakenLoad(cache))).toEqual([expect.objectContaining({ check: 'C1' })]);
    } finally {
      await cache.close();
    }
  });
});

async function naiveCache(
  redis: { client(): Parameters<typeof NaiveCache.connect>[0] },
  skewMs: number,
): Promise<NaiveCache> {
  return NaiveCache.connect(redis.client(), redis.client(), skewMs);
}

/** A load of version 1 is under way, version 2 is committed and the key invalidated, the load ends, and one more read. */
async function overtakenLoad(cache: Subject): Promise<HistoryRecord[]> {
  const plan = planOf('n0');
  const key = plan.key;
  const sampled = held<void>();
  const source = held<Value>();
  const first = cache.read(plan, () => {
    sampled.release();
    return source.promise;
  });
  await sampled.promise;
  const start = hrtimeMs();
  const acked = await cache.invalidate([key], []);
  const end = hrtimeMs();
  source.release({ key, version: 1, inner: {} });
  await first;
  const readAt = hrtimeMs();
  const { value, via } = await cache.read(plan, async () => ({ key, version: 2, inner: {} }));
  const times = { start: readAt, turn: readAt, end: hrtimeMs() };
  return [
    { op: 'inv', key, how: 'key', inst: 'a', start, end, version: 2, acked },
    { op: 'read', key, inst: 'a', ...times, version: value.version, via },
  ];
}
