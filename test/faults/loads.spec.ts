import {
  CacheLoadTimeoutError,
  definePolicy,
  type InvalidationResult,
  type TieredCache,
} from '../../src/cache/core';
import { eventually, held } from '../integration/cache-node';
import { patientCommandTimeoutMs } from '../integration/redis-server';
import { Cluster } from './cluster';

type Invalidate = (cache: TieredCache) => Promise<InvalidationResult | { done: boolean }>;

describe('F40: whatever is invalidated during a load is fresh for the next read', () => {
  const cluster = Cluster.each(patientCommandTimeoutMs);
  const ways: [string, Invalidate][] = [
    ['its key', cache => cache.invalidateKeys(['rows:1'])],
    ['its tag', cache => cache.invalidateTags(['rows'])],
    ['a pattern', cache => cache.clearMatching('rows:*')],
    ['the namespace', cache => cache.clear()],
  ];
  const cases = ways.flatMap(([what, invalidate]) => [
    { what, invalidate, where: 'the same instance' },
    { what, invalidate, where: 'another instance' },
  ]);

  test.each(cases)('$what, by $where', async ({ invalidate, where }) => {
    const { it } = cluster;
    const [a, b] = [await it.node(), await it.node()];
    const by = where === 'another instance' ? b : a;
    const source = held<string>();
    const options = { tags: ['rows'] };
    const first = a.getOrSet('rows:1', () => source.promise, options);
    await eventually(() => a.status().loadsInFlight === 1);
    await invalidate(by);
    // At once where the invalidation was made, there and then; the load goes on all the while.
    expect(await by.getOrSet('rows:1', () => 'new', options)).toBe('new');
    source.release('old');
    expect(await first).toBe('old');
    for (const cache of [a, b]) expect(await cache.getOrSet('rows:1', () => 'wrong', options)).toBe('new');
  });
});

describe('loaders that are slow, fail, or never end', () => {
  const cluster = Cluster.each(patientCommandTimeoutMs);

  test('F44: a loader slower than its lease keeps it, and stays the only one in the cluster', async () => {
    const { it } = cluster;
    it.measure('F44');
    const policy = definePolicy('slow', { leaseMs: 1_500 });
    const [a, b] = [await it.node(), await it.node()];
    const source = held<string>();
    let loads = 0;
    const load = (): Promise<string> => {
      loads += 1;
      return source.promise;
    };
    const answers = [a, b, a, b].map(cache => cache.getOrSet('k', load, { policy }));
    await eventually(() => loads > 0);
    // Well beyond the life that the lease was taken with.
    const untilMs = performance.now() + 2_600;
    await eventually(async () => {
      expect(await it.redis.admin().pttl('test:1:l:{k}')).toBeGreaterThan(0);
      return performance.now() > untilMs;
    });
    source.release('v');
    expect(await Promise.all(answers)).toEqual(['v', 'v', 'v', 'v']);
    expect(loads).toBe(1);
    expect(await b.get('k')).toBe('v');
  });

  const failures: [string, (fail: (error: Error) => void) => unknown][] = [
    [
      'throws',
      () => () => {
        throw new Error('source down');
      },
    ],
    ['rejects', () => () => Promise.reject(new Error('source down'))],
    [
      'rejects late',
      () => () => new Promise((_resolve, reject) => setTimeout(() => reject(new Error('source down')), 30)),
    ],
    ['never settles', () => () => new Promise(() => undefined)],
  ];
  test.each(failures)(
    'F45: one that %s: one run, its error for all who wait, lease free, nothing stored',
    async (_what, make) => {
      const { it } = cluster;
      const [a, b] = [await it.node(), await it.node()];
      const policy = definePolicy('failing', { loaderTimeoutMs: 300, leaseMs: 30_000 });
      let runs = 0;
      const fail = make(() => undefined) as () => Promise<string>;
      const load = (): Promise<string> => {
        runs += 1;
        return fail();
      };
      const answers = await Promise.allSettled(
        Array.from({ length: 20 }, () => a.getOrSet('k', load, { policy })),
      );
      expect(runs).toBe(1);
      const reasons = answers.map(answer => (answer as PromiseRejectedResult).reason as Error);
      expect(new Set(reasons).size).toBe(1);
      expect(reasons[0]!.message).toMatch(/source down|did not settle within 300 ms/);
      expect(reasons[0] instanceof CacheLoadTimeoutError).toBe(reasons[0]!.message !== 'source down');
      // The lease would last for half a minute: whoever comes next does not wait for it, on whichever instance.
      await eventually(async () => (await it.redis.admin().exists('test:1:l:{k}')) === 0);
      expect(await b.lookup('k', () => 'v', { policy, deadlineMs: 10_000 })).toMatchObject({
        value: 'v',
        stored: true,
      });
      expect(await a.get('k', { policy })).toBe('v');
    },
  );
});

