import { cachesUnderTest } from '../../../test/fakes/cache-under-test';
import { instancesUnderTest } from '../../../test/fakes/instances-under-test';
import { type CacheError, CacheOptionsError } from './errors';
import { policies } from './policies';
import { definePolicy, maxTtlMs, overridePolicy } from './policy';

/** As operators see it: a policy of the table, with times that are exact. */
const api = definePolicy('api', { ttlMs: 1_000, staleMs: 500, jitter: 0, refreshAheadFraction: 0 });

/** Loads 1, 2, 3… */
const counting = (): (() => number) => {
  let runs = 0;
  return () => (runs += 1);
};

describe('an override of a policy', () => {
  const make = cachesUnderTest();

  test('gives what is stored from now on its life and its stale window', async () => {
    const { cache, clock } = make();
    cache.overridePolicies({ api: { ttlMs: 5_000, staleMs: 2_000 } });
    await cache.getOrSet('k', () => 1, { policy: api });
    await clock.advance(4_999);
    expect(await cache.get('k', { policy: api })).toBe(1);
    expect(await cache.lookup('k', () => 1, { policy: api })).toMatchObject({ freshMs: 1, staleMs: 2_000 });
  });

  test('of the life alone makes the stale window no longer than that', async () => {
    const { cache } = make();
    cache.overridePolicies({ api: { ttlMs: 200 } });
    expect(await cache.lookup('k', () => 1, { policy: api })).toMatchObject({ freshMs: 200, staleMs: 200 });
    cache.overridePolicies({ api: { ttlMs: 9_000 } });
    expect(cache.policyInForce(api)).toMatchObject({ ttlMs: 9_000, staleMs: 500 });
  });

  test('of the stale window alone leaves the life', () => {
    const { cache } = make();
    cache.overridePolicies({ api: { staleMs: 0 } });
    expect(cache.policyInForce(api)).toMatchObject({ ttlMs: 1_000, staleMs: 0, overridden: true });
  });

  test('is of the policy of that name alone, and of every place that has it', () => {
    const { cache } = make();
    cache.overridePolicies({ api: { ttlMs: 7_000 } });
    expect(cache.policyInForce(policies.api).ttlMs).toBe(7_000);
    expect(cache.policyInForce(policies.db)).toBe(policies.db);
    const tagged = overridePolicy(policies.api, { tags: ['mine'], tier: 'local' });
    expect(cache.policyInForce(tagged)).toMatchObject({ ttlMs: 7_000, tags: ['api', 'mine'], tier: 'local' });
  });

  test('does not touch a place that gave its own life, nor the window of one that gave its own window', () => {
    const { cache } = make();
    cache.overridePolicies({ api: { ttlMs: 7_000 } });
    const ownTtl = overridePolicy(policies.api, { ttlMs: 30_000 });
    expect(cache.policyInForce(ownTtl)).toBe(ownTtl);
    cache.overridePolicies({ api: { ttlMs: 7_000, staleMs: 3_000 } });
    const ownBoth = overridePolicy(policies.api, { ttlMs: 30_000, staleMs: 1_000 });
    expect(cache.policyInForce(ownBoth)).toBe(ownBoth);
    const ownStale = overridePolicy(policies.api, { staleMs: 0 });
    expect(cache.policyInForce(ownStale)).toMatchObject({ ttlMs: 7_000, staleMs: 0 });
    cache.overridePolicies({ api: { staleMs: 3_000 } });
    expect(cache.policyInForce(ownStale)).toBe(ownStale);
  });

  test('of the window is followed by a place that gave its own life alone', async () => {
    const { cache, clock } = make();
    const own = overridePolicy(api, { ttlMs: 400 });
    await cache.getOrSet('k', () => 1, { policy: own });
    cache.overridePolicies({ api: { ttlMs: 100, staleMs: 0 } });
    expect(cache.policyInForce(own)).toMatchObject({ ttlMs: 400, staleMs: 0, overridden: true });
    await clock.advance(399);
    expect(cache.peekFresh('k', own)).toMatchObject({ value: 1, freshMs: 1 });
    await clock.advance(1);
    expect(await cache.lookup('k', () => 2, { policy: own })).toMatchObject({ value: 2, outcome: 'miss' });
    cache.overridePolicies({ api: { staleMs: 900 } });
    expect(cache.policyInForce(own)).toMatchObject({ ttlMs: 400, staleMs: 900 });
  });

  test('of the window does not cut a value that was set for longer than its place says', async () => {
    const { cache, clock } = make();
    const own = overridePolicy(api, { ttlMs: 400 });
    await cache.set('k', 1, { policy: own, ttlMs: 800 });
    cache.overridePolicies({ api: { staleMs: 0 } });
    await clock.advance(799);
    expect(await cache.get('k', { policy: own })).toBe(1);
  });

  test('leaves a value that was set with a life of its own as it is', async () => {
    const { cache, clock } = make();
    cache.overridePolicies({ api: { ttlMs: 10 } });
    const own = overridePolicy(api, { ttlMs: 800 });
    await cache.set('k', 1, { policy: api, ttlMs: 800 });
    await clock.advance(799);
    expect(await cache.get('k', { policy: own })).toBe(1);
  });

  test('fits a window that a place gave for itself into thirty days', () => {
    const { cache } = make();
    cache.overridePolicies({ api: { ttlMs: maxTtlMs - 1_000 } });
    const ownStale = overridePolicy(policies.api, { staleMs: 86_400_000 });
    expect(cache.policyInForce(ownStale)).toMatchObject({ ttlMs: maxTtlMs - 1_000, staleMs: 1_000 });
  });

  test('shortens an entry that is there; its miss is one of what has expired', async () => {
    const { cache, clock } = make();
    const load = counting();
    await cache.getOrSet('k', load, { policy: api });
    await clock.advance(300);
    cache.overridePolicies({ api: { ttlMs: 400, staleMs: 0 } });
    expect(await cache.lookup('k', load, { policy: api })).toMatchObject({
      value: 1,
      freshMs: 100,
      staleMs: 0,
    });
    expect(cache.peekFresh('k', api)).toMatchObject({ value: 1, freshMs: 100 });
    await clock.advance(100);
    expect(cache.peekFresh('k', api)).toBeUndefined();
    expect(await cache.lookup('k', load, { policy: api })).toMatchObject({
      value: 2,
      outcome: 'miss',
      cause: 'expired',
    });
  });

  test('does not lengthen one', async () => {
    const { cache, clock } = make();
    const load = counting();
    await cache.getOrSet('k', load, { policy: api });
    cache.overridePolicies({ api: { ttlMs: 9_000, staleMs: 9_000 } });
    expect(await cache.lookup('k', load, { policy: api })).toMatchObject({ freshMs: 1_000, staleMs: 500 });
    await clock.advance(1_500);
    expect(await cache.lookup('k', load, { policy: api })).toMatchObject({ value: 2, freshMs: 9_000 });
  });

  test('moves the refresh of a shortened entry with its end', async () => {
    const { cache, clock } = make();
    const early = definePolicy('api', { ttlMs: 1_000, jitter: 0, refreshAheadFraction: 0.8 });
    const load = counting();
    await cache.getOrSet('k', load, { policy: early });
    cache.overridePolicies({ api: { ttlMs: 500 } });
    await clock.advance(399);
    expect(await cache.getOrSet('k', load, { policy: early })).toBe(1);
    await clock.advance(1);
    expect(await cache.getOrSet('k', load, { policy: early })).toBe(1);
    await clock.advance(0);
    expect(await cache.getOrSet('k', load, { policy: early })).toBe(2);
  });

  test('does not make a negative entry worth a refresh', async () => {
    const { cache, clock } = make();
    const negative = definePolicy('api', { ttlMs: 1_000, jitter: 0, negativeTtlMs: 900 });
    let loads = 0;
    const nothing = (): null => ((loads += 1), null);
    await cache.getOrSet('k', nothing, { policy: negative });
    cache.overridePolicies({ api: { ttlMs: 500 } });
    await clock.advance(450);
    expect(await cache.lookup('k', nothing, { policy: negative })).toMatchObject({ outcome: 'negative_hit' });
    expect(loads).toBe(1);
    await clock.advance(50);
    expect(await cache.lookup('k', nothing, { policy: negative })).toMatchObject({ outcome: 'miss' });
  });

  test('that is taken back leaves the policy as it was', () => {
    const { cache } = make();
    cache.overridePolicies({ api: { ttlMs: 7_000 }, db: { staleMs: 0 } });
    cache.overridePolicies({ db: { staleMs: 0 } });
    expect(cache.policyInForce(policies.api)).toBe(policies.api);
    cache.overridePolicies({});
    expect(cache.policyInForce(policies.db)).toBe(policies.db);
  });

  test('is worked out once for each policy, until it changes', () => {
    const { cache } = make();
    cache.overridePolicies({ api: { ttlMs: 7_000 } });
    expect(cache.policyInForce(policies.api)).toBe(cache.policyInForce(policies.api));
    const inForce = cache.policyInForce(policies.api);
    expect(cache.policyInForce(inForce)).toBe(inForce);
  });

  test.each([
    [{ api: { ttlMs: 0 } }, 'TTL_INVALID', 'override of policy api: ttlMs'],
    [{ api: { ttlMs: 1.5 } }, 'TTL_INVALID', 'override of policy api: ttlMs'],
    [{ api: { ttlMs: maxTtlMs + 1 } }, 'TTL_INVALID', 'override of policy api: ttlMs'],
    [{ api: { staleMs: -1 } }, 'CACHE_OPTIONS_INVALID', 'override of policy api: staleMs'],
    [{ api: { ttlMs: maxTtlMs, staleMs: 1 } }, 'CACHE_OPTIONS_INVALID', 'ttlMs + staleMs'],
    [{ session: { staleMs: 1 } }, 'CACHE_OPTIONS_INVALID', 'override of policy session: staleMs must stay 0'],
  ])('refuses %j and leaves those that are there', (overrides, code, message) => {
    const { cache } = make();
    cache.overridePolicies({ db: { ttlMs: 1_000 } });
    let refusal: unknown;
    try {
      cache.overridePolicies(overrides);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(CacheOptionsError);
    expect(refusal as CacheError).toMatchObject({ code, message: expect.stringContaining(message) });
    expect(cache.policyInForce(policies.db).ttlMs).toBe(1_000);
  });
});

describe('an override on one of two instances', () => {
  const make = instancesUnderTest();

  test('shortens what the other has stored in Redis, as it is read here, and there only when it is told as well', async () => {
    const world = await make(2);
    const [a, b] = [world.all[0]!.cache, world.all[1]!.cache];
    const load = counting();
    await a.getOrSet('k', load, { policy: api });
    b.overridePolicies({ api: { ttlMs: 300, staleMs: 0 } });
    await world.clock.advance(200);
    expect(await b.lookup('k', load, { policy: api })).toMatchObject({
      value: 1,
      outcome: 'l2_hit',
      freshMs: 100,
    });
    await world.clock.advance(100);
    expect(await a.get('k', { policy: api })).toBe(1);
    expect(await b.lookup('k', load, { policy: api })).toMatchObject({
      value: 2,
      outcome: 'miss',
      cause: 'expired',
    });
    expect(await a.lookup('k', load, { policy: api })).toMatchObject({ value: 2, outcome: 'l2_hit' });
  });

  test('shortens what was found in Redis and not yet copied', async () => {
    const world = await make(2);
    const [a, b] = [world.all[0]!.cache, world.all[1]!.cache];
    const load = counting();
    await a.getOrSet('k', load, { policy: api });
    await world.clock.advance(400);
    b.overridePolicies({ api: { ttlMs: 300, staleMs: 0 } });
    expect(await b.get('k', { policy: api })).toBeUndefined();
  });
});
