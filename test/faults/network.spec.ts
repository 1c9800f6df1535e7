import { randomBytes } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { definePolicy, type TieredCache } from '../../src/cache/core';
import { eventually, type CacheNodeOptions } from '../integration/cache-node';
import { Cluster } from './cluster';
import { expectToSurviveFlapping } from './flapping';
import { TcpProxy } from './tcp-proxy';

const patienceMs = 300 + 2_000;

describe('the network between an instance and Redis', () => {
  const cluster = Cluster.each();
  let data: TcpProxy;
  let tracker: TcpProxy;
  /** An instance whose two connections go through a proxy each. */
  const behind = (options: CacheNodeOptions = {}): Promise<TieredCache> =>
    cluster.it.node({ dataPort: data.port, trackerPort: tracker.port, ...options });

  beforeEach(async () => {
    data = await TcpProxy.start(cluster.it.redis.port);
    tracker = await TcpProxy.start(cluster.it.redis.port);
  });
  afterEach(async () => {
    await Promise.all([data.stop(), tracker.stop()]);
  });

  test('F02: connections refused: what was under way is answered by the source, and so is all that follows', async () => {
    const measures = cluster.it.measure('F02');
    const a = await behind();
    data.hold();
    const underWay = Array.from({ length: 20 }, (_, n) => measures.read(a, `k${n}`));
    await turn();
    measures.fault();
    data.refuse();
    data.cut();
    await Promise.all(underWay);
    await measures.detected(() => a.status().remote.state === 'down');
    for (let n = 0; n < 100; n += 1) await measures.read(a, `k${n}`);
    expect(measures.slowestMs).toBeLessThan(patienceMs);
    expect(measures.loads).toBeGreaterThanOrEqual(100);
    data.pass();
    measures.healed();
    await measures.coherent([a]);
    await measures.recovered(a);
    expect(measures.errors).toBe(0);
  });

  test('F11: bytes vanish on the way to Redis: callers are answered, and a dead connection is not taken for a living one', async () => {
    const measures = cluster.it.measure('F11');
    const a = await behind();
    data.blackhole();
    measures.fault();
    for (let n = 0; n < 10; n += 1) await measures.read(a, `k${n}`);
    expect(measures.slowestMs).toBeLessThan(patienceMs);
    await measures.detected(() => a.status().remote.state === 'down');
    await eventually(() => cluster.it.closes > 0);
    // Nobody asks any more while it lasts.
    measures.fault();
    for (let n = 0; n < 100; n += 1) await measures.read(a, `k${n}`);
    expect(measures.slowestMs).toBeLessThan(patienceMs);
    data.pass();
    measures.healed();
    await measures.coherent([a]);
    await measures.recovered(a);
    expect(measures.errors).toBe(0);
  });

  test('F12: word of changes vanishes, nothing else: L1 is stale for Δ at most, then it is not used', async () => {
    const boundMs = 700;
    const measures = cluster.it.measure('F12');
    const [a, b] = [await behind({ maxL1StalenessMs: boundMs }), await cluster.it.node()];
    await cluster.it.near(a, measures, 'k');
    tracker.blackhole();
    measures.fault();
    measures.commit('k');
    expect(await b.invalidateKeys(['k'])).toEqual({ applied: true, queued: false });
    const invalidatedMs = performance.now();
    let staleForMs = 0;
    do {
      // A turn of its own for each read: the clock of L1 is at most one turn old.
      await turn();
      const beginMs = performance.now();
      if ((await measures.read(a, 'k')).value === 1) staleForMs = beginMs - invalidatedMs;
    } while (performance.now() - invalidatedMs < 2 * boundMs);
    expect(staleForMs).toBeLessThanOrEqual(boundMs);
    expect(a.status()).toMatchObject({ gate: { open: false }, remote: { state: 'up' } });
    measures.expectFresh('k');
    for (let n = 0; n < 5; n += 1) expect((await measures.read(a, 'k')).source).not.toBe('l1');
    tracker.pass();
    measures.healed();
    await measures.coherent([a]);
    await cluster.it.near(a, measures, 'k');
    expect(measures.stale + measures.errors).toBe(0);
  });

  test('F14: the connection for data is killed: those who hear of changes go on hearing', async () => {
    const measures = cluster.it.measure('F14');
    const [a, b] = [await behind(), await cluster.it.node()];
    await cluster.it.near(a, measures, 'k');
    const flushes: string[] = [];
    a.events.on('flush', ({ reason }) => flushes.push(reason));
    measures.fault();
    data.cut();
    await measures.detected(() => cluster.it.closes > 0);
    measures.commit('k');
    expect(await b.invalidateKeys(['k'])).toEqual({ applied: true, queued: false });
    await eventually(async () => (await measures.read(a, 'k')).value === 2);
    measures.expectFresh('k');
    measures.healed();
    await measures.coherent([a]);
    await measures.recovered(a);
    await cluster.it.near(a, measures, 'k');
    expect(flushes).toEqual([]);
    expect(measures.stale + measures.errors).toBe(0);
  });

  test.each([
    ['a byte of every reply is another', (proxy: TcpProxy) => proxy.corrupt()],
    ['replies end in the middle', (proxy: TcpProxy) => proxy.truncateAfter(5_000)],
    ['every byte is a packet of its own', (proxy: TcpProxy) => proxy.slice()],
  ])('F18: %s: no caller gets anything but the value', async (_what, damage) => {
    const measures = cluster.it.measure('F18');
    const [a, b] = [await behind(), await cluster.it.node()];
    // Larger than everything else in a reply, so that it is mostly values that are hit.
    const values = new Map(
      Array.from({ length: 30 }, (_, n) => [`k${n}`, randomBytes(2_000).toString('base64')]),
    );
    for (const [key, value] of values) await b.getOrSet(key, () => value);
    damage(data);
    measures.fault();
    for (let round = 0; round < 3; round += 1) {
      for (const [key, value] of values) {
        expect(await a.getOrSet(key, () => value, { policy: lookedUp })).toBe(value);
      }
    }
    data.pass();
    measures.healed();
    await measures.coherent([a]);
    for (const [key, value] of values) expect(await a.getOrSet(key, () => value)).toBe(value);
    for (const [key, value] of values) expect(await b.getOrSet(key, () => value)).toBe(value);
    await measures.recovered(a);
  });

  test('F18: a connection that brings bytes and no answers while the server is greeted is made anew', async () => {
    const measures = cluster.it.measure('F18 greeting');
    const a = await behind();
    data.corrupt('length');
    measures.fault();
    data.cut();
    await measures.detected(() => a.status().remote.reason === 'timeout');
    data.pass();
    measures.healed();
    await measures.coherent([a]);
    await measures.recovered(a);
    expect(measures.errors).toBe(0);
  });

  test('F20: a connection that comes and goes leaves no handle and no listener behind, and never too many loads', async () => {
    const measures = cluster.it.measure('F20');
    const flapping = { data, tracker, cluster: cluster.it, measures, forMs: 2_000, eachMs: 100 };
    await expectToSurviveFlapping(await behind(), flapping);
  });

  test('F54: an instance that does not read what it is told is cut off by the server, and starts over', async () => {
    const measures = cluster.it.measure('F54');
    const { redis } = cluster.it;
    const [a, b] = [await behind(), await cluster.it.node()];
    await cluster.it.near(a, measures, 'k');
    await redis.admin().config('SET', 'client-output-buffer-limit', 'pubsub 65536 65536 1');
    const listening = async (): Promise<number> =>
      String(await redis.admin().call('CLIENT', 'LIST', 'TYPE', 'pubsub'))
        .trim()
        .split('\n').length;
    expect(await listening()).toBe(2);
    tracker.hold();
    measures.fault();
    measures.commit('k');
    expect(await b.invalidateKeys(['k'])).toEqual({ applied: true, queued: false });
    // More than sockets and systems keep for somebody who does not read.
    const flood = `for i = 1, 20000 do redis.call('SET', 'test:1:d:{' .. ARGV[1] .. i .. '}', '') end`;
    await eventually(async () => {
      await redis.admin().eval(flood, 0, 'x'.repeat(180));
      return (await listening()) < 2;
    }, 20_000);
    await measures.detected(() => !a.status().gate.open);
    measures.expectFresh('k');
    for (let n = 0; n < 5; n += 1) await measures.read(a, 'k');
    tracker.pass();
    measures.healed();
    await measures.coherent([a]);
    await cluster.it.near(a, measures, 'k');
    expect(measures.stale + measures.errors).toBe(0);
  });
});

describe('the network between Redis and an instance that waits long for it', () => {
  const cluster = Cluster.each(1_500);
  let data: TcpProxy;
  beforeEach(async () => {
    data = await TcpProxy.start(cluster.it.redis.port);
  });
  afterEach(() => data.stop());

  // Here a probe brings bytes before the client takes the socket for idle, each time.
  test('F18: a connection that brings bytes and no answers while it is probed is made anew', async () => {
    const measures = cluster.it.measure('F18 probes');
    const a = await cluster.it.node({ dataPort: data.port });
    await cluster.it.near(a, measures, 'k');
    data.corrupt('length');
    measures.fault();
    await measures.detected(() => a.status().remote.reason === 'timeout');
    data.pass();
    measures.healed();
    await measures.coherent([a], 20_000);
    await measures.recovered(a);
    expect(measures.errors).toBe(0);
  });
});

/** Looked up each time, so that every read goes over the wire. */
const lookedUp = definePolicy('looked up', { refreshAheadFraction: 0 });
