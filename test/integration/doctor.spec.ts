import { randomBytes } from 'node:crypto';
import { definePolicy, rates, type TieredCache } from '../../src/cache/core';
import { diagnose, familyOf, type Advice, type AdviceKind } from '../../src/cache/doctor';
import { eventually } from './cache-node';
import { redisNodes } from './redis-nodes';
import { patientCommandTimeoutMs } from './redis-server';

/** Advice about Redis, where Redis is what makes the reads miss; the others are tried on a clock, beside the doctor. */
describe('what the doctor says of Redis', () => {
  const on = redisNodes(patientCommandTimeoutMs);
  const policy = definePolicy('p', { ttlMs: 3_600_000, jitter: 0, refreshAheadFraction: 0 });
  const keys = Array.from({ length: 100 }, (_, at) => `record:${at}`);

  const adviceOf = async (cache: TieredCache, kind: AdviceKind): Promise<Advice | undefined> => {
    const { rate, keys: sampled, hitShareOfSize } = cache.profile();
    const { advice } = diagnose({
      statistics: cache.stats('1h'),
      keys: sampled.map(key => ({ ...key, head: familyOf(key.key, new Set()) })),
      rate,
      hitShareOfSize,
      l1MaxEntries: 10_000,
      l1MaxBytes: 64 * 1024 * 1024,
      warmedUnread: [],
      server: await cache.remoteInfo(),
    });
    return advice.find(each => each.kind === kind);
  };
  const hitRateOf = (cache: TieredCache): number => rates(cache.stats().totals).hitRate;

  /** Three rounds of all keys, of 20 KB each: more than there is room for here, and as much as Redis has room for. */
  async function rounds(): Promise<TieredCache> {
    const cache = await on.node({ maxEntries: 5 });
    for (let round = 0; round < 3; round += 1)
      for (const [at, key] of keys.entries()) {
        await cache.getOrSet(key, () => randomBytes(20_000), { policy });
        // What the application does every five seconds: only so is it known what the server has dropped.
        if (at % 10 === 9) await cache.remoteInfo();
      }
    return cache;
  }

  test('more memory is advised where it drops what comes back; and with it the reads are answered as predicted', async () => {
    const admin = on.redis.admin();
    const empty = await on.node();
    const { usedMemoryBytes } = (await empty.remoteInfo())!;
    await admin.config('SET', 'maxmemory-policy', 'volatile-ttl');
    await admin.config('SET', 'maxmemory', usedMemoryBytes + 1_700_000);
    const tight = await rounds();
    const advice = (await adviceOf(tight, 'more_redis_memory'))!;
    const now = hitRateOf(tight);
    expect(advice.prediction!.now).toBeCloseTo(now, 5);
    expect(advice.prediction!.then - now).toBeGreaterThan(0.1);
    await admin.config('SET', 'maxmemory', 0);
    await admin.flushall();
    const roomy = await rounds();
    expect(Math.abs(hitRateOf(roomy) - advice.prediction!.then)).toBeLessThan(0.03);
    expect(await adviceOf(roomy, 'more_redis_memory')).toBeUndefined();
  }, 60_000);

  /** Every key is read once, and three times more after what happens in between. */
  async function around(between: (cache: TieredCache) => Promise<void>): Promise<TieredCache> {
    const cache = await on.node({ outageTtlMs: 0 });
    const read = async (): Promise<void> => {
      for (const key of keys) await cache.getOrSet(key, () => key, { policy });
    };
    await read();
    await between(cache);
    for (let round = 0; round < 3; round += 1) await read();
    return cache;
  }

  test('its absence is named where it explains misses; and while it is there the reads are answered as predicted', async () => {
    const without = await around(async cache => {
      await on.redis.kill();
      await eventually(() => cache.status().remote.state === 'down');
    });
    const advice = (await adviceOf(without, 'redis_away'))!;
    expect(advice.evidence).toMatchObject({ redis_down: 3 * keys.length });
    expect(advice.prediction!.now).toBe(0);
    await on.redis.up();
    const with_ = await around(() => Promise.resolve());
    expect(Math.abs(hitRateOf(with_) - advice.prediction!.then)).toBeLessThan(0.01);
    expect(await adviceOf(with_, 'redis_away')).toBeUndefined();
  }, 60_000);
});
