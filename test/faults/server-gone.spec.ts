import { definePolicy } from '../../src/cache/core';
import { eventually, held } from '../integration/cache-node';
import { Cluster } from './cluster';

/** A caller is promised its answer within the command timeout; a busy machine may take so much longer. */
const patienceMs = 300 + 2_000;

describe('Redis stops, is killed, or does not get round to answering', () => {
  const cluster = Cluster.each();

  test('F03: killed and started again empty: nothing stale is read, and what it has lost is missed', async () => {
    const { it } = cluster;
    const measures = it.measure('F03');
    const [a, b] = [await it.node(), await it.node()];
    await it.near(a, measures, 'k');
    measures.fault();
    await it.redis.kill();
    // The connections close one after the other; until the one that listens does, L1 is served for Δ at most.
    await measures.detected(() =>
      [a, b].map(cache => cache.status()).every(({ remote, gate }) => remote.state === 'down' && !gate.open),
    );
    measures.commit('k');
    expect(await b.invalidateKeys(['k'])).toEqual({ applied: false, queued: true });
    // What L1 held may have changed without word of it.
    measures.expectFresh('k');
    for (const cache of [a, b, a]) await measures.read(cache, 'k');
    await it.redis.up();
    measures.healed();
    await eventually(() => a.status().remote.state === 'up');
    await measures.coherent([a, b]);
    expect(a.status().pendingInvalidations + b.status().pendingInvalidations).toBe(0);
    for (const cache of [a, b, a, b]) await measures.read(cache, 'k');
    expect(await a.lookup('only before', () => 1)).toMatchObject({ outcome: 'miss', stored: true });
    await measures.recovered(a);
    expect(measures.stale + measures.errors).toBe(0);
  });

  test('F05: frozen for 200 ms: connections stay, and a fill behind an invalidation stores nothing', async () => {
    const { it } = cluster;
    const measures = it.measure('F05');
    const [a, b] = [await it.node(), await it.node()];
    const source = held<string>();
    const loading = a.getOrSet('k', () => source.promise);
    await eventually(() => a.status().loadsInFlight === 1);
    measures.fault();
    it.redis.signal('SIGSTOP');
    const frozenMs = performance.now();
    setTimeout(() => it.redis.signal('SIGCONT'), 200);
    // Either may be the first that the server does; the load began before the invalidation in any case.
    const invalidated = b.invalidateKeys(['k']);
    source.release('old');
    await Promise.all(Array.from({ length: 20 }, (_, n) => measures.read(a, `k${n}`)));
    const wasFrozenMs = performance.now() - frozenMs;
    measures.healed();
    expect(await loading).toBe('old');
    expect((await invalidated).applied || (await invalidated).queued).toBe(true);
    await measures.coherent([a, b]);
    await eventually(() => b.status().pendingInvalidations === 0);
    expect([await a.get('k'), await b.get('k')]).toEqual([undefined, undefined]);
    await measures.recovered(a);
    // A machine that has held us up for longer than the socket timeout is not what this is about.
    if (wasFrozenMs < 500) expect(it.closes).toBe(0);
    expect(measures.errors).toBe(0);
  });

  test('F06: frozen for long: callers are answered, its connections given up and L1 left alone while it still is', async () => {
    const { it } = cluster;
    const measures = it.measure('F06');
    const a = await it.node({ maxL1StalenessMs: 800 });
    await it.near(a, measures, 'k');
    measures.fault();
    it.redis.signal('SIGSTOP');
    for (let n = 0; n < 10; n += 1) await measures.read(a, `k${n}`);
    expect(measures.slowestMs).toBeLessThan(patienceMs);
    await measures.detected(() => a.status().remote.state === 'down');
    await eventually(() => it.closes > 0);
    await eventually(() => !a.status().gate.open);
    // Still frozen: nobody waits for it any more.
    measures.fault();
    for (let n = 0; n < 10; n += 1) await measures.read(a, `k${n}`);
    expect(measures.slowestMs).toBeLessThan(2_000);
    it.redis.signal('SIGCONT');
    measures.healed();
    await measures.coherent([a]);
    await measures.recovered(a);
    expect(measures.errors).toBe(0);
  });

  test('F10: asleep for a second: callers are answered, and this process goes on', async () => {
    const { it } = cluster;
    const measures = it.measure('F10');
    const a = await it.node();
    let turns = 0;
    const ticking = setInterval(() => (turns += 1), 10);
    try {
      measures.fault();
      const asleep = it.redis.admin().call('DEBUG', 'SLEEP', '1');
      for (let n = 0; n < 5; n += 1) await measures.read(a, `k${n}`);
      await asleep;
      measures.healed();
    } finally {
      clearInterval(ticking);
    }
    expect(turns).toBeGreaterThan(10);
    expect(measures.slowestMs).toBeLessThan(patienceMs);
    await measures.coherent([a]);
    await measures.recovered(a);
    expect(measures.errors).toBe(0);
  });

  test('F21: 50,000 calls while it is down: no queue grows, every one is answered by the source', async () => {
    const { it } = cluster;
    const measures = it.measure('F21');
    const a = await it.node();
    const client = jest.spyOn(it.redis, 'client').mock; // no connection is made for them
    await it.redis.kill();
    await eventually(() => a.status().remote.state === 'down');
    measures.fault();
    const never = definePolicy('never', { tier: 'redis' });
    for (let round = 0; round < 50; round += 1) {
      await Promise.all(
        Array.from({ length: 1_000 }, (_, n) => measures.read(a, `k${n % 200}`, { policy: never })),
      );
    }
    expect(measures.errors).toBe(0);
    expect(a.status()).toMatchObject({ loadsInFlight: 0, pendingInvalidations: 0 });
    expect(client.calls).toEqual([]);
    // A queue of so many commands would take twice as much.
    expect(measures.heapMb()).toBeLessThan(10);
    await it.redis.up();
    measures.healed();
    await measures.coherent([a]);
    // Nothing of it waits to be sent: the server gets what is asked from now on.
    const stats = await it.redis.admin().info('commandstats');
    expect(Number(/cmdstat_mget:calls=(\d+)/.exec(stats)?.[1] ?? 0)).toBeLessThan(100);
    await measures.recovered(a);
  });

  test('F29: busy with an endless script: callers are answered, and it recovers when the script is killed', async () => {
    const { it } = cluster;
    const measures = it.measure('F29');
    const a = await it.node();
    const other = it.redis.client({ commandTimeout: 60_000, socketTimeout: 60_000 });
    await other.connect();
    await it.redis.admin().config('SET', 'busy-reply-threshold', '50');
    measures.fault();
    const endless = other.eval('while true do end', 0).catch((error: Error) => error.message);
    for (let n = 0; n < 10; n += 1) await measures.read(a, `k${n}`);
    await measures.detected(() => a.status().remote.state === 'down');
    expect(measures.slowestMs).toBeLessThan(patienceMs);
    await it.redis.admin().script('KILL');
    measures.healed();
    expect(await endless).toMatch(/killed/i);
    await measures.coherent([a]);
    await measures.recovered(a);
    expect(measures.errors).toBe(0);
  });
});

