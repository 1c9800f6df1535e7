import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { definePolicy, SystemClock, type Lead, type TieredCache } from '../../src/cache/core';
import { NodeHash } from '../../src/cache/node/node-hash';
import { RedisConnections } from '../../src/redis/redis-connections';
import { RedisTier, type RedisClients } from '../../src/cache/redis';
import { CoherenceMetrics } from '../../src/metrics/coherence-metrics';
import { PrometheusRegistry } from '../../src/metrics/prometheus-registry';
import { appNode, appNodes, coherentAppNode, type AppNodeOptions } from './app-node';
import { eventually } from './cache-node';
import { RedisCluster } from './redis-cluster';
import { RedisProcess } from './redis-process';

/** The connections to one Redis, as the application makes them. */
describe('the Redis tier', () => {
  let redis: RedisProcess;
  const nodes = appNodes();
  const urlOf = (server: RedisProcess, login = ''): string => `redis://${login}${server.address}`;
  const instance = (options?: AppNodeOptions): Promise<TieredCache> =>
    nodes.keep(coherentAppNode(urlOf(redis), options));

  beforeEach(async () => {
    redis = await RedisProcess.server();
  });
  afterEach(async () => {
    await nodes.close();
    await redis.stop();
  });

  test('F09: while the server holds back writes, reads are answered', async () => {
    const a = await instance();
    const policy = definePolicy('looked-up', { tier: 'redis' });
    for (let n = 0; n < 20; n += 1) await a.getOrSet(`k${n}`, () => 'v', { policy });
    await redis.admin().call('CLIENT', 'PAUSE', '800', 'WRITE');
    // A write that waits stands before nothing that is read.
    const write = a.invalidateKeys(['other']);
    for (let n = 0; n < 20; n += 1)
      expect(await a.lookup(`k${n}`, () => 'source', { policy })).toMatchObject({ source: 'l2', value: 'v' });
    await write;
    await redis.admin().set('probe', '1'); // held back like all writes: they are over
    await eventually(() => a.status().remote.state === 'up' && a.status().pendingInvalidations === 0);
  });

  test('F16: a tracker in RESP3 hears nothing: it is said aloud, once, and the cache runs without L1', async () => {
    const resp3 = (clients: RedisClients): RedisClients => ({
      data: purpose => clients.data(purpose),
      tracker: () =>
        new Redis(redis.port, '127.0.0.1', { lazyConnect: true, protocol: 3, disableClientInfo: true }),
    });
    const a = await nodes.keep(
      appNode(urlOf(redis), { clients: resp3, maxL1StalenessMs: 300, heartbeatMs: 50 }),
    );
    const said: (string | undefined)[] = [];
    a.events.on('tracking', ({ reason }) => said.push(reason));
    await eventually(() => a.status().gate.reason !== undefined);
    expect(a.status().gate).toMatchObject({ open: false, reason: 'no canary received within 300 ms' });
    // It begins anew again and again, and says it no more.
    await eventually(() => (a.status().gate.armings ?? 0) > 2, 20_000);
    expect(said).toEqual(['no canary received within 300 ms']);
    await a.getOrSet('k', () => 'v');
    for (let n = 0; n < 5; n += 1) expect((await a.lookup('k', () => 'again')).source).toBe('l2');
    expect(a.status().remote.state).toBe('up');
  });

  test('tracking that is refused is named, and heals by itself when it is allowed', async () => {
    await redis.admin().acl('SETUSER', 'app', 'on', '>secret', '~*', '&*', '+@all', '-client|tracking');
    const a = await nodes.keep(
      appNode(urlOf(redis, 'app:secret@'), { maxL1StalenessMs: 300, heartbeatMs: 50 }),
    );
    const said: (string | undefined)[] = [];
    a.events.on('tracking', ({ reason }) => said.push(reason));
    await eventually(() => said.length === 1);
    expect(said[0]).toBe('tracking refused, so no canary received: NOPERM for client|tracking');
    expect(await a.lookup('k', () => 'v')).toMatchObject({ stored: true });
    await redis.admin().acl('SETUSER', 'app', '+client|tracking');
    await eventually(() => a.status().gate.open, 20_000);
    expect(said[1]).toBeUndefined();
    expect(a.status().gate.reason).toBeUndefined();
    await eventually(async () => (await a.lookup('k', () => 'again')).outcome === 'l1_hit');
  });

  test('the time that word of a change takes is measured with each canary and exported', async () => {
    const a = await instance();
    const metrics = new PrometheusRegistry();
    const coherence = new CoherenceMetrics(a, metrics);
    await eventually(async () => /cache_coherence_lag_seconds_count [1-9]/.test(await metrics.text()));
    const text = await metrics.text();
    expect(text).toMatch(/cache_coherence_lag_seconds_bucket\{le="2"\} [1-9]/);
    expect(text).toMatch(/\ncache_gate_age_seconds [\d.e-]+\n/);
    expect(text).toContain('\ncache_gate_open 1\n');
    expect(text).toContain('\ncache_tracking_armings_total 1\n');
    await a.getOrSet('k', () => 'v');
    const timed = await metrics.text();
    for (const operation of ['read', 'lease', 'fill'])
      expect(timed).toMatch(
        new RegExp(
          `cache_operation_duration_seconds_count\\{operation="${operation}",failed="false"\\} [1-9]`,
        ),
      );
    coherence.onApplicationShutdown();
    metrics.onApplicationShutdown();
  });

  test('F30: the server becomes a replica: the gate shuts, invalidations are queued, and made when there is a master again', async () => {
    const a = await instance();
    await a.getOrSet('k', () => 'v1');
    await eventually(async () => (await a.lookup('k', () => '')).outcome === 'l1_hit');
    const connections = async (): Promise<string> => String(await redis.admin().client('LIST'));
    const idOf = (list: string): string | undefined => /id=(\d+) .*name=sutazai-writes/.exec(list)?.[1];
    const before = idOf(await connections());
    await redis.admin().replicaof('127.0.0.1', 1);
    expect(await a.invalidateKeys(['k'])).toEqual({ applied: false, queued: true });
    expect(a.status()).toMatchObject({ remote: { state: 'down' }, gate: { open: false } });
    expect(await a.getOrSet('k', () => 'v2')).toBe('v2');
    // It connects anew: whoever leads to the master is asked again.
    await eventually(async () => ![before, undefined].includes(idOf(await connections())));
    expect(a.status().remote).toMatchObject({ state: 'down', reason: 'READONLY' });
    await redis.admin().replicaof('NO', 'ONE');
    await eventually(() => a.status().remote.state === 'up' && a.status().pendingInvalidations === 0, 20_000);
    expect(await a.getOrSet('k', () => 'v3')).not.toBe('v1');
  });

  test('a connection that was lost leads to the same server, a restart to another one: then what was invalidated lately is made again', async () => {
    const greeted: boolean[] = [];
    const connections = await RedisConnections.open({
      mode: 'url',
      url: urlOf(redis),
      commandTimeoutMs: 300,
      connectTimeoutMs: 1_000,
    });
    const tier = new RedisTier({
      namespace: 'test',
      clients: connections,
      clock: new SystemClock(),
      hash: new NodeHash(),
    });
    const { store } = tier.attach({
      keyChanged: () => undefined,
      tokenChanged: () => undefined,
      flush: () => undefined,
      stateChanged: () => undefined,
      beforeReads: async (sameServer, replay) => {
        greeted.push(sameServer);
        await replay(['k'], ['!any', 't']);
      },
    });
    store.open();
    await store.opened();
    await redis.admin().call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await eventually(() => greeted.length > 1 && store.available);
    expect(greeted.slice(1)).not.toContain(false);
    await redis.kill();
    await eventually(() => !store.available);
    await redis.up();
    await eventually(() => store.available);
    expect(greeted.filter(sameServer => !sameServer)).toHaveLength(2);
    await store.close();
    await connections.close();
  });

  test('tokens that L1 relies on are touched, so that the server does not take them for unused', async () => {
    const a = await instance({ touchMs: 50 });
    await a.getOrSet('k', () => 'v', { tags: ['hot', 'hotter'] });
    await eventually(
      async () => (await a.lookup('k', () => '', { tags: ['hot', 'hotter'] })).outcome === 'l1_hit',
    );
    // A plain socket: the client breaks off where a line of MONITOR comes together with its OK.
    const monitor = connect(redis.port, '127.0.0.1').setEncoding('utf8');
    let seen = '';
    monitor.on('data', (text: string) => (seen += text)).write('MONITOR\r\n');
    const touched = (key: string): boolean =>
      seen.split('\n').some(line => /"touch"/i.test(line) && line.includes(`"${key}"`));
    const expected = ['test:1:t:{hot}', 'test:1:t:{hotter}', 'test:1:t:{!ns}'];
    await eventually(() => expected.every(touched));
    monitor.destroy();
  });

  describe('durable invalidations', () => {
    let replica: RedisProcess;
    beforeEach(async () => {
      replica = await RedisProcess.server({
        replicaof: `127.0.0.1 ${redis.port}`,
        'repl-diskless-sync-delay': 0,
      });
      await redis.admin().config('SET', 'repl-diskless-sync-delay', '0');
      await eventually(
        async () => /master_link_status:up/.test(await replica.admin().info('replication')),
        20_000,
      );
    });
    afterEach(() => replica.stop());

    test('say whether a replica has confirmed them; with the replica frozen they are applied all the same', async () => {
      const a = await instance();
      await a.getOrSet('k', () => 'v', { tags: ['t'] });
      const durability = { replicas: 1, timeoutMs: 10_000 };
      expect(await a.invalidate({ keys: ['k'], tags: ['t'] }, durability)).toEqual({
        applied: true,
        queued: false,
        durable: true,
      });
      expect(await replica.admin().exists('test:1:d:{k}')).toBe(0);
      await a.getOrSet('k', () => 'v', { tags: ['t'] });
      replica.signal('SIGSTOP');
      const short = { replicas: 1, timeoutMs: 400 };
      // One waits behind the other, and neither for longer than it asked for; others wait for nobody.
      const both = Promise.all([
        a.invalidate({ keys: ['k'] }, short),
        a.invalidate({ tags: ['t'] }, { replicas: 1, timeoutMs: 100 }),
      ]);
      const begunMs = performance.now();
      expect(await a.invalidateKeys(['other'])).toEqual({ applied: true, queued: false });
      const plainMs = performance.now() - begunMs;
      expect(await both).toEqual([
        { applied: true, queued: false, durable: false },
        { applied: true, queued: false, durable: false },
      ]);
      expect(plainMs).toBeLessThan(performance.now() - begunMs);
      expect(await a.getOrSet('k', () => 'v2', { tags: ['t'] })).toBe('v2');
      replica.signal('SIGCONT');
      expect(await a.invalidate({ keys: ['k'] }, durability)).toMatchObject({ durable: true });
    }, 60_000);
  });

  test('a durable invalidation without replicas is applied and not durable', async () => {
    const a = await instance();
    await a.getOrSet('k', () => 'v');
    expect(await a.invalidate({ keys: ['k'] }, { replicas: 1, timeoutMs: 20 })).toEqual({
      applied: true,
      queued: false,
      durable: false,
    });
    expect(await a.getOrSet('k', () => 'v2')).toBe('v2');
  });

  describe('with exactly the rights that the documentation names', () => {
    const login = 'app:secret@';
    const documented = (from: number): string[] => {
      const page = readFileSync(join(__dirname, '../../docs/operations.md'), 'utf8');
      return page
        .match(/```\n([^`]*)```/g)!
        [from]!.replace(/```/g, '')
        .replaceAll('~sutazai:', '~test:')
        .trim()
        .split(/\s+/);
    };
    const everything = async (url: string): Promise<void> => {
      const [a, b] = [
        await nodes.keep(coherentAppNode(url, { touchMs: 50 })),
        await nodes.keep(coherentAppNode(url)),
      ];
      for (const cache of [a, b]) {
        expect(await cache.getOrSet('k', () => 'v', { tags: ['t'] })).toBe('v');
        await cache.getOrSet('d', load => (load.addTags('u'), 'v'), { dynamicTags: true });
        await cache.getOrSet('l', () => 'v', { policy: definePolicy('here', { tier: 'local' }) });
        expect(await cache.set('s', 1, { version: 1 })).toEqual({ applied: true, queued: false });
      }
      // Longer than a third of the lease: it is renewed, then given back.
      const policy = definePolicy('leased', { leaseMs: 300 });
      await a.getOrSet('slow', () => new Promise(resolve => setTimeout(() => resolve(1), 250)), { policy });
      await expect(a.getOrSet('throws', () => Promise.reject(new Error('source')))).rejects.toThrow('source');
      expect(await a.invalidate({ keys: ['k'], tags: ['t'] })).toEqual({ applied: true, queued: false });
      expect(await a.invalidate({ keys: ['k'] }, { replicas: 1, timeoutMs: 10 })).toMatchObject({
        applied: true,
      });
      expect(await a.clearMatching('*')).toMatchObject({ done: true });
      expect(await a.clear()).toEqual({ applied: true, queued: false });
      expect(await a.explain('k')).toMatchObject({ redis: true });
      expect(await a.remoteInfo()).toBeDefined();
      const lead = await a.cluster.lead('job', 1, 1_000);
      expect(typeof lead === 'object' && (await lead.keep('x'))).toBe(true);
      await (lead as Lead).end(true);
      const bounds = { keep: 3, halfLifeMs: 1, ttlMs: 10_000 };
      for (const count of [2, 1]) expect(await a.cluster.addScores('r', [['x', count]], bounds)).toBe(true);
      expect((await a.cluster.topScores('r', 3))[0]?.[0]).toBe('x');
      await eventually(async () => (await b.lookup('k', () => 'v2', { tags: ['t'] })).outcome === 'l1_hit');
    };

    test('everything works on a single Redis, and nothing is refused', async () => {
      await redis.admin().acl('SETUSER', 'app', 'on', '>secret', ...documented(0));
      await everything(urlOf(redis, login));
      expect(await redis.admin().acl('LOG')).toEqual([]);
    });

    test('and on a Cluster', async () => {
      const cluster = await RedisCluster.start();
      try {
        for (const node of cluster.nodes)
          await node.admin().acl('SETUSER', 'app', 'on', '>secret', ...documented(0), ...documented(1));
        await everything(cluster.url.replace('//', `//${login}`));
        for (const node of cluster.nodes) expect(await node.admin().acl('LOG')).toEqual([]);
      } finally {
        await nodes.close();
        await cluster.stop();
      }
    }, 60_000);
  });
});
