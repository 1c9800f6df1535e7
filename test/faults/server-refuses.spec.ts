import { randomBytes } from 'node:crypto';
import { definePolicy } from '../../src/cache/core';
import { eventually } from '../integration/cache-node';
import { patientCommandTimeoutMs } from '../integration/redis-server';
import { Cluster } from './cluster';

describe('Redis refuses, forgets, or is not ready yet', () => {
  const cluster = Cluster.each(patientCommandTimeoutMs);
  const calls = async (name: string): Promise<number> => {
    const stats = await cluster.it.redis.admin().info('commandstats');
    return Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
  };

  test('F22: full, and evicting nothing: what must be removed is removed, the gate stays open, and nobody tries over and over', async () => {
    const { it } = cluster;
    const measures = it.measure('F22');
    const [a, b] = [await it.node(), await it.node()];
    for (const key of ['k', 'l', 'm']) await a.getOrSet(key, () => 'v1', { tags: ['t'] });
    // Each of the eight canaries of an instance has to be written once: renewing needs no memory, writing does.
    await eventually(async () => (await it.redis.admin().keys('test:1:~:*')).length === 16);
    await it.redis.admin().config('SET', 'maxmemory', '1');
    measures.fault();
    const before = (await calls('evalsha')) + (await calls('eval'));
    for (let n = 0; n < 20; n += 1) await measures.read(a, `new ${n}`);
    // Lease, tokens, and at most a fill and a lease given back.
    expect((await calls('evalsha')) + (await calls('eval')) - before).toBeLessThanOrEqual(20 * 4);
    expect(a.status().remote).toMatchObject({ state: 'up', breaker: 'closed' });
    expect(await b.invalidateKeys(['k'])).toEqual({ applied: true, queued: false });
    await eventually(async () => (await a.get('k')) === undefined);
    expect(await b.invalidateTags(['t'])).toEqual({ applied: true, queued: false });
    await eventually(async () => (await a.get('l')) === undefined);
    expect(await b.clear()).toEqual({ applied: true, queued: false });
    // Canaries are written and heard all the while.
    for (let heard = 0; heard < 3; heard += 1) {
      const sinceMs = performance.now();
      await eventually(() => (a.status().gate.ageMs ?? Infinity) < performance.now() - sinceMs);
    }
    expect(a.status().gate.open && b.status().gate.open).toBe(true);
    expect(measures.errors).toBe(0);
    await it.redis.admin().config('SET', 'maxmemory', '0');
    measures.healed();
    await measures.recovered(a);
  });

  test('F23: full, and evicting whatever it likes: loads are repeated, nothing stale is read', async () => {
    const { it } = cluster;
    const measures = it.measure('F23');
    const [a, b] = [await it.node(), await it.node()];
    const admin = it.redis.admin();
    const used = Number(/used_memory:(\d+)/.exec(await admin.info('memory'))![1]);
    await admin.config('SET', 'maxmemory', String(used + 600_000));
    await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const keys = Array.from({ length: 40 }, (_, n) => `k${n}`);
    const options = { tags: ['t'] };
    measures.fault();
    for (let round = 0; round < 12; round += 1) {
      for (const key of keys) await measures.read(a, key, options);
      for (const key of keys) await measures.read(b, key, options);
      // Pushes out what is there, whether entry, lease or token.
      await Promise.all(
        Array.from({ length: 100 }, (_, n) =>
          a.set(`filler ${round} ${n}`, randomBytes(1_000).toString('base64')),
        ),
      );
      const key = keys[round]!;
      measures.commit(key);
      const by = round % 2 === 0 ? a : b;
      expect((await by.invalidateKeys([key])).applied).toBe(true);
      measures.expectFresh(key);
      await measures.read(by, key, options);
      // The other one hears of it by a message.
      const other = by === a ? b : a;
      await eventually(
        async () =>
          (await other.lookup(key, () => measures.version(key), options)).value === measures.version(key),
      );
    }
    expect(Number(/evicted_keys:(\d+)/.exec(await admin.info('stats'))![1])).toBeGreaterThan(100);
    expect(measures.stale + measures.errors).toBe(0);
    await admin.config('SET', 'maxmemory', '0');
    measures.healed();
    await measures.recovered(a);
  });

  test('F23: what Redis evicts is dropped from every L1', async () => {
    const { it } = cluster;
    const measures = it.measure('F23 L1');
    const [a, b] = [await it.node(), await it.node()];
    for (const cache of [a, b]) await it.near(cache, measures, 'k');
    const admin = it.redis.admin();
    await admin.config('SET', 'maxmemory-policy', 'allkeys-random');
    await admin.config('SET', 'maxmemory', '1');
    await eventually(async () => {
      await admin.set('anything', 'x').catch((error: Error) => expect(error.message).toMatch(/^OOM/));
      return (await admin.exists('test:1:d:{k}')) === 0;
    });
    await eventually(() => a.status().l1Entries === 0 && b.status().l1Entries === 0);
  });

  test('F28: still loading its data: callers are answered by the source, and get no error of it', async () => {
    const { it } = cluster;
    const measures = it.measure('F28');
    const a = await it.node();
    const admin = it.redis.admin();
    await admin.call('DEBUG', 'POPULATE', '2000', 'bulk', '2000');
    await admin.save();
    await it.redis.kill();
    await eventually(() => a.status().remote.state === 'down');
    measures.fault();
    // A millisecond for each key, and a look at its clients after each kilobyte.
    it.redis.begin({ 'key-load-delay': '1000', 'loading-process-events-interval-bytes': '1024' });
    const probe = it.redis.client({ enableReadyCheck: false });
    await eventually(async () => {
      if (probe.status === 'end' || probe.status === 'wait') await probe.connect().catch(() => undefined);
      return probe.get('any').then(
        () => false,
        (error: Error) => error.message.startsWith('LOADING'),
      );
    });
    const fresh = it.newNode();
    for (let n = 0; n < 20; n += 1) for (const cache of [a, fresh]) await measures.read(cache, `k${n}`);
    measures.healed();
    await measures.coherent([a, fresh], 30_000);
    await measures.recovered(a);
    expect(measures.errors).toBe(0);
  });

  test('F27: a user who may no longer do what the cache does: the source answers, and it heals with the rights', async () => {
    const { it } = cluster;
    const measures = it.measure('F27');
    const a = await it.node();
    const admin = it.redis.admin();
    const states: string[] = [];
    a.events.on('remote', ({ state, breaker, reason }) => states.push(`${state} ${breaker} ${reason ?? ''}`));
    await admin.acl('SETUSER', 'default', '-mget', '-evalsha', '-eval');
    measures.fault();
    const policy = definePolicy('looked up', { tier: 'redis' });
    for (let n = 0; n < 30; n += 1) await measures.read(a, `k${n}`, { policy });
    expect(measures.errors).toBe(0);
    expect(states[0]).toMatch(/^down open /);
    // Once for each change, not once for each call; what the server said of the user is not passed on.
    expect(states.length).toBeLessThan(15);
    expect(states.join('\n')).not.toMatch(/default|permission/i);
    await admin.acl('SETUSER', 'default', '+mget', '+evalsha', '+eval');
    measures.healed();
    await measures.coherent([a]);
    await measures.recovered(a);
  });
});
