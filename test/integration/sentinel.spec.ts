import type { TieredCache } from '../../src/cache/core';
import { appNode, appNodes, coherentAppNode, type AppNodeOptions } from './app-node';
import { eventually } from './cache-node';
import { RedisSentinels } from './redis-sentinels';

/** The master fails or is replaced: the cache follows the Sentinels, and what was invalidated stays invalidated. */
describe('a Redis behind Sentinels', () => {
  let group: RedisSentinels;
  const nodes = appNodes();
  const instance = (options?: AppNodeOptions): Promise<TieredCache> =>
    nodes.keep(coherentAppNode(group.url, options));

  beforeEach(async () => {
    group = await RedisSentinels.start();
  }, 60_000);
  afterEach(async () => {
    await nodes.close();
    await group.stop();
  });
  // The client gives its closed connections to Sentinels two more seconds.
  afterAll(() => new Promise(resolve => setTimeout(resolve, 2_100)));

  test('F31: the master is killed: the cache is back on the other one, and an invalidation that one had not heard of is made again', async () => {
    const [a, b] = [await instance(), await instance()];
    let version = 1;
    const read = (cache: TieredCache, key: string): Promise<number> =>
      cache.getOrSet(key, () => version, { tags: ['t'] });
    for (const key of ['by key', 'by tag']) {
      await read(a, key);
      expect(await read(b, key)).toBe(1);
    }
    const [master, replica] = [await group.master(), await group.replica()];
    await master.admin().wait(1, 5_000);
    // From here on the replica hears of nothing.
    await replica.admin().replicaof('127.0.0.1', 1);
    version = 2;
    expect(await a.invalidateKeys(['by key'])).toEqual({ applied: true, queued: false });
    expect(await a.invalidateTags(['t'])).toEqual({ applied: true, queued: false });
    expect(await replica.admin().exists('test:1:d:{by%20key}')).toBe(1);
    await master.kill();
    const killedMs = performance.now();
    await eventually(() => a.status().remote.state === 'down');
    expect(await read(a, 'by key')).toBe(2);
    await eventually(() => a.status().remote.state === 'up' && b.status().remote.state === 'up', 30_000);
    measured('F31', 'both instances are back on the other server', killedMs);
    expect(await group.master()).toBe(replica);
    for (const key of ['by key', 'by tag']) {
      expect(await read(a, key)).toBe(2);
      expect(await read(b, key)).toBe(2);
    }
    // Word of changes comes from the new master.
    await eventually(() => a.status().gate.open && b.status().gate.open, 20_000);
    await eventually(async () => (await b.lookup('by key', () => 0)).outcome === 'l1_hit');
    version = 3;
    await a.invalidateKeys(['by key']);
    await eventually(async () => (await read(b, 'by key')) === 3);
  }, 90_000);

  test('F32: a planned failover under invalidations: the cache moves within seconds, and none of them is lost', async () => {
    const [a, b] = [await instance(), await instance()];
    const old = await group.master();
    let version = 1;
    let running = true;
    const keys = Array.from({ length: 8 }, (_, n) => `k${n}`);
    const writer = async (): Promise<void> => {
      while (running) {
        version += 1;
        await a.invalidate({ keys: [keys[version % keys.length]!], tags: ['t'] });
        await new Promise(resolve => setTimeout(resolve, 5));
      }
    };
    const reader = async (cache: TieredCache): Promise<void> => {
      while (running) {
        await Promise.all(keys.map(key => cache.getOrSet(key, () => version, { tags: ['t'] })));
        await new Promise(resolve => setTimeout(resolve, 2));
      }
    };
    const work = Promise.all([writer(), reader(a), reader(b)]);
    const begunMs = performance.now();
    await group.failOver();
    await eventually(async () => (await group.master()) !== old, 30_000);
    await eventually(async () => {
      const text = await (await group.master()).admin().client('LIST');
      return String(text).split('sutazai-writes').length > 2;
    }, 30_000);
    measured('F32', 'both instances write to the new master', begunMs);
    running = false;
    await work;
    await eventually(() => a.status().remote.state === 'up' && b.status().remote.state === 'up', 20_000);
    await eventually(
      () => a.status().pendingInvalidations === 0 && a.status().gate.open && b.status().gate.open,
      20_000,
    );
    // What was invalidated last is what everybody answers, at the latest Δ later.
    for (const cache of [a, b])
      for (const key of keys)
        await eventually(async () => (await cache.getOrSet(key, () => version, { tags: ['t'] })) === version);
  }, 90_000);

  test('F34: without Sentinels what is connected goes on, and what is not connects when one is back', async () => {
    const a = await instance();
    await a.getOrSet('k', () => 'v');
    for (const sentinel of group.sentinels) await sentinel.kill();
    expect(await a.invalidateKeys(['k'])).toEqual({ applied: true, queued: false });
    expect(await a.lookup('k', () => 'v2')).toMatchObject({ value: 'v2', stored: true });
    const late = await nodes.keep(appNode(group.url));
    expect(await late.lookup('k', () => 'from the source')).toMatchObject({ cause: 'redis_down' });
    expect(late.status().remote.state).toBe('down');
    await group.sentinels[1]!.up();
    await eventually(() => late.status().remote.state === 'up', 20_000);
    expect(await late.lookup('other', () => 1)).toMatchObject({ stored: true });
  }, 60_000);
});

/** A line for whoever compares with the budget; no test depends on it. */
function measured(row: string, what: string, sinceMs: number): void {
  process.stdout.write(`${row}: ${what} after ${Math.round(performance.now() - sinceMs)} ms\n`);
}
