import { definePolicy, type CacheAnswer, type TieredCache } from '../../src/cache/core';
import { cacheNode, eventually, held } from './cache-node';
import { OffsetClock } from './offset-clock';
import { redisNodes } from './redis-nodes';
import { patientCommandTimeoutMs } from './redis-server';

/** The probes of published caches (S1 to S19), each with the promise that ours keeps. */
describe('parity', () => {
  const on = redisNodes(patientCommandTimeoutMs);
  const { node } = on;
  const tagged = definePolicy('tagged', { ttlMs: 60_000, tags: ['t1', 't2', 't3'], jitter: 0 });

  test('S1: a key invalidated while its loader runs is not served afterwards', async () => {
    const a = await node();
    const source = held<string>();
    const first = a.getOrSet('k', () => source.promise);
    await eventually(() => a.status().loadsInFlight === 1);
    expect(await a.invalidateKeys(['k'])).toEqual({ applied: true, queued: false });
    source.release('old');
    expect(await first).toBe('old');
    expect(await a.getOrSet('k', () => 'new')).toBe('new');
    expect(await a.getOrSet('k', () => 'newer')).toBe('new');
  });

  test('S2: an invalidation on B reaches a cold load on A', async () => {
    const [a, b] = [await node(), await node()];
    const source = held<string>();
    const first = a.getOrSet('k', () => source.promise);
    await eventually(() => a.status().loadsInFlight === 1);
    await b.invalidateKeys(['k']);
    expect(await b.getOrSet('k', () => 'new')).toBe('new');
    source.release('old');
    expect(await first).toBe('old');
    expect(await a.getOrSet('k', () => 'wrong')).toBe('new');
  });

  test('S3: a tag invalidated during a load invalidates what is loaded', async () => {
    const a = await node();
    const source = held<string>();
    const first = a.getOrSet('k', () => source.promise, { tags: ['users'] });
    await eventually(() => a.status().loadsInFlight === 1);
    await a.invalidateTags(['users']);
    source.release('old');
    await first;
    expect(await a.getOrSet('k', () => 'new', { tags: ['users'] })).toBe('new');
  });

  test('S5: a key deleted by hand in Redis is gone from L1', async () => {
    const a = await node();
    await a.getOrSet('k', () => 'v1');
    expect((await a.lookup('k', () => 'x')).source).toBe('l2');
    await eventually(async () => (await a.lookup('k', () => 'x')).source === 'l1');
    await on.redis.admin().del('test:1:d:{k}');
    await eventually(async () => (await a.get('k')) === undefined);
    expect(await a.getOrSet('k', () => 'v2')).toBe('v2');
  });

  test('S6: 2 nodes × 50 callers of a missing key make one load', async () => {
    const [a, b] = [await node(), await node()];
    let loads = 0;
    const source = held<string>();
    const load = (): Promise<string> => {
      loads += 1;
      return source.promise;
    };
    const calls = [a, b].flatMap(cache => Array.from({ length: 50 }, () => cache.getOrSet('k', load)));
    await eventually(() => loads > 0);
    source.release('v');
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['v']));
    expect(loads).toBe(1);
  });

  test('S7: a stale window shorter than the TTL takes nothing from the fresh life: one load, on every node', async () => {
    const [a, b] = [await node(), await node()];
    const policy = definePolicy('apart', { ttlMs: 3_000, staleMs: 300, jitter: 0, refreshAheadFraction: 0 });
    let loads = 0;
    const read = (cache: TieredCache): Promise<CacheAnswer<number>> =>
      cache.lookup('k', () => (loads += 1), { policy });
    await read(a);
    const hardMs = await on.redis.admin().pttl('test:1:d:{k}');
    expect(hardMs).toBeGreaterThan(3_000);
    expect(hardMs).toBeLessThanOrEqual(3_300);
    // Longer than the stale window, much shorter than the fresh life.
    await new Promise(resolve => setTimeout(resolve, 400));
    for (const cache of [a, b, a, b]) {
      const answer = await read(cache);
      expect(answer.value).toBe(1);
      expect(answer.staleMs).toBeCloseTo(300);
      expect(['l1_hit', 'l2_hit']).toContain(answer.outcome);
      expect(answer.freshMs).toBeGreaterThan(0);
      expect(answer.freshMs).toBeLessThanOrEqual(2_650);
    }
    expect(loads).toBe(1);
  });

  test('S8, S14: a value that only Redis has enters L1 with no more life than it has left there', async () => {
    const [a, b] = [await node(), await node()];
    const short = definePolicy('short', { ttlMs: 1_000, jitter: 0 });
    await a.set('k', 'v', { policy: short });
    await new Promise(resolve => setTimeout(resolve, 400));
    const fromRedis = await b.lookup('k', () => 'x', { policy: short });
    expect(fromRedis).toMatchObject({ value: 'v', source: 'l2' });
    expect(fromRedis.freshMs).toBeLessThanOrEqual(620);
    const again = await b.lookup('k', () => 'x', { policy: short });
    expect(again.source).toBe('l1');
    expect(again.freshMs).toBeLessThanOrEqual(fromRedis.freshMs);
    expect(again.freshMs).toBeGreaterThan(0);
  });

  test('S9: 20 callers of a failing loader get one run and 20 equal rejections; nothing is stored', async () => {
    const a = await node();
    let loads = 0;
    const load = (): never => {
      loads += 1;
      throw new Error('source down');
    };
    const settled = await Promise.allSettled(Array.from({ length: 20 }, () => a.getOrSet('k', load)));
    expect(loads).toBe(1);
    expect(new Set(settled.map(s => (s as PromiseRejectedResult).reason)).size).toBe(1);
    expect(await a.getOrSet('k', () => 'next')).toBe('next');
  });

  test('S10: a loader that throws within the stale window: the stale value, marked stale, and one retry behind it', async () => {
    const a = await node({ refreshRetryMs: 60_000 });
    const policy = definePolicy('swr', { ttlMs: 100, staleMs: 60_000, jitter: 0, refreshAheadFraction: 0 });
    const { freshMs } = await a.lookup('k', () => 'v1', { policy });
    await new Promise(resolve => setTimeout(resolve, freshMs + 20));
    let runs = 0;
    const failing = (): never => {
      runs += 1;
      throw new Error('source down');
    };
    for (let n = 0; n < 20; n += 1) {
      const answer = await a.lookup('k', failing, { policy });
      expect(answer).toMatchObject({ value: 'v1', outcome: 'stale_hit' });
      expect(answer.freshMs).toBeLessThan(0);
      await eventually(() => runs === 1 && a.status().loadsInFlight === 0);
    }
    expect(runs).toBe(1);
    expect(a.stats().totals.outcomes.error).toBe(0);
  });

  test('S11: an L1 hit with tags sends no command to Redis', async () => {
    const a = await node();
    await a.getOrSet('k', () => 'v', { policy: tagged });
    await eventually(async () => (await a.lookup('k', () => 'x', { policy: tagged })).source === 'l1');
    const admin = on.redis.admin();
    const reads = async (): Promise<number> => {
      const stats = await admin.info('commandstats');
      return [...stats.matchAll(/cmdstat_(?:mget|get|evalsha|eval):calls=(\d+)/g)].reduce(
        (sum, m) => sum + Number(m[1]),
        0,
      );
    };
    const before = await reads();
    for (let n = 0; n < 100; n += 1) await a.getOrSet('k', () => 'x', { policy: tagged });
    expect((await reads()) - before).toBe(0);
  });

  test.each([null, 0, '', false])(
    'S12: %p is a value, from the loader, from Redis and from L1',
    async value => {
      const [a, b] = [await node(), await node()];
      let loads = 0;
      const load = (): unknown => {
        loads += 1;
        return value;
      };
      expect(await a.getOrSet('k', load)).toBe(value);
      expect(await b.getOrSet('k', load)).toBe(value);
      expect(await b.getOrSet('k', load)).toBe(value);
      expect(loads).toBe(1);
    },
  );

  test('S12: undefined is no value and is not stored', async () => {
    const a = await node();
    expect(await a.getOrSet('k', () => undefined)).toBeUndefined();
    expect(await a.getOrSet('k', () => 'v')).toBe('v');
  });

  test('S13: rich values are equal from the loader, from Redis and from L1, and cannot be changed for others', async () => {
    const [a, b] = [await node(), await node()];
    const rich = {
      date: new Date(1_700_000_000_000),
      map: new Map([['x', { y: 1 }]]),
      set: new Set([1, 2]),
      big: 12_345_678_901_234_567_890n,
      bytes: Buffer.from([1, 2, 3]),
      list: [undefined, null, NaN],
    };
    const load = (): typeof rich => rich;
    for (const cache of [a, b, b]) {
      const value = await cache.getOrSet('k', load);
      expect(value).toEqual(rich);
      value.map.set('z', { y: 2 });
      value.date.setTime(0);
      value.bytes[0] = 9;
    }
    expect(await b.getOrSet('k', load)).toEqual(rich);
  });

  test('S13c: plain values are frozen', async () => {
    const a = await node();
    const value = await a.getOrSet('k', () => ({ list: [{ n: 1 }] }));
    expect(() => value.list.push({ n: 2 })).toThrow(TypeError);
    expect(() => (value.list[0]!.n = 2)).toThrow(TypeError);
    expect(await a.getOrSet('k', () => ({ list: [] }))).toEqual({ list: [{ n: 1 }] });
  });

  test('a payload above 1 KB is compressed in Redis and comes back whole', async () => {
    const [a, b] = [await node(), await node()];
    const text = 'all work and no play '.repeat(500);
    await a.getOrSet('k', () => text);
    expect(await on.redis.admin().strlen('test:1:d:{k}')).toBeLessThan(1_000);
    expect(await b.getOrSet('k', () => 'x')).toBe(text);
    expect(a.stats().compression.compressions).toBe(1);
  });

  test('S15: clear on A is a miss on B', async () => {
    const [a, b] = [await node(), await node()];
    await a.getOrSet('k', () => 'v');
    await b.getOrSet('k', () => 'x');
    await eventually(async () => (await b.lookup('k', () => 'x')).source === 'l1');
    await a.clear();
    expect(await a.get('k')).toBeUndefined();
    await eventually(async () => (await b.get('k')) === undefined);
  });

  test('S16: invalidating a tag is one command, whatever the number of its members', async () => {
    const a = await node();
    const admin = on.redis.admin();
    for (const members of [10, 500]) {
      for (let first = 0; first < members; first += 50) {
        const part = Array.from(
          { length: Math.min(50, members - first) },
          (_, n) => `m${members}:${first + n}`,
        );
        await Promise.all(part.map(key => a.getOrSet(key, () => key, { tags: ['big'] })));
      }
      await admin.config('RESETSTAT');
      expect(await a.invalidateTags(['big'])).toEqual({ applied: true, queued: false });
      const stats = await admin.info('commandstats');
      expect(stats).toMatch(/cmdstat_unlink:calls=1,/);
      expect(stats).not.toMatch(/cmdstat_(scan|keys|smembers|del)/);
      expect(await a.get(`m${members}:3`)).toBeUndefined();
    }
  });

  test('S17, F24: losing the token of a tag is a miss, never the old value', async () => {
    const a = await node();
    await a.getOrSet('k', () => 'v1', { tags: ['t'] });
    await on.redis.admin().unlink('test:1:t:{t}');
    await eventually(async () => (await a.get('k')) === undefined);
    expect(await a.getOrSet('k', () => 'v2', { tags: ['t'] })).toBe('v2');
  });

  test.each([
    ['a key', (cache: TieredCache) => cache.invalidateKeys(['k'])],
    ['a tag', (cache: TieredCache) => cache.invalidateTags(['t'])],
    ['everything', (cache: TieredCache) => cache.clear()],
  ])('S18: a node whose clocks are 5 s behind invalidates %s like any other', async (_what, invalidate) => {
    const [a, slow] = [await node(), await node({ clock: new OffsetClock(-5_000) })];
    for (const cache of [a, slow]) await cache.getOrSet('k', () => 'v1', { tags: ['t'] });
    await eventually(async () => (await a.lookup('k', () => 'x', { tags: ['t'] })).source === 'l1');
    const nowMs = Date.now.bind(Date);
    jest.spyOn(Date, 'now').mockImplementation(() => nowMs() - 5_000);
    expect(await invalidate(slow)).toEqual({ applied: true, queued: false });
    jest.restoreAllMocks();
    expect(await slow.get('k')).toBeUndefined();
    await eventually(async () => (await a.get('k')) === undefined);
    expect(await a.getOrSet('k', () => 'v2', { tags: ['t'] })).toBe('v2');
    expect(await slow.getOrSet('k', () => 'v3', { tags: ['t'] })).toBe('v2');
  });

  test('S18: what such a node stores lives as long as it should, there and elsewhere', async () => {
    const [a, slow] = [await node(), await node({ clock: new OffsetClock(-5_000) })];
    const policy = definePolicy('short', { ttlMs: 20_000, jitter: 0 });
    expect(await slow.set('set', 'v', { policy })).toEqual({ applied: true, queued: false });
    await slow.getOrSet('loaded', () => 'v', { policy });
    for (const cache of [a, slow]) {
      for (const key of ['set', 'loaded']) {
        const answer = await cache.lookup(key, () => 'wrong', { policy });
        expect(answer).toMatchObject({ value: 'v', source: 'l2' });
        expect(answer.freshMs).toBeGreaterThan(0);
        expect(answer.freshMs).toBeLessThanOrEqual(20_000);
      }
    }
  });

  test('S19: what is left after tagged entries have expired is tag tokens with a TTL', async () => {
    const a = await node();
    const short = definePolicy('short', { ttlMs: 50, jitter: 0, tags: ['x'] });
    await Promise.all(Array.from({ length: 500 }, (_, n) => a.getOrSet(`k${n}`, () => n, { policy: short })));
    await new Promise(resolve => setTimeout(resolve, 100));
    const admin = on.redis.admin();
    await eventually(async () => (await admin.keys('test:1:[dxl]:*')).length === 0);
    const left = await admin.keys('*');
    expect(left.filter(key => !/^test:1:(t:\{(x|!ns)\}|~:.*|r)$/.test(key))).toEqual([]);
    for (const key of left.filter(name => name.includes(':t:')))
      expect(await admin.pttl(key)).toBeGreaterThan(0);
  });

  test('without Redis everything works in this process', async () => {
    const alone = cacheNode();
    on.nodes.push(alone);
    let loads = 0;
    const load = (): number => (loads += 1);
    await alone.getOrSet('k', load, { policy: tagged });
    expect(await alone.getOrSet('k', load, { policy: tagged })).toBe(1);
    await alone.invalidateTags(['t2']);
    expect(await alone.getOrSet('k', load, { policy: tagged })).toBe(2);
    await alone.invalidateKeys(['k']);
    expect(await alone.getOrSet('k', load, { policy: tagged })).toBe(3);
    await alone.clear();
    expect(await alone.getOrSet('k', load, { policy: tagged })).toBe(4);
  });
});
