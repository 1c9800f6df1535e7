import { CacheError } from './errors';
import { policies } from './policies';
import { definePolicy, hardTtlMs, maxTtlMs, overridePolicy, type PolicyOptions } from './policy';

const refusal = (run: () => unknown): CacheError => {
  try {
    run();
  } catch (error) {
    if (error instanceof CacheError) return error;
    throw error;
  }
  throw new Error('accepted');
};

describe('definePolicy', () => {
  test('fills in every default', () => {
    expect(definePolicy('p')).toEqual({
      name: 'p',
      ttlMs: 300_000,
      staleMs: 0,
      tier: 'shared',
      tags: [],
      negativeTtlMs: 0,
      jitter: 0.05,
      refreshAheadFraction: 0.8,
      loaderTimeoutMs: 30_000,
      softDeadlineMs: 0,
      deadlineMs: 0,
      leaseMs: 2_000,
      waitMs: 30_000,
      maxConcurrentLoads: 256,
      failSafe: false,
      serializer: undefined,
      ownTtl: false,
      ownStale: false,
      overridden: false,
    });
  });

  test('takes undefined for "not given"', () => {
    expect(definePolicy('p', { ttlMs: undefined, tags: undefined, jitter: undefined })).toEqual(
      definePolicy('p'),
    );
  });

  test('waits for the load of another instance as long as a loader may take, unless told otherwise', () => {
    expect(definePolicy('p', { loaderTimeoutMs: 7 }).waitMs).toBe(7);
    expect(definePolicy('p', { loaderTimeoutMs: 7, waitMs: 8 }).waitMs).toBe(8);
  });

  test('is frozen, its tags included, and has each tag once', () => {
    const tags = ['a', 'b', 'a'];
    const policy = definePolicy('p', { tags });
    tags.push('c');
    expect(policy.tags).toEqual(['a', 'b']);
    expect([Object.isFrozen(policy), Object.isFrozen(policy.tags)]).toEqual([true, true]);
  });

  const outside: [keyof PolicyOptions, unknown[]][] = [
    ['ttlMs', [0, -1, 1.5, '60', 1e21, NaN, 2 ** 53, maxTtlMs + 1, null, Infinity]],
    ['staleMs', [-1, 0.5, NaN, Infinity, '1', maxTtlMs + 1]],
    ['negativeTtlMs', [-1, 1.5, 300_001, '1']],
    ['loaderTimeoutMs', [0, -1, 3_600_001, 1.5, Infinity]],
    ['softDeadlineMs', [-1, 30_001, 0.5, '1']],
    ['deadlineMs', [-1, 3_600_001, 1.5]],
    ['leaseMs', [99, 60_001, 100.5]],
    ['waitMs', [0, 3_600_001, 1.5]],
    ['maxConcurrentLoads', [0, 100_001, 1.5]],
    ['jitter', [-0.01, 0.51, NaN, '0.1']],
    ['refreshAheadFraction', [0.09, 1.01, -0.5, NaN, '0.8']],
    ['tier', ['l1', '', null, 1]],
    ['failSafe', ['yes', 1, null]],
  ];
  test.each(outside.flatMap(([option, values]) => values.map(value => [option, value] as const)))(
    'refuses %s = %p, naming policy, option and value',
    (option, value) => {
      const error = refusal(() => definePolicy('mine', { [option]: value }));
      expect(error.code).toBe(option === 'ttlMs' ? 'TTL_INVALID' : 'CACHE_OPTIONS_INVALID');
      expect(error.message).toContain('policy mine');
      expect(error.message).toContain(option);
      expect(error.message).toContain(String(value));
    },
  );

  const inside: [keyof PolicyOptions, unknown[]][] = [
    ['ttlMs', [1, maxTtlMs]],
    ['negativeTtlMs', [0, 300_000]],
    ['loaderTimeoutMs', [1, 3_600_000]],
    ['leaseMs', [100, 60_000]],
    ['waitMs', [1, 3_600_000]],
    ['maxConcurrentLoads', [1, 100_000]],
    ['jitter', [0, 0.5]],
    ['refreshAheadFraction', [0, 0.1, 1]],
    ['tier', ['shared', 'redis', 'local']],
    ['failSafe', [true, false]],
  ];
  test.each(inside.flatMap(([option, values]) => values.map(value => [option, value] as const)))(
    'accepts %s = %p',
    (option, value) => {
      expect(definePolicy('p', { [option]: value })).toHaveProperty(option, value);
    },
  );

  test('refuses a life that is too long only together with its stale window', () => {
    expect(refusal(() => definePolicy('p', { ttlMs: maxTtlMs, staleMs: 1 })).message).toContain(
      'ttlMs + staleMs',
    );
    expect(hardTtlMs(definePolicy('p', { ttlMs: maxTtlMs - 1, staleMs: 1 }))).toBe(maxTtlMs);
  });

  test('refuses tags that cannot be tags', () => {
    expect(refusal(() => definePolicy('p', { tags: ['!any'] })).code).toBe('TAG_RESERVED');
    expect(refusal(() => definePolicy('p', { tags: ['a b'] })).code).toBe('TAG_INVALID');
  });
});

describe('overridePolicy', () => {
  const base = definePolicy('base', { ttlMs: 60_000, staleMs: 60_000, negativeTtlMs: 5_000, tags: ['a'] });

  test('a shorter TTL alone shrinks the stale window and the negative life with it', () => {
    expect(overridePolicy(base, { ttlMs: 1_000 })).toMatchObject({
      ttlMs: 1_000,
      staleMs: 1_000,
      negativeTtlMs: 1_000,
    });
  });

  test('a longer TTL alone leaves the stale window and the negative life as they are', () => {
    expect(overridePolicy(base, { ttlMs: 600_000 })).toMatchObject({ staleMs: 60_000, negativeTtlMs: 5_000 });
  });

  test('a stale window that is given stays, however short the TTL', () => {
    expect(overridePolicy(base, { ttlMs: 1_000, staleMs: 9_000 }).staleMs).toBe(9_000);
  });

  test('a loader timeout takes the waiting time along, unless that is given too', () => {
    expect(overridePolicy(base, { loaderTimeoutMs: 50 }).waitMs).toBe(50);
    expect(overridePolicy(base, { loaderTimeoutMs: 50, waitMs: 60 }).waitMs).toBe(60);
  });

  test('tags are added, never taken away', () => {
    expect(overridePolicy(base, { tags: ['b', 'a'] }).tags).toEqual(['a', 'b']);
  });

  test('keeps the name, changes nothing that is undefined, and checks the result', () => {
    expect(overridePolicy(base, { ttlMs: undefined, staleMs: undefined })).toEqual(base);
    expect(refusal(() => overridePolicy(base, { ttlMs: 0 })).message).toContain('policy base');
  });
});

describe('the six policies', () => {
  test.each([
    ['model', 3_600_000, 3_600_000, ['model', 'models']],
    ['session', 1_800_000, 0, ['session']],
    ['api', 300_000, 300_000, ['api']],
    ['db', 600_000, 600_000, ['db']],
    ['compute', 1_800_000, 3_600_000, ['compute']],
    ['static', 7_200_000, 86_400_000, ['static']],
  ] as const)('%s lives for %i ms and may be stale for %i', (name, ttlMs, staleMs, tags) => {
    expect(policies[name]).toMatchObject({ name, ttlMs, staleMs, tags });
  });

  test('a session is never refreshed ahead, and a computation may hold its lease for 30 s', () => {
    expect(policies.session.refreshAheadFraction).toBe(0);
    expect(policies.compute.leaseMs).toBe(30_000);
  });
});
