import { CacheDeadlineError, definePolicy, type TieredCache } from '../../src/cache/core';
import { appNodes, coherentAppNode, type AppNodeOptions } from './app-node';
import { slotOf } from '../../src/cache/redis/slots';
import { eventually, held } from './cache-node';
import { RedisCluster } from './redis-cluster';

/** What the cache does on one Redis it does on a Cluster of three masters. */
describe('a Redis Cluster', () => {
  let cluster: RedisCluster;
  const nodes = appNodes();
  const instance = (options?: AppNodeOptions): Promise<TieredCache> =>
    nodes.keep(coherentAppNode(cluster.url, { commandTimeoutMs: 2_000, ...options }));
  const names = Array.from({ length: 30 }, (_, n) => `k${n}`);

  beforeAll(async () => {
    cluster = await RedisCluster.start();
  }, 60_000);
  afterEach(async () => {
    await nodes.close();
    for (const node of cluster.nodes) await node.admin().flushall();
  });
  afterAll(() => cluster.stop());

  test('keys on all nodes are loaded once and read by others', async () => {
    const [a, b] = [await instance(), await instance()];
    for (const name of names) expect(await a.getOrSet(name, () => `${name}!`)).toBe(`${name}!`);
    const sizes = await Promise.all(cluster.nodes.map(node => node.admin().dbsize()));
    expect(Math.min(...sizes)).toBeGreaterThan(0);
    for (const name of names)
      expect(await b.lookup(name, () => 'again')).toMatchObject({ value: `${name}!`, source: 'l2' });
    expect((await b.getMany(names)).size).toBe(names.length);
  });

  test('the first reads of a new instance, all at once, find connections to every node', async () => {
    const a = await instance();
    const answers = await Promise.all(names.map(name => a.lookup(name, () => 'v')));
    expect(answers.filter(({ cause, stored }) => cause !== 'cold' || !stored)).toEqual([]);
  });

  test('one load for two instances and many callers', async () => {
    const [a, b] = [await instance(), await instance()];
    for (const name of names.slice(0, 9)) {
      let loads = 0;
      const value = held<string>();
      const load = (): Promise<string> => ((loads += 1), value.promise);
      const answers = [a, b, a, b].map(cache => cache.getOrSet(name, load));
      await eventually(() => loads === 1);
      value.release('v');
      expect(await Promise.all(answers)).toEqual(['v', 'v', 'v', 'v']);
      expect(loads).toBe(1);
    }
  });

  test('an invalidation by another instance reaches L1, wherever the key stands', async () => {
    const [a, b] = [await instance(), await instance()];
    let version = 1;
    for (const name of names) {
      await a.getOrSet(name, () => version);
      await eventually(async () => (await b.lookup(name, () => version)).outcome === 'l1_hit');
    }
    version = 2;
    expect(await a.invalidateKeys(names)).toEqual({ applied: true, queued: false });
    for (const name of names) expect(await a.getOrSet(name, () => version)).toBe(2);
    for (const name of names) await eventually(async () => (await b.getOrSet(name, () => version)) === 2);
  });

  test('a tag reaches its entries on all nodes, static or dynamic', async () => {
    const [a, b] = [await instance(), await instance()];
    let version = 1;
    const read = (cache: TieredCache, name: string): Promise<number> =>
      cache.getOrSet(name, load => (name.endsWith('1') && load.addTags('t'), version), {
        ...(!name.endsWith('1') && { tags: ['t'] }),
        dynamicTags: name.endsWith('1'),
      });
    for (const name of names) {
      await read(a, name);
      expect(await read(b, name)).toBe(1);
    }
    version = 2;
    expect(await a.invalidateTags(['t'])).toEqual({ applied: true, queued: false });
    for (const name of names) expect([name, await read(a, name)]).toEqual([name, 2]);
    for (const name of names) await eventually(async () => (await read(b, name)) === 2);
  });

  test('a tag invalidated during a load with dynamic tags is not lost, whichever nodes its tokens stand on', async () => {
    const a = await instance();
    for (const tag of names.slice(0, 9)) {
      const loading = held<string>();
      const first = a.getOrSet(`of ${tag}`, async load => (load.addTags(tag), loading.promise), {
        dynamicTags: true,
      });
      await eventually(() => a.status().loadsInFlight === 1);
      await a.invalidateTags([tag]);
      loading.release('old');
      await first;
      expect(await a.getOrSet(`of ${tag}`, load => (load.addTags(tag), 'new'), { dynamicTags: true })).toBe(
        'new',
      );
    }
  });

  test('a tag is removed after `!any` and not before: a load with dynamic tags that ends in between is not lost', async () => {
    const [a, b] = [
      await instance({ commandTimeoutMs: 10_000 }),
      await instance({ commandTimeoutMs: 10_000 }),
    ];
    const home = await cluster.ownerOf('!any');
    const other = cluster.nodes.find(node => node !== home)!;
    const [key, tag] = [await cluster.nameOn(other, 'key'), await cluster.nameOn(other, 'tag')];
    await b.getOrSet('earlier', () => 'v', { tags: [tag] });
    const loading = held<string>();
    const first = a.getOrSet(key, async load => (load.addTags(tag), loading.promise), { dynamicTags: true });
    await eventually(() => a.status().loadsInFlight === 1);
    await home.admin().call('CLIENT', 'PAUSE', '60000', 'WRITE');
    const invalidated = b.invalidateTags([tag]);
    // As long as `!any` stands the tag stands. Were it the other way round, it would be gone by the end of this.
    const isGone = async (): Promise<boolean> => (await other.admin().exists(`test:1:t:{${tag}}`)) === 0;
    for (let look = 0; look < 100 && !(await isGone()); look += 1)
      await new Promise(resolve => setTimeout(resolve, 5));
    loading.release('old');
    expect(await first).toBe('old');
    await home.admin().call('CLIENT', 'UNPAUSE');
    expect(await invalidated).toEqual({ applied: true, queued: false });
    await eventually(async () => (await b.getOrSet(key, () => 'new')) === 'new');
    await eventually(async () => (await a.getOrSet(key, () => 'newer')) === 'new');
  }, 60_000);

  test('an invalidation during a load reaches it on another instance, also when nothing was there before', async () => {
    const [a, b] = [await instance(), await instance()];
    for (const name of names.slice(0, 6)) {
      const loading = held<string>();
      const first = b.getOrSet(name, () => loading.promise);
      await eventually(() => b.status().loadsInFlight === 1);
      await a.invalidateKeys([name]);
      await eventually(
        async () => (await soon(b.getOrSet(name, () => 'new', { deadlineMs: 100 }))) === 'new',
      );
      loading.release('old');
      expect(await first).toBe('old');
      expect(await a.getOrSet(name, () => 'newer')).toBe('new');
    }
  });

  test('set, versions, local entries and the namespace work across nodes', async () => {
    const [a, b] = [await instance(), await instance()];
    for (const name of names.slice(0, 9)) {
      expect(await a.set(name, 'v5', { version: 5 })).toEqual({ applied: true, queued: false });
      expect(await a.set(name, 'v4', { version: 4 })).toEqual({ applied: false, queued: false });
      expect(await b.get(name)).toBe('v5');
    }
    const policy = definePolicy('here', { tier: 'local' });
    await b.getOrSet('local', () => 'v1', { policy });
    await a.invalidateKeys(['local']);
    await eventually(async () => (await b.getOrSet('local', () => 'v2', { policy })) === 'v2');
    expect(await a.clear()).toEqual({ applied: true, queued: false });
    for (const name of names.slice(0, 9)) expect(await a.get(name)).toBeUndefined();
    for (const name of names.slice(0, 9)) await eventually(async () => (await b.get(name)) === undefined);
  });

  test('a pattern clears what matches on every node, counts it, and only looks when asked to', async () => {
    const a = await instance();
    for (let n = 0; n < 60; n += 1) await a.getOrSet(`${n % 2 ? 'odd' : 'even'}:${n}`, () => n);
    expect(await a.clearMatching('odd:*', { dryRun: true })).toMatchObject({
      matched: 30,
      removed: 0,
      done: true,
    });
    expect(await a.clearMatching('odd:*')).toMatchObject({ matched: 30, removed: 30, done: true, passes: 1 });
    for (let n = 0; n < 60; n += 1) {
      const found = await a.get(`${n % 2 ? 'odd' : 'even'}:${n}`);
      expect(found).toBe(n % 2 ? undefined : n);
    }
    const stop = new AbortController();
    stop.abort();
    expect(await a.clearMatching('*', { signal: stop.signal })).toMatchObject({ removed: 0, done: false });
  });

  test('the numbers of all servers are added up, and a job is led by one', async () => {
    const [a, b] = [await instance(), await instance()];
    await a.getOrSet('k', () => 'v');
    expect(await a.remoteInfo()).toMatchObject({ connectedClients: expect.any(Number) as number });
    const leads = await Promise.all([a.cluster.lead('job', 1, 10_000), b.cluster.lead('job', 1, 10_000)]);
    expect(leads.filter(lead => lead === 'busy')).toHaveLength(1);
    await a.cluster.addScores('r', [['x', 2]], { keep: 3, halfLifeMs: 10_000, ttlMs: 10_000 });
    expect(await b.cluster.topScores('r', 3)).toEqual([['x', 2]]);
    expect(a.status()).toMatchObject({ remote: { state: 'up', breaker: 'closed' }, gate: { open: true } });
  });

  test('what was explained names the entry wherever it stands', async () => {
    const a = await instance();
    for (const name of names.slice(0, 6)) {
      await a.getOrSet(name, () => 'v');
      expect((await a.explain(name)).entries).toContainEqual(
        expect.objectContaining({ tier: 'l2', ageMs: expect.any(Number) as number }),
      );
    }
  });

  test('F35: a slot is moved under load: no caller sees an error, nothing stale is answered', async () => {
    const [a, b] = [await instance(), await instance()];
    const name = 'moved';
    const slot = slotOf(name);
    const from = await cluster.ownerOf(name);
    const to = cluster.nodes.find(node => node !== from)!;
    const policy = definePolicy('short', { ttlMs: 200 });
    let version = 1;
    let running = true;
    let reads = 0;
    const seen = new Map<TieredCache, number>([
      [a, 0],
      [b, 0],
    ]);
    const reader = async (cache: TieredCache): Promise<void> => {
      while (running) {
        const atLeast = seen.get(cache)!;
        const value = await cache.getOrSet(name, () => version, { policy });
        expect(value).toBeGreaterThanOrEqual(atLeast);
        reads += 1;
        await new Promise(resolve => setImmediate(resolve));
      }
    };
    const writer = async (): Promise<void> => {
      while (running) {
        version += 1;
        const written = version;
        const { applied } = await a.invalidateKeys([name]);
        // What is promised to hold on this instance from now on.
        if (applied) seen.set(a, written);
        await new Promise(resolve => setTimeout(resolve, 5));
      }
    };
    const work = Promise.all([reader(a), reader(a), reader(b), writer()]);
    await eventually(() => reads > 50);
    await cluster.beginMoving(slot, from, to);
    for (let round = 0; round < 20; round += 1) {
      await cluster.moveKeys(slot, from, to);
      const before = reads;
      await eventually(() => reads > before + 10);
    }
    await cluster.moveKeys(slot, from, to);
    await cluster.endMoving(slot, to);
    const before = reads;
    await eventually(() => reads > before + 50);
    running = false;
    await work;
    await eventually(() => a.status().pendingInvalidations === 0);
    const last = (version += 1);
    await eventually(async () => (await a.invalidateKeys([name])).applied);
    expect(await a.getOrSet(name, () => last, { policy })).toBe(last);
    await eventually(async () => (await b.getOrSet(name, () => last, { policy })) === last);
    expect(a.stats().totals.outcomes.error + b.stats().totals.outcomes.error).toBe(0);
    expect(await a.lookup('elsewhere', () => 1)).toMatchObject({ stored: true });
  }, 60_000);

  test('while a slot is moving its entries are served from L1, and invalidations are made and heard', async () => {
    const [a, b] = [await instance(), await instance({ outageTtlMs: 0 })];
    const name = 'halfway';
    const slot = slotOf(name);
    const from = await cluster.ownerOf(name);
    const to = cluster.nodes.find(node => node !== from)!;
    const flushes: string[] = [];
    b.events.on('flush', ({ reason }) => flushes.push(reason));
    await a.getOrSet(name, () => 'v1');
    await cluster.beginMoving(slot, from, to);
    try {
      await eventually(() => flushes.includes('topology_changed'));
      await eventually(async () => (await b.lookup(name, () => 'v2')).outcome === 'l1_hit');
      expect(await a.invalidateKeys([name])).toEqual({ applied: true, queued: false });
      await eventually(async () => (await b.getOrSet(name, () => 'v2')) === 'v2');
      expect(await a.getOrSet(name, () => 'v2')).toBe('v2');
    } finally {
      await cluster.moveKeys(slot, from, to);
      await cluster.endMoving(slot, to);
    }
    await eventually(async () => (await b.lookup(name, () => 'v3')).stored);
    await eventually(async () => (await b.lookup(name, () => 'v4')).outcome === 'l1_hit');
    await a.invalidateKeys([name]);
    await eventually(async () => (await b.getOrSet(name, () => 'v5')) === 'v5');
  }, 60_000);

  test('a changed map of slots empties L1', async () => {
    const a = await instance();
    const flushes: string[] = [];
    a.events.on('flush', ({ reason }) => flushes.push(reason));
    await eventually(async () => (await a.lookup('stays', () => 'v')).outcome === 'l1_hit');
    const slot = slotOf('goes');
    const from = await cluster.ownerOf('goes');
    const to = cluster.nodes.find(node => node !== from)!;
    await cluster.endMoving(slot, to);
    await eventually(() => flushes.includes('topology_changed'));
    expect(await a.lookup('stays', () => 'again')).toMatchObject({ value: 'v', source: 'l2' });
  });
});

/** What was answered within the caller's deadline. */
async function soon<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof CacheDeadlineError) return undefined;
    throw error;
  }
}