describe('many callers', () => {
  const cluster = Cluster.each(patientCommandTimeoutMs);

  test('F46: a cold key with 1,000 callers on each of three instances is loaded once', async () => {
    const { it } = cluster;
    const measures = it.measure('F46');
    const caches = [await it.node(), await it.node(), await it.node()];
    const source = held<number>();
    let loads = 0;
    measures.fault();
    const answers = caches.flatMap(cache =>
      Array.from({ length: 1_000 }, () =>
        cache.getOrSet('k', () => {
          loads += 1;
          return source.promise;
        }),
      ),
    );
    await eventually(() => loads > 0);
    source.release(7);
    expect(new Set(await Promise.all(answers))).toEqual(new Set([7]));
    expect(loads).toBe(1);
  });

  test('F47: a hot key that expires is loaded once each time, however many ask', async () => {
    const { it } = cluster;
    const measures = it.measure('F47');
    const caches = [await it.node(), await it.node()];
    const policy = definePolicy('hot', { ttlMs: 400, jitter: 0, refreshAheadFraction: 0 });
    measures.fault();
    const beganMs = performance.now();
    while (performance.now() - beganMs < 2_000) {
      // As many as come together, between two turns of the event loop.
      await Promise.all(
        caches.flatMap(cache => Array.from({ length: 25 }, () => measures.read(cache, 'k', { policy }))),
      );
      await new Promise(resolve => setTimeout(resolve, 10));
    }
    const lives = (performance.now() - beganMs) / 400;
    // An age may come out too high by the time of a trip, never too low: on a busy machine lives are shorter.
    expect(measures.loads).toBeGreaterThanOrEqual(2);
    expect(measures.loads).toBeLessThanOrEqual(2 * Math.ceil(lives) + 1);
    expect(measures.errors).toBe(0);
  });

  test('F56: a hot tag invalidated over and over makes one load a key and round, and loses none of them', async () => {
    const { it } = cluster;
    const measures = it.measure('F56');
    const caches = [await it.node(), await it.node()];
    const [a, b] = caches as [TieredCache, TieredCache];
    const keys = Array.from({ length: 20 }, (_, n) => `k${n}`);
    const options = {
      tags: ['hot'],
      policy: definePolicy('bounded', { maxConcurrentLoads: 8, leaseMs: 30_000 }),
    };
    const rounds = 20;
    measures.fault();
    for (let round = 0; round < rounds; round += 1) {
      for (const key of keys) measures.commit(key);
      const by = round % 2 === 0 ? a : b;
      expect(await by.invalidateTags(['hot'])).toMatchObject({ applied: true });
      for (const key of keys) measures.expectFresh(key);
      // Where it was made, at once; there, many at a time.
      await Promise.all(keys.flatMap(key => [1, 2, 3].map(() => measures.read(by, key, options))));
      expect(measures.stale).toBe(0);
      const other = by === a ? b : a;
      await eventually(async () => {
        const { value } = await other.lookup(keys[0]!, () => -1, options);
        return value === measures.version(keys[0]!);
      });
    }
    expect(measures.loads).toBeLessThanOrEqual(rounds * keys.length);
    expect(measures.errors).toBe(0);
  });
});

describe('F50: the wall clock jumps', () => {
  const cluster = Cluster.each(patientCommandTimeoutMs);

  test.each([
    ['forward', 3_600_000],
    ['backward', -3_600_000],
  ])('%s by an hour: lives, leases and the gate take no notice', async (_where, jumpMs) => {
    const { it } = cluster;
    const [a, b] = [await it.node(), await it.node()];
    const policy = definePolicy('p', { ttlMs: 60_000, jitter: 0 });
    await a.getOrSet('k', () => 'v', { policy });
    await eventually(async () => (await a.lookup('k', () => 'x', { policy })).source === 'l1');
    const source = held<string>();
    const loading = a.lookup('slow', () => source.promise, { policy });
    await eventually(() => a.status().loadsInFlight === 1);
    const nowMs = Date.now.bind(Date);
    jest.spyOn(Date, 'now').mockImplementation(() => nowMs() + jumpMs);
    for (const cache of [a, b]) {
      const answer = await cache.lookup('k', () => 'x', { policy });
      expect(answer.value).toBe('v');
      expect(answer.freshMs).toBeGreaterThan(0);
      expect(answer.freshMs).toBeLessThanOrEqual(60_000);
    }
    expect(a.status().gate.open).toBe(true);
    // Long enough for the lease to have been renewed under the new time.
    const untilMs = performance.now() + 1_200;
    await eventually(async () => {
      expect(await it.redis.admin().pttl('test:1:l:{slow}')).toBeLessThanOrEqual(2_000);
      return performance.now() > untilMs;
    });
    source.release('v');
    expect(await loading).toMatchObject({ value: 'v', stored: true });
    expect(await b.get('slow', { policy })).toBe('v');
    expect(await a.set('set', 'v', { policy })).toEqual({ applied: true, queued: false });
    expect(await b.get('set', { policy })).toBe('v');
    jest.restoreAllMocks();
  });
});