describe('writes that Redis does only when nobody waits for them any more', () => {
  const cluster = Cluster.each();
  const shortLease = definePolicy('short lease', { leaseMs: 100 });

  test('F07: a set that timed out does not come to life later', async () => {
    const { it } = cluster;
    it.measure('F07');
    const [a, b] = [await it.node(), await it.node()];
    await a.set('k', 'v1');
    it.freezeBefore('cacheSetd');
    expect(await a.set('k', 'zombie')).toEqual({ applied: false, queued: true });
    await pastDeadline();
    it.redis.signal('SIGCONT');
    await eventually(() => a.status().remote.state === 'up' && a.status().pendingInvalidations === 0);
    for (const cache of [a, b]) expect(await cache.get('k')).not.toBe('zombie');
    expect(await a.getOrSet('k', () => 'v2')).toBe('v2');
  });

  test('F08: nor when the instance that sent it has left in the meantime', async () => {
    const { it } = cluster;
    it.measure('F08');
    const [a, b] = [await it.node(), await it.node()];
    await a.set('k', 'v1');
    it.freezeBefore('cacheSetd');
    expect(await a.set('k', 'zombie')).toEqual({ applied: false, queued: true });
    await a.close();
    await pastDeadline();
    it.redis.signal('SIGCONT');
    // Sent after it, and answered: the zombie has had its turn.
    await it.redis.admin().echo('fence');
    await eventually(() => b.status().remote.state === 'up');
    await it.redis.admin().echo('fence');
    // What it was not sure of it has tried to remove before it left; whether that came through is all that is open.
    expect(['v1', undefined]).toContain(await b.get('k'));
    expect(['v1', 'v2']).toContain(await b.getOrSet('k', () => 'v2'));
  });

  test('F07: a fill that comes after its lease has ended stores nothing', async () => {
    const { it } = cluster;
    it.measure('F07 fill');
    const [a, b] = [await it.node(), await it.node()];
    // The server knows the scripts by then: one that it has to ask for is not run after its caller has given up.
    await a.getOrSet('other', () => 'v', { policy: shortLease });
    const source = held<string>();
    const loading = a.getOrSet('k', () => source.promise, { policy: shortLease });
    await eventually(async () => (await it.redis.admin().exists('test:1:l:{k}')) === 1);
    it.redis.signal('SIGSTOP');
    source.release('old');
    expect(await loading).toBe('old');
    it.redis.signal('SIGCONT');
    await it.redis.admin().echo('fence');
    await eventually(() => b.status().remote.state === 'up');
    expect(await b.get('k')).toBeUndefined();
    expect(await it.redis.admin().exists('test:1:d:{k}')).toBe(0);
  });

  test('F09: with writes paused reads are answered, L1 is left alone, and what was held back does no harm', async () => {
    const { it } = cluster;
    const measures = it.measure('F09');
    const [a, b] = [await it.node({ maxL1StalenessMs: 500 }), await it.node()];
    for (const key of ['k', 'l']) await measures.read(b, key);
    await it.near(a, measures, 'k');
    const paused = it.redis.client({ commandTimeout: 60_000, socketTimeout: 60_000 });
    await paused.connect();
    await paused.call('CLIENT', 'PAUSE', '60000', 'WRITE');
    measures.fault();
    expect((await measures.read(a, 'l')).value).toBe(1);
    expect((await measures.read(a, 'cold')).value).toBe(1);
    await eventually(() => !a.status().gate.open);
    measures.commit('k');
    const { applied, queued } = await b.invalidateKeys(['k']);
    expect([applied, queued]).toEqual([false, true]);
    measures.expectFresh('k');
    await measures.read(b, 'k');
    expect(measures.slowestMs).toBeLessThan(patienceMs);
    await paused.call('CLIENT', 'UNPAUSE');
    measures.healed();
    await measures.coherent([a, b]);
    await eventually(() => b.status().pendingInvalidations === 0);
    for (const cache of [b, a, b]) await measures.read(cache, 'k');
    await measures.recovered(a);
    expect(measures.stale + measures.errors).toBe(0);
  });
});

/** Later than the server accepts a `set` that was sent before this. */
function pastDeadline(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, 350));
}
