import type { TieredCache } from '../../src/cache/core';
import type { RedisClients } from '../../src/cache/redis';
import { slotOf } from '../../src/cache/redis/slots';
import { appNodes, coherentAppNode, type AppNodeOptions } from './app-node';
import { eventually } from './cache-node';
import { RedisCluster } from './redis-cluster';
import type { RedisProcess } from './redis-process';
import { patientCommandTimeoutMs } from './redis-server';

/** Nodes of a Cluster fail, come and go: what stands on the others is not touched, and nothing stale comes back. */
describe('nodes of a Redis Cluster', () => {
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
  const isNear = async (cache: TieredCache, name: string): Promise<boolean> =>
    (await cache.lookup(name, () => 'from the source')).outcome === 'l1_hit';

  afterEach(async () => {
    await nodes.close();
    await cluster.stop();
  });

  test('F36: a master with a replica is killed: only what it had goes past Redis, until the replica has taken over', async () => {
    await start({ replicas: 1, settings: { 'cluster-require-full-coverage': 'no' } });
    const [a, b] = [await instance(), await instance()];
    const { victim, there, elsewhere } = await pick();
    for (const cache of [a, b])
      for (const name of [there, elsewhere]) {
        await cache.getOrSet(name, () => 'v1');
        await eventually(() => isNear(cache, name));
      }
    await victim.kill();
    // What another node has is served from L1 all the while, and its invalidations are made and heard.
    const gone = (): boolean => (a.status().remote.reason ?? '').includes(victim.address);
    // The connections close one after the other: that for reads, and that for changes.
    await eventually(() => gone() && !a.status().gate.open);
    expect(await a.lookup(elsewhere, () => 'v2')).toMatchObject({ value: 'v1', outcome: 'l1_hit' });
    expect(a.status().remote.state).toBe('up');
    expect(await a.lookup(there, () => 'v2')).toMatchObject({ value: 'v2', cause: 'redis_down' });
    expect(await a.invalidateKeys([there])).toEqual({ applied: false, queued: true });
    expect(await a.invalidateKeys([elsewhere])).toEqual({ applied: true, queued: false });
    await eventually(async () => (await b.getOrSet(elsewhere, () => 'v3')) === 'v3');
    await eventually(
      () => a.status().remote.reason === undefined && a.status().pendingInvalidations === 0,
      30_000,
    );
    await eventually(() => b.status().remote.reason === undefined, 30_000);
    // The replica had the entry; the invalidation was made there before anything was read.
    expect(await a.getOrSet(there, () => 'v4')).toBe('v4');
    await eventually(() => a.status().gate.open && b.status().gate.open, 20_000);
    await eventually(() => isNear(b, there));
    await a.invalidateKeys([there]);
    await eventually(async () => (await b.getOrSet(there, () => 'v5')) === 'v5');
  }, 120_000);

  test('F38: a node that joins is heard as soon as it has slots, and one that leaves is forgotten', async () => {
    await start({});
    const patient = { commandTimeoutMs: patientCommandTimeoutMs };
    const [a, b] = [await instance(patient), await instance(patient)];
    const from = await cluster.ownerOf('k');
    const joined = await cluster.add();
    await joined.admin().cluster('MEET', '127.0.0.1', from.port);
    await cluster.settled(4);
    const slot = slotOf('k');
    await a.getOrSet('k', () => 'v1');
    await cluster.beginMoving(slot, from, joined);
    await cluster.moveKeys(slot, from, joined);
    await cluster.endMoving(slot, joined);
    await eventually(async () => (await trackersOf(joined)) === 2, 20_000);
    await eventually(() => a.status().gate.open && b.status().gate.open, 20_000);
    await eventually(() => isNear(b, 'k'));
    expect(await a.invalidateKeys(['k'])).toEqual({ applied: true, queued: false });
    await eventually(async () => (await b.getOrSet('k', () => 'v2')) === 'v2');
    // And back, until it has nothing left.
    await cluster.beginMoving(slot, joined, from);
    await cluster.moveKeys(slot, joined, from);
    await cluster.endMoving(slot, from);
    await eventually(async () => (await trackersOf(joined)) === 0, 20_000);
    await eventually(() => isNear(b, 'k'));
    await a.invalidateKeys(['k']);
    await eventually(async () => (await b.getOrSet('k', () => 'v3')) === 'v3');
    expect(b.status().remote.state).toBe('up');
    await eventually(() => b.status().gate.open, 20_000);
  }, 120_000);

  test('F39: a pattern is cleared while slots move behind the scan: everything is gone through once more, and nothing survives', async () => {
    await start({});
    const names = Array.from({ length: 60 }, (_, n) => `p:${n}`);
    const gone: RedisProcess[] = [];
    let moved = 0;
    // Whatever the first node has been looked at for, the others' keys come to it before they are looked at.
    const beforeScan = async (address: string): Promise<void> => {
      const node = cluster.nodes.find(one => one.address === address)!;
      if (!gone.includes(node)) gone.push(node);
      if (gone.length !== 2 || moved > 0) return;
      for (const name of names) {
        const [slot, owner] = [slotOf(name), await cluster.ownerOf(name)];
        if (owner === gone[0]) continue;
        await cluster.beginMoving(slot, owner, gone[0]!);
        moved += await cluster.moveKeys(slot, owner, gone[0]!);
        await cluster.endMoving(slot, gone[0]!);
      }
    };
    const a = await instance({ clients: clients => scanningAfter(clients, beforeScan) });
    for (const name of names) await a.getOrSet(name, () => 'old');
    const progress = await a.clearMatching('p:*');
    expect(moved).toBeGreaterThan(10);
    expect(progress.done).toBe(true);
    expect(progress.passes).toBeGreaterThan(1);
    for (const name of names) expect([name, await a.get(name)]).toEqual([name, undefined]);
  }, 120_000);
});

/** Clients whose scans wait for something. */
function scanningAfter(clients: RedisClients, before: (address: string) => Promise<void>): RedisClients {
  const cluster = clients.cluster!;
  return {
    data: purpose => clients.data(purpose),
    tracker: () => clients.tracker(),
    cluster: {
      keys: purpose => cluster.keys(purpose),
      tracker: address => cluster.tracker(address),
      node: (address, purpose) => {
        const redis = cluster.node(address, purpose);
        const scan = redis.scan.bind(redis) as (...args: unknown[]) => Promise<[string, string[]]>;
        const waiting = async (...args: unknown[]): Promise<[string, string[]]> => {
          await before(`${address.host}:${address.port}`);
          return scan(...args);
        };
        return Object.assign(redis, { scan: waiting });
      },
    },
  };
}

/** Connections for tracking that instances have to this node. */
async function trackersOf(node: RedisProcess): Promise<number> {
  const clients = String(await node.admin().client('LIST'));
  return clients.split('\n').filter(line => line.includes('name=sutazai-tracker')).length;
}
