import { definePolicy, type TieredCache } from '../../src/cache/core';
import { eventually, held } from './cache-node';
import { redisNodes } from './redis-nodes';
import { patientCommandTimeoutMs } from './redis-server';

/** What instances see of each other. */
describe('coherence between instances', () => {
  const on = redisNodes(patientCommandTimeoutMs);
  const { node } = on;
  const inL1 = (cache: TieredCache, key: string): Promise<void> =>
    eventually(async () => (await cache.lookup(key, () => 'unexpected')).source === 'l1');

  test('S4, F13: what is invalidated while a node cannot hear is not served when it hears again', async () => {
    const [a, b] = [await node(), await node()];
    await a.getOrSet('k', () => 'v1');
    await inL1(a, 'k');
    await on.redis.admin().call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await b.invalidateKeys(['k']);
    await b.getOrSet('k', () => 'v2');
    await eventually(() => a.status().gate.open);
    expect(await a.get('k')).toBe('v2');
  });

  test('with the tracking connection gone L1 is not used at all', async () => {
    const a = await node();
    await a.getOrSet('k', () => 'v1');
    await inL1(a, 'k');
    await on.redis.admin().acl('SETUSER', 'default', '-client|tracking');
    await on.redis.admin().call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await eventually(() => !a.status().gate.open);
    expect((await a.lookup('k', () => 'x')).source).toBe('l2');
    expect((await a.lookup('k', () => 'x')).source).toBe('l2');
    await on.redis.admin().acl('SETUSER', 'default', '+client|tracking');
    await inL1(a, 'k');
  });

  test.each([
    ['FLUSHALL', ['FLUSHALL']],
    ['FLUSHDB', ['FLUSHDB']],
    ['DEBUG RELOAD', ['DEBUG', 'RELOAD']],
  ])('F25: %s empties every L1', async (_what, [command, ...args]) => {
    const [a, b] = [await node(), await node()];
    await a.getOrSet('k', () => 'v1');
    await inL1(a, 'k');
    await inL1(b, 'k');
    const reasons: string[] = [];
    for (const cache of [a, b]) cache.events.on('flush', ({ reason }) => reasons.push(reason));
    await on.redis.admin().call(command!, ...args);
    await eventually(() => reasons.length === 2);
    expect(reasons).toEqual(['server_flushed', 'server_flushed']);
    expect([a.status().l1Entries, b.status().l1Entries]).toEqual([0, 0]);
    // A reload brings everything back, and it is valid; a flush brings back nothing.
    const expected = command === 'DEBUG' ? 'v1' : undefined;
    expect([await a.get('k'), await b.get('k')]).toEqual([expected, expected]);
  });

  test('a local entry stays in its process, and tags and keys reach it from other nodes', async () => {
    const [a, b] = [await node(), await node()];
    const local = definePolicy('host', { tier: 'local', tags: ['hw'], jitter: 0 });
    let loads = 0;
    const read = (): Promise<number> => a.getOrSet('cpu', () => (loads += 1), { policy: local });
    await read();
    expect(await read()).toBe(1);
    // Found in L1, be it after its tokens had been read again: a hit of that tier, and counted once.
    expect(a.stats().tiers.l1).toMatchObject({ hits: 1, misses: 1 });
    expect(a.stats().totals.outcomes).toMatchObject({ l1_hit: 1, miss: 1 });
    expect(await b.get('cpu', { policy: local })).toBeUndefined();
    expect(await on.redis.admin().keys('test:1:[dx]:*')).toEqual([]);
    await b.invalidateTags(['hw']);
    await eventually(async () => (await read()) === 2);
    await b.invalidateKeys(['cpu']);
    await eventually(async () => (await read()) === 3);
    await a.invalidateKeys(['cpu']);
    expect(await read()).toBe(4);
  });

  test('a local entry obeys the tags that its loader added, whoever invalidates them', async () => {
    const [a, b] = [await node(), await node()];
    const local = definePolicy('host', { tier: 'local', jitter: 0 });
    let loads = 0;
    const read = (): Promise<number> =>
      a.getOrSet(
        'disk',
        load => {
          load.addTags('mounts');
          return (loads += 1);
        },
        { policy: local, dynamicTags: true },
      );
    await read();
    expect(await read()).toBe(1);
    await b.invalidateTags(['mounts']);
    await eventually(async () => (await read()) === 2);
  });

  test('a value of the redis tier has no copy in L1', async () => {
    const a = await node();
    const policy = definePolicy('session', { tier: 'redis' });
    await a.getOrSet('s', () => 'v', { policy });
    for (let n = 0; n < 3; n += 1) expect((await a.lookup('s', () => 'x', { policy })).source).toBe('l2');
    await a.invalidateKeys(['s']);
    expect(await a.get('s', { policy })).toBeUndefined();
  });

  test('a tag invalidated on another node makes a load in flight nobody’s to join, and its lease free', async () => {
    const [a, b] = [await node(), await node()];
    const source = held<string>();
    const first = a.getOrSet('k', () => source.promise, { tags: ['t'] });
    await eventually(() => a.status().loadsInFlight === 1);
    await b.invalidateTags(['t']);
    await eventually(async () => (await on.redis.admin().exists('test:1:l:{k}')) === 0);
    expect(await a.getOrSet('k', () => 'new', { tags: ['t'] })).toBe('new');
    source.release('old');
    expect(await first).toBe('old');
    expect(await a.get('k')).toBe('new');
  });

  test('a cold load that another node has invalidated is nobody’s to join, although nothing was stored yet', async () => {
    const [a, b] = [await node(), await node()];
    const source = held<string>();
    // With a long lease, so that it is not the next renewal that tells.
    const policy = definePolicy('slow', { leaseMs: 30_000 });
    const first = a.getOrSet('k', () => source.promise, { policy });
    await eventually(() => a.status().loadsInFlight === 1);
    await b.invalidateKeys(['k']);
    // Well within Δ, for which a load may be joined without word of it.
    const answers = new Set<unknown>();
    await eventually(async () => {
      const answer = a.getOrSet('k', () => 'new', { deadlineMs: 20 });
      answers.add(await answer.catch((error: Error) => error.name));
      return answers.has('new');
    }, 1_000);
    source.release('old');
    expect(await first).toBe('old');
  });

  describe('while a node cannot hear', () => {
    const deaf = async (cache: TieredCache): Promise<void> => {
      await on.redis.admin().acl('SETUSER', 'default', '-client|tracking');
      await on.redis.admin().call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await eventually(() => !cache.status().gate.open);
    };
    afterEach(() => on.redis.admin().acl('SETUSER', 'default', '+client|tracking'));

    test('what it loads under a tag that is invalidated meanwhile is not valid for anybody', async () => {
      const [a, b] = [await node(), await node()];
      await deaf(a);
      const source = held<string>();
      const first = a.getOrSet('k', () => source.promise, { tags: ['t'] });
      await eventually(() => a.status().loadsInFlight === 1);
      await b.invalidateTags(['t']);
      source.release('old');
      expect(await first).toBe('old');
      expect(await b.get('k')).toBeUndefined();
      expect(await a.get('k')).toBeUndefined();
    });

    test('the same for a tag that its loader chooses at the end', async () => {
      const [a, b] = [await node(), await node()];
      await deaf(a);
      const source = held<string>();
      const load = async (control: { addTags(tag: string): void }): Promise<string> => {
        const value = await source.promise;
        control.addTags('chosen');
        return value;
      };
      const first = a.lookup('k', load, { dynamicTags: true });
      await eventually(() => a.status().loadsInFlight === 1);
      await b.invalidateTags(['chosen']);
      source.release('old');
      expect(await first).toMatchObject({ value: 'old', stored: false });
      expect(await b.get('k')).toBeUndefined();
    });
  });

  test('an outer entry depends on the tags of what its loader read, on every node', async () => {
    const [a, b] = [await node(), await node()];
    let version = 1;
    const read = (cache: TieredCache): Promise<string> =>
      cache.getOrSet(
        'outer',
        async () => `outer of ${await cache.getOrSet('inner', () => version, { tags: ['rows'] })}`,
      );
    expect(await read(a)).toBe('outer of 1');
    expect(await read(b)).toBe('outer of 1');
    version = 2;
    await b.invalidateTags(['rows']);
    expect(await read(b)).toBe('outer of 2');
    await eventually(async () => (await read(a)) === 'outer of 2');
  });

  test('inside a loader L1 is not trusted', async () => {
    const a = await node();
    await a.getOrSet('inner', () => 'v');
    await inL1(a, 'inner');
    await a.getOrSet('outer', async () => {
      expect((await a.lookup('inner', () => 'x')).source).toBe('l2');
      return 1;
    });
  });

  test('dynamic tags: an entry is invalidated by the tags that its loader chose', async () => {
    const a = await node();
    const read = (value: string): Promise<string> =>
      a.getOrSet(
        'k',
        load => {
          load.addTags('chosen');
          return value;
        },
        { dynamicTags: true },
      );
    expect(await read('v1')).toBe('v1');
    expect(await read('v2')).toBe('v1');
    await a.invalidateTags(['chosen']);
    expect(await read('v2')).toBe('v2');
  });

  test('dynamic tags: a tag invalidated during the load keeps its result out of the cache', async () => {
    const a = await node();
    const source = held<string>();
    const first = a.lookup(
      'k',
      async load => {
        const value = await source.promise;
        load.addTags('chosen');
        return value;
      },
      { dynamicTags: true },
    );
    await eventually(() => a.status().loadsInFlight === 1);
    await a.invalidateTags(['chosen']);
    source.release('old');
    expect(await first).toMatchObject({ value: 'old', stored: false });
    expect(await a.get('k')).toBeUndefined();
  });

  test('set: a load under way does not overwrite it, and a lower version never replaces a higher one', async () => {
    const [a, b] = [await node(), await node()];
    const source = held<string>();
    const first = a.getOrSet('k', () => source.promise);
    await eventually(() => a.status().loadsInFlight === 1);
    expect(await b.set('k', 'set', { version: 5 })).toEqual({ applied: true, queued: false });
    source.release('loaded');
    await first;
    expect(await a.get('k')).toBe('set');
    expect(await a.set('k', 'older', { version: 4 })).toEqual({ applied: false, queued: false });
    expect(await b.get('k')).toBe('set');
    expect(await a.set('k', 'newer', { version: 6 })).toEqual({ applied: true, queued: false });
    expect(await a.get('k')).toBe('newer');
  });

  test('clear and clearMatching touch no key of others in the same Redis', async () => {
    const [a, other] = [await node(), await node({ namespace: 'neighbour' })];
    const admin = on.redis.admin();
    await admin.mset('celery-task-meta-1', 'x', 'test', 'y', 'test:2:d:{k}', 'z');
    await other.getOrSet('users:1', () => 'theirs');
    await a.setMany([
      ['users:1', 1],
      ['users:2', 2],
      ['posts:1', 3],
    ]);
    expect(await a.clearMatching('users:*', { dryRun: true })).toMatchObject({ matched: 2, removed: 0 });
    expect((await a.getMany(['users:1', 'users:2'])).size).toBe(2);
    expect(await a.clearMatching('users:*')).toMatchObject({ matched: 2, removed: 2, done: true });
    expect([...(await a.getMany(['users:1', 'users:2', 'posts:1'])).keys()]).toEqual(['posts:1']);
    await a.clear();
    expect(await a.get('posts:1')).toBeUndefined();
    expect(await other.get('users:1')).toBe('theirs');
    expect(await admin.mget('celery-task-meta-1', 'test', 'test:2:d:{k}')).toEqual(['x', 'y', 'z']);
  });

  test('a pattern reaches keys that are hashed in Redis, and cold loads', async () => {
    const a = await node();
    const long = `users:${'x'.repeat(300)}`;
    await a.set(long, 'v');
    const source = held<string>();
    const cold = a.getOrSet('users:cold', () => source.promise);
    await eventually(() => a.status().loadsInFlight === 1);
    await a.clearMatching('users:*');
    source.release('old');
    await cold;
    expect((await a.getMany([long, 'users:cold'])).size).toBe(0);
  });

  test('a 1 s TTL is 1 s in both tiers', async () => {
    const [a, b] = [await node(), await node()];
    const second = definePolicy('second', { ttlMs: 1_000, jitter: 0 });
    await a.getOrSet('k', () => 'v', { policy: second });
    const ttl = await on.redis.admin().pttl('test:1:d:{k}');
    expect(ttl).toBeLessThanOrEqual(1_000);
    expect(ttl).toBeGreaterThan(500);
    await b.lookup('k', () => 'x', { policy: second });
    const near = await b.lookup('k', () => 'x', { policy: second });
    expect(near.freshMs).toBeLessThanOrEqual(1_000);
    await new Promise(resolve => setTimeout(resolve, near.freshMs + 5));
    expect(await b.get('k', { policy: second })).toBeUndefined();
    await eventually(async () => (await on.redis.admin().exists('test:1:d:{k}')) === 0);
  });

  test('a stale entry answers at once while one refresh in the cluster runs behind it', async () => {
    const [a, b] = [await node(), await node()];
    const policy = definePolicy('swr', { ttlMs: 100, staleMs: 60_000, jitter: 0, refreshAheadFraction: 0 });
    await a.getOrSet('k', () => 'v1', { policy });
    await new Promise(resolve => setTimeout(resolve, 130));
    let loads = 0;
    const source = held<string>();
    const load = (): Promise<string> => {
      loads += 1;
      return source.promise;
    };
    const answers = await Promise.all([a, b, a, b].map(cache => cache.lookup('k', load, { policy })));
    expect(answers.map(answer => answer.outcome)).toEqual([
      'stale_hit',
      'stale_hit',
      'stale_hit',
      'stale_hit',
    ]);
    await eventually(() => loads > 0);
    source.release('v2');
    await eventually(
      async () =>
        (await b.get('k', { policy })) === 'v2' || (await a.lookup('k', load, { policy })).value === 'v2',
    );
    expect(loads).toBe(1);
  });

  test('F53: entries that somebody else wrote are misses with a reason', async () => {
    const a = await node();
    const admin = on.redis.admin();
    await admin.set('test:1:d:{bytes}', 'garbage');
    await admin.set('test:1:d:{empty}', '');
    await admin.lpush('test:1:d:{list}', 'x');
    await a.set('good', 'v');
    const entry = await admin.getBuffer('test:1:d:{good}');
    entry![entry!.length - 1]! ^= 1;
    await admin.set('test:1:d:{good}', entry!);
    await a.set('other', 'v');
    await admin.copy('test:1:d:{other}', 'test:1:d:{swapped}');
    for (const key of ['bytes', 'empty', 'list', 'good', 'swapped']) {
      expect(await a.getOrSet(key, () => `fresh ${key}`)).toBe(`fresh ${key}`);
      expect(await a.get(key)).toBe(`fresh ${key}`);
    }
    expect(a.stats().corrupt).toEqual({ short: 2, checksum: 1, key: 1 });
  });

  test('a foreign entry of bytes that are no text is a miss as well, and nobody waits for it', async () => {
    const a = await node();
    await on.redis.admin().set('test:1:d:{k}', Buffer.alloc(80, 0xf3));
    expect(await a.getOrSet('k', () => 'v')).toBe('v');
    expect(await a.get('k')).toBe('v');
    expect(a.stats().corrupt).toEqual({ magic: 1 });
  });

  test('a refresh that fails is nobody’s error while a valid entry is there', async () => {
    const a = await node();
    const policy = definePolicy('ahead', {
      ttlMs: 60_000,
      tier: 'redis',
      jitter: 0,
      refreshAheadFraction: 0.1,
    });
    await a.getOrSet('k', () => 'v1', { policy: { ...policy, ttlMs: 5_000 } });
    await new Promise(resolve => setTimeout(resolve, 520));
    const source = held<string>();
    let refreshes = 0;
    const load = (): Promise<string> => {
      refreshes += 1;
      return source.promise;
    };
    expect(await a.getOrSet('k', load, { policy })).toBe('v1');
    await eventually(() => refreshes === 1);
    expect(await a.lookup('k', load, { policy })).toMatchObject({ value: 'v1', outcome: 'l2_hit' });
    source.fail(new Error('source down'));
    expect(await a.lookup('k', load, { policy })).toMatchObject({ value: 'v1', outcome: 'l2_hit' });
  });

  test('while another node refreshes, hits send nothing to Redis', async () => {
    const [a, b] = [await node(), await node()];
    const policy = definePolicy('ahead', {
      ttlMs: 10_000,
      jitter: 0,
      staleMs: 60_000,
      refreshAheadFraction: 0.1,
    });
    await a.getOrSet('k', () => 'v1', { policy });
    await new Promise(resolve => setTimeout(resolve, 1_020));
    const source = held<string>();
    await a.getOrSet('k', () => source.promise, { policy });
    await eventually(() => a.status().loadsInFlight === 1);
    for (const _ of [1, 2, 3]) await b.getOrSet('k', () => 'wrong', { policy });
    const admin = on.redis.admin();
    const scripts = async (): Promise<number> =>
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0);
    const before = await scripts();
    for (let n = 0; n < 200; n += 1) expect(await b.getOrSet('k', () => 'wrong', { policy })).toBe('v1');
    expect((await scripts()) - before).toBeLessThan(10);
    source.release('v2');
  });

  test('statistics: every read has one outcome, and warm-up and admin reads have none', async () => {
    const a = await node();
    await a.lookup('k', () => 'v');
    await inL1(a, 'k');
    const before = a.stats().totals;
    await a.getOrSet('k', () => 'x');
    await a.runAs('warm-up', () => a.getOrSet('w', () => a.getOrSet('inner', () => 'v')));
    await a.runAs('admin', () => a.get('k'));
    const after = a.stats().totals;
    expect(after.gets - before.gets).toBe(1);
    expect(after.outcomes.l1_hit - before.outcomes.l1_hit).toBe(1);
    expect(Object.values(after.outcomes).reduce((sum, n) => sum + n)).toBe(after.gets);
  });
});
