import { randomBytes } from 'node:crypto';
import { definePolicy, missCauses, type MissCause, type TieredCache } from '../../src/cache/core';
import { eventually } from './cache-node';
import { redisNodes } from './redis-nodes';
import { patientCommandTimeoutMs } from './redis-server';

/** Each cause is brought about as it comes about in production, and is then found under its name. */
describe('why a read misses', () => {
  const on = redisNodes(patientCommandTimeoutMs);
  const policy = definePolicy('p', { ttlMs: 3_600_000, jitter: 0, refreshAheadFraction: 0 });
  const causeOf = async (cache: TieredCache, key: string, of = policy): Promise<MissCause | undefined> =>
    (await cache.lookup(key, () => 'again', { policy: of })).cause;
  const nameOf = async (key: string): Promise<string> =>
    (await on.redis.admin().keys('*')).find(name => name.includes(`:d:`) && name.includes(key))!;

  const scenes: Record<MissCause, () => Promise<MissCause | undefined>> = {
    cold: async () => causeOf(await on.node(), 'k'),

    expired: async () => {
      const cache = await on.node();
      const short = definePolicy('short', { ttlMs: 40, jitter: 0, refreshAheadFraction: 0 });
      const key = 'short-lived';
      expect(await causeOf(cache, key, short)).toBe('cold');
      let cause: MissCause | undefined;
      await eventually(async () => (cause = await causeOf(cache, key, short)) !== undefined);
      return cause;
    },

    invalidated: async () => {
      const [cache, other] = [await on.node(), await on.node()];
      const tagged = definePolicy('p', { ttlMs: 3_600_000, jitter: 0, tags: ['t'] });
      await causeOf(cache, 'tagged', tagged);
      await other.invalidateTags(['t']);
      expect(await causeOf(cache, 'tagged', tagged)).toBe('invalidated');
      await cache.getOrSet('k', () => 1, { policy });
      await cache.invalidateKeys(['k']);
      return causeOf(cache, 'k');
    },

    evicted_l1: async () => {
      const cache = await on.node({ maxEntries: 3 });
      const local = definePolicy('local', { tier: 'local', ttlMs: 3_600_000, jitter: 0 });
      for (const key of ['a', 'b', 'c', 'd']) expect(await causeOf(cache, key, local)).toBe('cold');
      return causeOf(cache, 'a', local);
    },

    evicted_l2: async () => {
      const cache = await on.node();
      const admin = on.redis.admin();
      const short = definePolicy('p', { ttlMs: 60_000, jitter: 0, refreshAheadFraction: 0 });
      const keys = Array.from({ length: 40 }, (_, at) => `k${at}`);
      await cache.remoteInfo();
      for (const key of keys) await cache.getOrSet(key, () => randomBytes(20_000), { policy: short });
      await admin.config('SET', 'maxmemory-policy', 'volatile-ttl');
      const { usedMemoryBytes } = (await cache.remoteInfo())!;
      await admin.config('SET', 'maxmemory', usedMemoryBytes - 300_000);
      await admin.config('SET', 'maxmemory', 0);
      await cache.remoteInfo();
      const causes = await Promise.all(keys.map(key => causeOf(cache, key, short)));
      const missed = causes.filter(cause => cause !== undefined);
      expect(missed.length).toBeGreaterThan(5);
      expect(missed.length).toBeLessThan(40);
      expect(new Set(missed).size).toBe(1);
      return missed[0];
    },

    rejected: async () => {
      const cache = await on.node();
      const large = 'x'.repeat(2_000_000);
      await cache.getOrSet('k', () => large, { policy });
      return causeOf(cache, 'k');
    },

    format: async () => {
      const cache = await on.node();
      await cache.getOrSet('k', () => 1, { policy });
      await on.redis.admin().set(await nameOf('{k}'), 'what another program writes');
      return causeOf(cache, 'k');
    },

    redis_down: async () => {
      const cache = await on.node();
      await on.redis.kill();
      await eventually(() => cache.status().remote.state === 'down');
      const cause = await causeOf(cache, 'k');
      await on.redis.up();
      return cause;
    },
  };

  test.each(missCauses)('%s', async cause => {
    expect(await scenes[cause]()).toBe(cause);
  });
});
