import { AsyncLocalStorage } from 'node:async_hooks';
import type { Redis } from 'ioredis';
import { definePolicy, type TieredCache } from '../../src/cache/core';
import { eventually, held, type CacheNodeOptions } from './cache-node';
import { redisNodes } from './redis-nodes';
import { patientCommandTimeoutMs } from './redis-server';

/**
 * Replies of Redis come in somewhere in the program, several at once. What goes on with them belongs to whoever asked: a user
 * of the cache keeps his own things in async contexts, such as who is asking, and they must never be somebody else's.
 */
describe('the async context of a caller', () => {
  const on = redisNodes(patientCommandTimeoutMs);
  const user = new AsyncLocalStorage<string>();
  const policy = definePolicy('by-user', { ttlMs: 60_000, jitter: 0, tags: ['t'] });
  const asUser = <R>(name: string, run: () => R): R => user.run(name, run);
  const here = (): string => user.getStore() ?? 'nobody';
  const two = ['ann', 'bob'];
  let cache: TieredCache;

  /** One that knows the tokens, so that what it reads in one turn goes out in one command and comes back in one reply. */
  const knowing = async (options: CacheNodeOptions = {}): Promise<TieredCache> => {
    const one = await on.node(options);
    await one.getOrSet('first', here, { policy });
    await eventually(async () => (await one.lookup('first', here, { policy })).source === 'l1');
    return one;
  };

  beforeEach(async () => (cache = await knowing()));

  test('loaders of one turn see that of their own caller', async () => {
    const values = await Promise.all(
      two.map(name => asUser(name, () => cache.getOrSet(`mine:${name}`, here, { policy }))),
    );
    expect(values).toEqual(two);
  });

  test('whoever joined a load that was private, or found nothing, loads in his own', async () => {
    const source = held<string>();
    const first = asUser('ann', () =>
      cache.getOrSet(
        'private',
        async load => {
          load.doNotStore();
          return source.promise;
        },
        { policy },
      ),
    );
    await eventually(() => cache.status().loadsInFlight === 1);
    const joined = asUser('bob', () => cache.getOrSet('private', here, { policy }));
    source.release('of ann');
    expect(await Promise.all([first, joined])).toEqual(['of ann', 'bob']);

    const [nothing, loaded] = await Promise.all([
      asUser('ann', () => cache.get('absent', { policy })),
      asUser('bob', () => cache.getOrSet('absent', here, { policy })),
    ]);
    expect([nothing, loaded]).toEqual([undefined, 'bob']);
  });

  test('so does the one loader of many keys, whoever answers the last of them', async () => {
    const source = held<string>();
    const slow = asUser('ann', () => cache.getOrSet('slow', () => source.promise, { policy }));
    await eventually(() => cache.status().loadsInFlight === 1);
    const many = asUser('bob', () =>
      cache.getOrSetMany(['slow', 'fast'], keys => new Map(keys.map(key => [key, here()])), { policy }),
    );
    source.release('of ann');
    expect([await slow, (await many).values]).toEqual([
      'of ann',
      new Map([
        ['slow', 'of ann'],
        ['fast', 'bob'],
      ]),
    ]);
  });

  test('refreshes, thresholds and whoever listens to reads see it too', async () => {
    const dueAtOnce = definePolicy('due', { ...policy, refreshAheadFraction: 0, tier: 'redis' });
    for (const name of two) await cache.getOrSet(`due:${name}`, () => 'old', { policy: dueAtOnce });
    const refreshed: string[] = [];
    const asked: string[] = [];
    const heard: string[] = [];
    const stop = cache.events.on('read', () => heard.push(here()));
    const refreshWithinMs = (): number => {
      asked.push(here());
      return 60_000;
    };
    await Promise.all(
      two.map(name =>
        asUser(name, () =>
          cache.getOrSet(`due:${name}`, () => refreshed.push(here()), { policy: dueAtOnce, refreshWithinMs }),
        ),
      ),
    );
    stop();
    await eventually(() => refreshed.length === 2);
    expect([refreshed.sort(), asked.sort(), heard.sort()]).toEqual([two, two, two]);
  });

  test('loaders that go on because Redis has gone meanwhile see it too', async () => {
    const clients: Redis[] = [];
    const alone = await knowing({ onDataClient: client => clients.push(client) });
    on.redis.signal('SIGSTOP');
    try {
      const values = two.map(name => asUser(name, () => alone.getOrSet(`lost:${name}`, here, { policy })));
      await new Promise(resolve => setImmediate(resolve));
      for (const client of clients) client.disconnect(true);
      expect(await Promise.all(values)).toEqual(two);
    } finally {
      on.redis.signal('SIGCONT');
      await eventually(() => alone.status().remote.state === 'up');
    }
  });
});
