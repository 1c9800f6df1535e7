import { cachesUnderTest, exactPolicy } from '../../../test/fakes/cache-under-test';

describe('peekFresh', () => {
  const make = cachesUnderTest();
  const policy = exactPolicy({ ttlMs: 1_000, staleMs: 1_000, negativeTtlMs: 400, tags: ['t'] });

  test('finds what a read would serve from L1, and counts nothing until it is told that the answer was given', async () => {
    const { cache, clock } = make();
    expect(cache.peekFresh('a', policy)).toBeUndefined();
    await cache.getOrSet('a', () => 'v', { policy });
    await clock.advance(300);
    const before = cache.stats();
    const peeked = cache.peekFresh('a', policy)!;
    expect(cache.stats()).toEqual(before);
    expect(peeked).toEqual(await cache.lookup('a', () => 'other', { policy }));
    const afterRead = cache.stats();
    cache.countPeeked('a', policy, peeked);
    const both = cache.stats();
    expect(both.policies.exact!.outcomes.l1_hit - afterRead.policies.exact!.outcomes.l1_hit).toBe(1);
    expect(both.policies.exact!.gets - afterRead.policies.exact!.gets).toBe(1);
    expect(both.tiers.l1.hits - afterRead.tiers.l1.hits).toBe(1);
  });

  test('tells listeners of the read as a read does', async () => {
    const { cache } = make();
    await cache.getOrSet('n', () => null, { policy });
    const reads: unknown[] = [];
    cache.events.on('read', event => reads.push(event));
    await cache.getOrSet('n', () => null, { policy });
    cache.countPeeked('n', policy, cache.peekFresh('n', policy)!);
    expect(reads).toHaveLength(2);
    expect(reads[1]).toEqual(reads[0]);
    expect(reads[1]).toMatchObject({ outcome: 'negative_hit', source: 'l1' });
  });

  test('leaves a stale entry, one due for a refresh, an invalidated one and a foreign tier to a read', async () => {
    const { cache, clock } = make();
    const ahead = exactPolicy({ refreshAheadFraction: 0.5 });
    await cache.getOrSet('stale', () => 'v', { policy });
    await cache.getOrSet('ahead', () => 'v', { policy: ahead });
    await cache.getOrSet('tagged', () => 'v', { policy });
    expect(cache.peekFresh('ahead', ahead)).toBeDefined();
    await cache.invalidateTags(['t']);
    expect(cache.peekFresh('tagged', policy)).toBeUndefined();
    await cache.getOrSet('stale', () => 'v', { policy });
    await clock.advance(500);
    expect(cache.peekFresh('ahead', ahead)).toBeUndefined();
    expect(cache.peekFresh('stale', policy)).toBeDefined();
    await clock.advance(500);
    expect(cache.peekFresh('stale', policy)).toBeUndefined();
  });

  test('leaves values that each reader gets for himself, loads, uncounted reads and a closed cache alone', async () => {
    const { cache } = make();
    await cache.getOrSet('date', () => new Date(0), { policy });
    await cache.getOrSet('a', () => 'v', { policy });
    expect(cache.peekFresh('date', policy)).toBeUndefined();
    await cache.getOrSet('outer', () => (expect(cache.peekFresh('a', policy)).toBeUndefined(), 1), {
      policy,
    });
    await cache.runAs('warm-up', async () => expect(cache.peekFresh('a', policy)).toBeUndefined());
    expect(cache.peekFresh('a', policy)).toBeDefined();
    await cache.close();
    expect(cache.peekFresh('a', policy)).toBeUndefined();
  });
});
