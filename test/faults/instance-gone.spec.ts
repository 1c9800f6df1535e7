import { setImmediate as turn } from 'node:timers/promises';
import { definePolicy } from '../../src/cache/core';
import { eventually, held } from '../integration/cache-node';
import { patientCommandTimeoutMs } from '../integration/redis-server';
import type { ChildOptions } from './child-messages';
import { ChildInstance } from './child-process';
import { Cluster } from './cluster';
import { TcpProxy } from './tcp-proxy';

/** One instance is a process of its own: it is killed, or frozen, while the others go on. */
describe('an instance is killed or frozen', () => {
  const cluster = Cluster.each(patientCommandTimeoutMs);
  const children: ChildInstance[] = [];
  const proxies: TcpProxy[] = [];
  const child = async (
    load: (key: string) => Promise<unknown>,
    options: Partial<ChildOptions> = {},
  ): Promise<ChildInstance> => {
    const instance = await ChildInstance.start(
      { redisPort: cluster.it.redis.port, maxL1StalenessMs: 2_000, ...options },
      load,
    );
    children.push(instance);
    return instance;
  };
  const lease = { leaseMs: 800, jitter: 0 };

  afterEach(async () => {
    await Promise.all(children.splice(0).map(instance => instance.kill()));
    await Promise.all(proxies.splice(0).map(proxy => proxy.stop()));
  });

  test('F42: killed in its loader: exactly one of the others loads, when the lease has run out', async () => {
    const { it } = cluster;
    const measures = it.measure('F42');
    const asked = held<string>();
    const victim = await child(key => {
      asked.release(key);
      return new Promise(() => undefined);
    });
    const [a, b] = [await it.node(), await it.node()];
    void victim.lookup('k', lease);
    expect(await asked.promise).toBe('k');
    const policy = definePolicy('waiting', lease);
    const answers = [a, b, a, b].map(cache => measures.read(cache, 'k', { policy }));
    await eventually(async () => (await it.redis.admin().exists('test:1:l:{k}')) === 1);
    expect(measures.loads).toBe(0);
    measures.fault();
    await victim.kill();
    measures.healed();
    const values = (await Promise.all(answers)).map(answer => answer.value);
    await measures.recovered(a);
    expect(values).toEqual([1, 1, 1, 1]);
    expect(measures.loads).toBe(1);
  });

  test('F43: frozen in its loader for longer than its lease: what the next one stored stays, its own fill comes to nothing', async () => {
    const { it } = cluster;
    it.measure('F43');
    const asked = held<string>();
    const source = held<string>();
    const seen: Promise<string>[] = [source.promise];
    const frozen = await child(key => {
      asked.release(key);
      return seen.shift() ?? Promise.resolve('new');
    });
    const [a, b] = [await it.node(), await it.node()];
    const first = frozen.lookup('k', lease);
    await asked.promise;
    frozen.signal('SIGSTOP');
    // Waits in its pipe: the first that it learns when it goes on.
    source.release('old');
    const policy = definePolicy('next', lease);
    expect(await a.lookup('k', () => 'new', { policy })).toMatchObject({ value: 'new', stored: true });
    frozen.signal('SIGCONT');
    expect(await first).toMatchObject({ value: 'old', stored: false });
    for (const cache of [a, b]) expect(await cache.get('k')).toBe('new');
    // From Redis, or from the source again where its connections have not yet come back: never the one that came to nothing.
    expect(await frozen.lookup('k')).toMatchObject({ value: 'new' });
    expect(await frozen.close()).toBe(0);
  });

  test('F48: frozen for longer than Δ: its first read afterwards is no hit of its own memory', async () => {
    const { it } = cluster;
    it.measure('F48');
    let version = 1;
    const boundMs = 600;
    const tracker = await TcpProxy.start(it.redis.port);
    proxies.push(tracker);
    const frozen = await child(() => Promise.resolve(version), {
      maxL1StalenessMs: boundMs,
      trackerPort: tracker.port,
    });
    await eventually(async () => (await frozen.lookup('k')).source === 'l1');
    const a = await it.node();
    frozen.signal('SIGSTOP');
    // Word of the change is on its way, and comes too late: only the time tells that something may have been missed.
    tracker.hold();
    version = 2;
    expect(await a.invalidateKeys(['k'])).toEqual({ applied: true, queued: false });
    await new Promise(resolve => setTimeout(resolve, boundMs + 50));
    // In its pipe before it goes on.
    const first = frozen.lookup('k');
    frozen.signal('SIGCONT');
    const answer = await first;
    expect(answer.value).toBe(2);
    expect(answer.source).not.toBe('l1');
    tracker.pass();
    expect(await frozen.close()).toBe(0);
  });

  test('F61 (not promised): killed between its commit and its invalidation: the old value ends with its TTL', async () => {
    const { it } = cluster;
    const measures = it.measure('F61');
    const committed = held<undefined>();
    const victim = await child(async () => {
      // What its loader stands for here: a handler that has changed the source and is about to invalidate.
      measures.commit('k');
      committed.release(undefined);
      return new Promise(() => undefined);
    });
    const a = await it.node();
    const ttlMs = 1_000;
    const policy = definePolicy('short', { ttlMs, jitter: 0, refreshAheadFraction: 0 });
    await measures.read(a, 'k', { policy });
    const storedMs = performance.now();
    void victim.lookup('writes k');
    await committed.promise;
    await victim.kill();
    measures.fault();
    let lastOldMs = storedMs;
    for (;;) {
      await turn();
      const beginMs = performance.now();
      if ((await measures.read(a, 'k', { policy })).value === 2) break;
      lastOldMs = beginMs;
    }
    expect(lastOldMs - storedMs).toBeLessThanOrEqual(ttlMs);
  });
});
