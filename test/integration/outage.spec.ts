import { definePolicy, type TieredCache } from '../../src/cache/core';
import { cacheNode, coherentNode, eventually, held } from './cache-node';
import { RedisServer } from './redis-server';

/** Redis gone is slower, never wrong and never an error. Times are bounds that callers are promised, not measurements. */
describe('outages of Redis', () => {
  let redis: RedisServer;
  const nodes: TieredCache[] = [];
  const keep = (cache: TieredCache): TieredCache => {
    nodes.push(cache);
    return cache;
  };

  beforeEach(async () => {
    redis = await RedisServer.start();
  });
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(cache => cache.close()));
    await redis.stop();
  });

  test('F01: without a server at the start the loader answers, and the cache attaches when one comes', async () => {
    await redis.kill();
    const a = keep(cacheNode(redis));
    await a.ready();
    expect(a.status().remote.state).toBe('down');
    expect(await a.lookup('k', () => 'v')).toMatchObject({
      value: 'v',
      outcome: 'miss',
      cause: 'redis_down',
    });
    await redis.up();
    await eventually(() => a.status().remote.state === 'up');
    expect(await a.lookup('k2', () => 'v')).toMatchObject({ outcome: 'miss', cause: 'cold', stored: true });
  });

  test('F03: kill -9 under requests: every answer comes within a second, none is an error, and it heals by itself', async () => {
    const a = keep(await coherentNode(redis));
    const slowestMs: number[] = [];
    let running = true;
    const client = async (n: number): Promise<void> => {
      while (running) {
        const begin = performance.now();
        expect(await a.getOrSet(`k${n % 7}`, () => n, { policy: short })).toEqual(expect.any(Number));
        slowestMs.push(performance.now() - begin);
        await new Promise(resolve => setTimeout(resolve, 2));
      }
    };
    const short = definePolicy('short', { ttlMs: 50 });
    const clients = Array.from({ length: 16 }, (_, n) => client(n));
    await eventually(() => slowestMs.length > 200);
    await redis.kill();
    await eventually(() => a.status().remote.state === 'down');
    const before = slowestMs.length;
    await eventually(() => slowestMs.length > before + 200);
    await redis.up();
    await eventually(() => a.status().remote.state === 'up' && a.status().gate.open);
    running = false;
    await Promise.all(clients);
    expect(Math.max(...slowestMs)).toBeLessThan(1_000);
    expect(await a.lookup('after', () => 1)).toMatchObject({ stored: true });
    expect(a.stats().totals.outcomes.error).toBe(0);
  });

  test('F06: a frozen server delays a caller by the command timeout, not longer', async () => {
    const a = keep(await coherentNode(redis));
    redis.signal('SIGSTOP');
    const begin = performance.now();
    expect(await a.getOrSet('k', () => 'v')).toBe('v');
    expect(performance.now() - begin).toBeLessThan(1_000);
    await Promise.all(Array.from({ length: 10 }, (_, n) => a.getOrSet(`k${n}`, () => 'v')));
    await eventually(() => a.status().remote.state === 'down');
    const again = performance.now();
    await a.getOrSet('k99', () => 'v');
    expect(performance.now() - again).toBeLessThan(100);
    redis.signal('SIGCONT');
    await eventually(() => a.status().remote.state === 'up');
  });

  test('fail-safe: with Redis and the source away, what was last known is served as stale; what was invalidated here is not', async () => {
    const a = keep(await coherentNode(redis, { outageTtlMs: 0 }));
    const policy = definePolicy('safe', { failSafe: true });
    const down = (): Promise<string> => Promise.reject(new Error('source down'));
    const lookup = (key: string, loader: () => string | Promise<string>): ReturnType<typeof a.lookup> =>
      a.lookup(key, loader, { policy });
    for (const key of ['k', 'l'])
      await eventually(async () => (await lookup(key, () => 'v1')).outcome === 'l1_hit');
    await redis.kill();
    await eventually(() => a.status().remote.state === 'down' && !a.status().gate.open);
    expect(await lookup('k', down)).toMatchObject({ value: 'v1', outcome: 'stale_hit' });
    // What was loaded meanwhile is newer than what was kept from before.
    expect(await lookup('k', () => 'v2')).toMatchObject({ value: 'v2', outcome: 'miss' });
    expect(await lookup('k', down)).toMatchObject({ value: 'v2', outcome: 'stale_hit' });
    await a.invalidateKeys(['k', 'l']);
    await expect(lookup('k', down)).rejects.toThrow('source down');
    await expect(lookup('l', down)).rejects.toThrow('source down');
  });

  test('with Redis away a loader shares the load of another key that is under way', async () => {
    await redis.kill();
    const a = keep(cacheNode(redis));
    await a.ready();
    const inner = held<string>();
    let runs = 0;
    const load = (): Promise<string> => ((runs += 1), inner.promise);
    const first = a.getOrSet('inner', load);
    const outer = a.getOrSet('outer', async () => `outer of ${await a.getOrSet('inner', load)}`);
    inner.release('v');
    expect([await first, await outer, runs]).toEqual(['v', 'outer of v', 1]);
  });

  test('an invalidation that Redis did not hear is queued, said so, and made before anything is read again', async () => {
    const [a, b] = [keep(await coherentNode(redis)), keep(await coherentNode(redis))];
    let version = 1;
    const read = (cache: TieredCache): Promise<number> => cache.getOrSet('k', () => version, { tags: ['t'] });
    await read(a);
    expect(await read(b)).toBe(1);
    redis.signal('SIGSTOP');
    version = 2;
    expect(await a.invalidateTags(['t'])).toEqual({ applied: false, queued: true });
    expect(a.status().pendingInvalidations).toBeGreaterThan(0);
    expect(await read(a)).toBe(2);
    redis.signal('SIGCONT');
    await eventually(() => a.status().pendingInvalidations === 0);
    expect(await read(a)).toBe(2);
    await eventually(async () => (await read(b)) === 2);
  });

  test('an invalidation that Redis refused keeps everybody here from reading what it should have removed', async () => {
    const a = keep(await coherentNode(redis));
    await a.getOrSet('k', () => 'v1');
    await redis.admin().acl('SETUSER', 'default', '-evalsha', '-eval');
    expect(await a.invalidateKeys(['k'])).toEqual({ applied: false, queued: true });
    expect(a.status().remote.state).toBe('up');
    expect(await a.get('k')).toBeUndefined();
    await redis.admin().acl('SETUSER', 'default', '+evalsha', '+eval');
    await eventually(() => a.status().pendingInvalidations === 0);
    expect(await a.get('k')).toBeUndefined();
    expect(await a.getOrSet('k', () => 'v2')).toBe('v2');
  });

  test('while an invalidation is pending, what it concerns goes past Redis, and nothing else does', async () => {
    const a = keep(await coherentNode(redis));
    const policy = definePolicy('looked-up', { tier: 'redis' });
    const tagged = (key: string, tag: string): Promise<string> =>
      a.getOrSet(key, () => 'v1', { policy, tags: [tag] });
    await tagged('of t', 't');
    await tagged('of u', 'u');
    await a.getOrSet('of t, as the loader said', load => (load.addTags('t'), 'v1'), {
      policy,
      dynamicTags: true,
    });
    await redis.admin().acl('SETUSER', 'default', '-unlink');
    expect(await a.invalidateTags(['t'])).toEqual({ applied: false, queued: true });
    const loader = (): string => 'v2';
    expect(await a.lookup('of u', loader, { policy, tags: ['u'] })).toMatchObject({ outcome: 'l2_hit' });
    expect(await a.lookup('of t', loader, { policy, tags: ['t'] })).toMatchObject({
      value: 'v2',
      cause: 'redis_down',
    });
    // That it carries the tag only the entry says.
    expect(await a.get('of t, as the loader said', { policy })).toBeUndefined();
    await redis.admin().acl('SETUSER', 'default', '+unlink');
    await eventually(() => a.status().pendingInvalidations === 0);
    expect(await a.get('of t', { policy })).toBeUndefined();
    expect(await a.get('of u', { policy })).toBe('v1');
  });

  test('what was queued while the breaker was open over a connection that stands is made all the same', async () => {
    const [a, b] = [keep(await coherentNode(redis)), keep(await coherentNode(redis))];
    let version = 1;
    const read = (cache: TieredCache): Promise<number> => cache.getOrSet('k', () => version);
    await read(a);
    await read(b);
    redis.signal('SIGSTOP');
    // Shorter than the time after which a silent socket is given up.
    setTimeout(() => redis.signal('SIGCONT'), 430);
    await Promise.all(Array.from({ length: 6 }, (_, n) => a.set(`x${n}`, n)));
    version = 2;
    await a.invalidateKeys(['k']);
    await eventually(() => a.status().remote.state === 'up' && a.status().pendingInvalidations === 0);
    expect(await read(a)).toBe(2);
    await eventually(async () => (await read(b)) === 2);
  });

  test('a lease whose command failed is given back, so that nobody waits for it', async () => {
    const a = keep(await coherentNode(redis));
    const policy = definePolicy('long', { leaseMs: 30_000 });
    // The server knows the scripts by then: one that it has to ask for is not run after its caller has given up.
    await a.getOrSet('other', () => 'v', { policy });
    await redis.admin().call('CLIENT', 'PAUSE', '400', 'WRITE');
    expect(await a.getOrSet('k', () => 'v1', { policy })).toBe('v1');
    // Held back like all writes: what was sent before it has been done as well.
    await redis.admin().set('probe', '1');
    await eventually(
      async () => (await redis.admin().exists('test:1:l:{k}')) === 0 && a.status().remote.state === 'up',
    );
    expect(await a.lookup('k', () => 'v2', { policy, deadlineMs: 3_000 })).toMatchObject({ stored: true });
  });

  test('a server that is full when it is greeted is greeted all the same', async () => {
    await redis.admin().config('SET', 'maxmemory', '1');
    const a = keep(cacheNode(redis));
    await a.ready();
    expect(a.status().remote.state).toBe('up');
    expect(await a.invalidateKeys(['k'])).toEqual({ applied: true, queued: false });
  });

  test('after a restart of the server nothing of before is served, and recent invalidations are made again', async () => {
    const a = keep(await coherentNode(redis));
    await a.getOrSet('k', () => 'v1');
    await redis.admin().bgsave();
    await eventually(async () => (await redis.admin().lastsave()) > 0);
    await a.invalidateKeys(['k']);
    await redis.kill();
    await redis.up();
    await eventually(() => a.status().remote.state === 'up');
    expect(await a.getOrSet('k', () => 'v2')).toBe('v2');
  });

  test('in an outage a value is used again for a moment, but not under a policy that looks up each time', async () => {
    const a = keep(await coherentNode(redis));
    await redis.kill();
    await eventually(() => a.status().remote.state === 'down');
    let loads = 0;
    const load = (): number => (loads += 1);
    await a.getOrSet('k', load);
    await a.getOrSet('k', load);
    expect(loads).toBe(1);
    await a.invalidateKeys(['k']);
    await a.getOrSet('k', load);
    expect(loads).toBe(2);
    const always = definePolicy('always', { tier: 'redis' });
    await a.getOrSet('s', load, { policy: always });
    await a.getOrSet('s', load, { policy: always });
    expect(loads).toBe(4);
  });

  test('F22: a full server still removes what is invalidated', async () => {
    const a = keep(await coherentNode(redis));
    await a.getOrSet('k', () => 'v1', { tags: ['t'] });
    await redis.admin().config('SET', 'maxmemory', '1');
    expect(await a.getOrSet('k2', () => 'v')).toBe('v');
    expect(await a.invalidate({ keys: ['k'], tags: ['t'] })).toEqual({ applied: true, queued: false });
    expect(await redis.admin().exists('test:1:d:{k}')).toBe(0);
    await redis.admin().config('SET', 'maxmemory', '0');
    expect(await a.getOrSet('k', () => 'v2', { tags: ['t'] })).toBe('v2');
  });

  test('F26: SCRIPT FLUSH under traffic is not noticed', async () => {
    const a = keep(await coherentNode(redis));
    await a.getOrSet('k1', () => 1);
    await redis.admin().script('FLUSH');
    expect(await a.lookup('k2', () => 2)).toMatchObject({ stored: true, cause: 'cold' });
  });

  test('tokens minted in an outage are forgotten with it: afterwards entries of Redis are valid at once', async () => {
    const [a, b] = [keep(await coherentNode(redis)), keep(await coherentNode(redis))];
    await b.getOrSet('k', () => 'v', { tags: ['t'] });
    redis.signal('SIGSTOP');
    await Promise.all(Array.from({ length: 10 }, (_, n) => a.getOrSet(`x${n}`, () => n, { tags: ['t'] })));
    await eventually(() => a.status().remote.state === 'down');
    redis.signal('SIGCONT');
    await eventually(() => a.status().remote.state === 'up');
    expect(await a.lookup('k', () => 'again', { tags: ['t'] })).toMatchObject({ value: 'v', source: 'l2' });
  });
});
