import type { TieredCache } from '../../src/cache/core';
import { appNodes, coherentAppNode, type AppNodeOptions } from './app-node';
import { eventually } from './cache-node';
import { RedisCluster } from './redis-cluster';
import type { RedisProcess } from './redis-process';

/** What takes the Cluster itself its time to notice; run by `npm run faults:long`. */
describe('a Redis Cluster without one of its masters', () => {
  let cluster: RedisCluster;
  const nodes = appNodes();
  const instance = (options?: AppNodeOptions): Promise<TieredCache> =>
    nodes.keep(coherentAppNode(cluster.url, options));
  const start = async (options: Parameters<typeof RedisCluster.start>[0]): Promise<void> => {
    cluster = await RedisCluster.start(options);
  };
  /** A name on this node, and one that is not on it; neither on the node of the namespace token. */
  const pick = async (): Promise<{ victim: RedisProcess; there: string; elsewhere: string }> => {
    const home = await cluster.ownerOf('!ns');
    const masters = new Set(
      await Promise.all(Array.from({ length: 40 }, (_, n) => cluster.ownerOf(`k${n}`))),
    );
    const victim = [...masters].find(node => node !== home)!;
    return { victim, there: await cluster.nameOn(victim, 'v'), elsewhere: await cluster.nameOn(home, 'h') };
  };

  afterEach(async () => {
    await nodes.close();
    await cluster.stop();
  });

  test('F37: a master without a replica is killed: its slots are loaded from the source, the others work, and it comes back', async () => {
    await start({ settings: { 'cluster-require-full-coverage': 'no' } });
    const a = await instance({ outageTtlMs: 0 });
    const { victim, there, elsewhere } = await pick();
    await a.getOrSet(there, () => 'v1');
    await victim.kill();
    await eventually(() => (a.status().remote.reason ?? '').includes(victim.address));
    for (let n = 0; n < 20; n += 1) {
      expect(await a.getOrSet(there, () => n)).toBe(n);
      expect(await a.getOrSet(`${elsewhere}:{${elsewhere}}`, () => 'v')).toBe('v');
    }
    expect(await a.lookup(elsewhere, () => 'v')).toMatchObject({ stored: true });
    expect(await a.invalidateKeys([there])).toEqual({ applied: false, queued: true });
    await victim.up();
    await eventually(
      () => a.status().remote.reason === undefined && a.status().pendingInvalidations === 0,
      30_000,
    );
    expect(await a.lookup(there, () => 'v2')).toMatchObject({ value: 'v2', stored: true });
    expect(a.stats().totals.outcomes.error).toBe(0);
  }, 120_000);

  test('F37: with full coverage required, the whole Cluster is down without that master, and no caller sees an error', async () => {
    await start({});
    const a = await instance({ outageTtlMs: 0 });
    const { victim, there, elsewhere } = await pick();
    await a.getOrSet(elsewhere, () => 'v1');
    await victim.kill();
    await eventually(() => a.status().remote.state === 'down', 30_000);
    expect(await a.getOrSet(there, () => 'source')).toBe('source');
    expect(await a.getOrSet(elsewhere, () => 'source')).toBe('source');
    expect(await a.invalidateKeys([elsewhere])).toEqual({ applied: false, queued: true });
    await victim.up();
    await eventually(
      () => a.status().remote.state === 'up' && a.status().remote.reason === undefined,
      30_000,
    );
    await eventually(() => a.status().pendingInvalidations === 0);
    expect(await a.getOrSet(elsewhere, () => 'v2')).toBe('v2');
  }, 120_000);
});
