import { cachesUnderTest, type CacheUnderTest } from '../../../test/fakes/cache-under-test';
import { settled } from '../../../test/fakes/fake-clock';
import { definePolicy, rates, type MissCause, type PolicyOptions } from '../core';
import { diagnose, type Diagnosis } from './diagnose';
import type { Advice, AdviceKind, DoctorFacts } from './diagnosis';
import { familyOf } from './key-family';

function factsOf({ cache }: CacheUnderTest, more: Partial<DoctorFacts> = {}): DoctorFacts {
  const { rate, keys, hitShareOfSize } = cache.profile();
  return {
    statistics: cache.stats(),
    keys: keys.map(key => ({ ...key, head: familyOf(key.key, new Set()) })),
    rate,
    hitShareOfSize,
    l1MaxEntries: 10_000,
    l1MaxBytes: 64 * 1024 * 1024,
    warmedUnread: [],
    server: undefined,
    ...more,
  };
}

const adviceOf = ({ advice }: Diagnosis, kind: AdviceKind): Advice | undefined =>
  advice.find(each => each.kind === kind);
const kindsOf = ({ advice }: Diagnosis): string[] => advice.map(({ kind }) => kind);

describe('the doctor', () => {
  const make = cachesUnderTest();

  /** Ten keys, each read every eight seconds, for twenty minutes. */
  async function slowReads(
    test: CacheUnderTest,
    options: PolicyOptions,
    valueAt: (key: string, round: number) => unknown = key => key,
  ): Promise<{ hitRate: number; userVisibleHitRate: number }> {
    const policy = definePolicy('p', { jitter: 0, refreshAheadFraction: 0, staleMs: 0, ...options });
    for (let round = 0; round < 150; round += 1)
      for (let at = 0; at < 10; at += 1) {
        await test.clock.advance(800);
        const key = `thing:${at}`;
        await test.cache.getOrSet(key, () => valueAt(key, round), { policy });
        await settled();
      }
    return rates(test.cache.stats().policies['p']!);
  }

  describe('longer life', () => {
    it('is advised where reads come back after the end of one and find the same; and does what was predicted', async () => {
      const first = make();
      await slowReads(first, { ttlMs: 5_000 });
      const advice = adviceOf(diagnose(factsOf(first)), 'longer_life')!;
      expect(advice).toMatchObject({
        policy: 'p',
        head: 'thing:*',
        evidence: { unchanged_share: 1, ttl_ms: 5_000 },
        prediction: { measure: 'hit_rate', now: 0 },
      });
      expect(advice.message).toContain('100.0 % of 1490 reloads brought the same again');
      const { hitRate } = await slowReads(make(), { ttlMs: Number(advice.evidence['suggested_ttl_ms']) });
      expect(Math.abs(hitRate - advice.prediction!.then)).toBeLessThan(0.02);
      expect(hitRate).toBeGreaterThan(0.7);
    });

    it('is not advised where a reload brings something new', async () => {
      const test = make();
      await slowReads(test, { ttlMs: 5_000 }, (key, round) => `${key} ${round}`);
      expect(kindsOf(diagnose(factsOf(test)))).not.toContain('longer_life');
    });

    it('is not advised where it would bring next to nothing', async () => {
      const test = make();
      await slowReads(test, { ttlMs: 3_600_000 });
      expect(diagnose(factsOf(test)).advice).toEqual([]);
    });

    it('has its curve told for each family, the present life in the middle', async () => {
      const test = make();
      await slowReads(test, { ttlMs: 10_000 });
      const [family] = diagnose(factsOf(test)).families;
      expect(family).toMatchObject({ head: 'thing:*', policy: 'p', keys: 10, ttlMs: 10_000, reads: 1_500 });
      expect(family!.life.curve.map(({ ttlMs }) => ttlMs)).toEqual([
        1_250, 2_500, 5_000, 10_000, 20_000, 40_000, 80_000, 160_000,
      ]);
      const shares = family!.life.curve.map(({ hitRate }) => hitRate);
      expect([...shares].sort((a, b) => a - b)).toEqual(shares);
      expect(shares[3]).toBeCloseTo(family!.hitRate, 5);
    });
  });

  it('tells of what was read, and not of what was only warmed', async () => {
    const test = make();
    await test.cache.runAs('warm-up', () => test.cache.getOrSet('warmed:1', () => 1));
    await test.cache.getOrSet('read:1', () => 1);
    expect(diagnose(factsOf(test)).families.map(({ head }) => head)).toEqual(['read:*']);
  });

  describe('a stale window', () => {
    it('is advised where there is none and reads wait; and does what was predicted', async () => {
      const first = make();
      await slowReads(first, { ttlMs: 5_000 });
      const advice = adviceOf(diagnose(factsOf(first)), 'stale_window')!;
      const { userVisibleHitRate, hitRate } = await slowReads(make(), { ttlMs: 5_000, staleMs: 60_000 });
      expect(Math.abs(userVisibleHitRate - advice.prediction!.then)).toBeLessThan(0.02);
      expect(hitRate).toBe(0);
    });

    it('is not advised where there is one', async () => {
      const test = make();
      await slowReads(test, { ttlMs: 5_000, staleMs: 60_000 });
      expect(kindsOf(diagnose(factsOf(test)))).not.toContain('stale_window');
    });
  });

  describe('more room', () => {
    /** Two hundred keys in turn, with some that come again and again. */
    async function turns(test: CacheUnderTest): Promise<number> {
      const policy = definePolicy('p', { ttlMs: 86_400_000, refreshAheadFraction: 0 });
      for (let count = 0; count < 4_000; count += 1) {
        await test.clock.advance(60);
        const at = count % 2 === 0 ? count % 20 : count % 100;
        await test.cache.getOrSet(`k${at}`, () => at, { policy });
      }
      return rates(test.cache.stats().policies['p']!).hitRate;
    }
    const entries = 40;
    const within = (maxEntries: number): CacheUnderTest => make({ local: { maxEntries, eviction: 'lru' } });

    it('is advised where entries are dropped and come back; and does what was predicted', async () => {
      const first = within(entries);
      const now = await turns(first);
      const advice = adviceOf(diagnose(factsOf(first, { l1MaxEntries: entries })), 'more_room')!;
      expect(Math.abs(now - advice.prediction!.now)).toBeLessThan(0.02);
      const then = await turns(within(2 * entries));
      expect(Math.abs(then - advice.prediction!.then)).toBeLessThan(0.02);
      expect(then - now).toBeGreaterThan(0.2);
    });

    it('is not advised where all fits, nor where what is dropped never comes back', async () => {
      const roomy = within(1_000);
      await turns(roomy);
      expect(kindsOf(diagnose(factsOf(roomy)))).not.toContain('more_room');
      const passing = within(entries);
      for (let at = 0; at < 1_000; at += 1) await passing.cache.getOrSet(`once${at}`, () => at);
      const facts = factsOf(passing, { l1MaxEntries: entries });
      expect(facts.statistics.tiers.l1.evictions).toBeGreaterThan(0);
      expect(kindsOf(diagnose(facts))).not.toContain('more_room');
    });
  });

  describe('a narrower key', () => {
    const policy = definePolicy('p', { ttlMs: 86_400_000, refreshAheadFraction: 0 });
    /** Reads of a list that everybody sees alike, by keys that say something else each time or not. */
    async function lists(test: CacheUnderTest, keyOf: (at: number) => string, value = 'same'): Promise<void> {
      for (let at = 0; at < 600; at += 1)
        await test.cache.getOrSet(keyOf(at), () => (value === 'own' ? at : value), { policy });
    }

    it('is advised where a part of it is new each time, by its name; and without it there are so many keys', async () => {
      const test = make();
      await lists(test, at => `agents:list|limit=1:${at % 3}|ts=13:${1e12 + at}`);
      const advice = adviceOf(diagnose(factsOf(test)), 'narrower_key')!;
      expect(advice).toMatchObject({
        policy: 'p',
        head: 'agents:list',
        evidence: { varying_part: 'ts', values: 600 },
        prediction: { measure: 'keys', now: 600, then: 3 },
      });
      expect(advice.message).toContain('ts has 600 different values');
      const then = make();
      await lists(then, at => `agents:list|limit=1:${at % 3}`);
      expect(then.cache.profile().keys).toHaveLength(3);
      expect(rates(then.cache.stats().policies['p']!).hitRate).toBeGreaterThan(0.99);
    });

    it('is not advised where keys come back', async () => {
      const test = make();
      await lists(test, at => `agents:list|page=2:${at % 60}`);
      expect(kindsOf(diagnose(factsOf(test)))).not.toContain('narrower_key');
    });

    it('is advised where the middle of a key made by hand is new each time', async () => {
      const test = make();
      await lists(test, at => `report:${1e12 + at}:summary`);
      expect(adviceOf(diagnose(factsOf(test)), 'narrower_key')).toMatchObject({
        head: 'report:*:summary',
        evidence: { varying_part: 'part 2', contents: 1 },
        prediction: { now: 600, then: 1 },
      });
    });

    it('is advised where the answers differ as well, and the part looks like a time or a token', async () => {
      const test = make();
      await lists(test, at => `health:detailed|ts=13:${1e12 + at}`, 'own');
      expect(adviceOf(diagnose(factsOf(test)), 'narrower_key')).toMatchObject({
        evidence: { varying_part: 'ts', contents: 600 },
      });
    });

    it.each([
      ['a path', (at: number) => `agents:one|:id=4:${at}`],
      ['a path with UUIDs', (at: number) => `agents:one|:id=36:7b2f9f9e-1111-4222-8333-${String(1e11 + at)}`],
      ['an argument', (at: number) => `AgentsService.one|${at}`],
      ['a key made by hand', (at: number) => `agent:${at}:status`],
      ['a user', (at: number) => `users:me|!user=3:${at}`],
      ['what is searched for', (at: number) => `search|q=4:w${at}`],
    ])(
      'is not advised for %s that names what is answered: each has a content of its own',
      async (_, keyOf) => {
        const test = make();
        await lists(test, keyOf, 'own');
        expect(kindsOf(diagnose(factsOf(test)))).not.toContain('narrower_key');
      },
    );
  });

  describe('narrower tags', () => {
    async function reads(test: CacheUnderTest, tagOf: (at: number) => string): Promise<number> {
      for (let round = 0; round < 30; round += 1) {
        for (let at = 0; at < 20; at += 1)
          await test.cache.getOrSet(`agent:${at}`, () => at, {
            policy: definePolicy('p', { ttlMs: 86_400_000, tags: [tagOf(at)] }),
          });
        await test.cache.invalidateTags([tagOf(round % 20)]);
      }
      return rates(test.cache.stats().policies['p']!).hitRate;
    }

    it('are advised where most misses are of what was invalidated; and do what was predicted', async () => {
      const first = make();
      await reads(first, () => 'agents');
      const advice = adviceOf(diagnose(factsOf(first)), 'narrower_tags')!;
      expect(advice.prediction).toMatchObject({ measure: 'hit_rate', now: 0 });
      const then = await reads(make(), at => `agent:${at}`);
      // It says at best: what is invalidated by its own tag still is.
      expect(then).toBeLessThanOrEqual(advice.prediction!.then);
      expect(advice.prediction!.then - then).toBeLessThan(0.06);
    });

    it('are not advised where each invalidation meets its own', async () => {
      const test = make();
      await reads(test, at => `agent:${at}`);
      expect(kindsOf(diagnose(factsOf(test)))).not.toContain('narrower_tags');
    });
  });

  describe('no cache at all', () => {
    it('is advised where refreshes ask the source more often than reads would', async () => {
      const test = make();
      const policy = definePolicy('p', { ttlMs: 1_000, jitter: 0, refreshAheadFraction: 0.5 });
      for (let at = 0; at < 200; at += 1) {
        await test.cache.getOrSet('k', () => at, { policy });
        await settled();
        await test.clock.advance(800);
      }
      const advice = adviceOf(diagnose(factsOf(test)), 'not_worth_caching')!;
      expect(advice.policy).toBe('p');
      expect(Number(advice.evidence['refreshes'])).toBeGreaterThan(90);
      expect(Number(advice.evidence['origin_calls_avoided'])).toBeLessThanOrEqual(0);
      expect(advice.message).toContain('refreshAheadFraction of 0');
      const loads = async (refreshAheadFraction: number): Promise<number> => {
        const tried = make();
        for (let at = 0; at < 200; at += 1) {
          await tried.cache.getOrSet('k', () => at, {
            policy: definePolicy('p', { ...policy, refreshAheadFraction }),
          });
          await settled();
          await tried.clock.advance(800);
        }
        return tried.cache.stats().totals.loads;
      };
      expect(await loads(0)).toBeLessThan(0.6 * (await loads(0.5)));
    });

    it('is advised where hardly anything is read again', async () => {
      const test = make();
      for (let at = 0; at < 30; at += 1)
        for (let key = 0; key < 40; key += 1) {
          await test.cache.getOrSet(`k${key}`, () => key, {
            policy: definePolicy('p', { ttlMs: 10, jitter: 0 }),
          });
          await test.clock.advance(5);
        }
      expect(kindsOf(diagnose(factsOf(test)))).toContain('not_worth_caching');
    });

    it('is not advised where reads are answered', async () => {
      const test = make();
      await slowReads(test, { ttlMs: 60_000, refreshAheadFraction: 0.8 });
      expect(kindsOf(diagnose(factsOf(test)))).not.toContain('not_worth_caching');
    });
  });

  describe('what is told of the server and of warming', () => {
    /** Counts as they are after a thousand reads, a part of which missed for one cause. */
    async function withCause(cause: MissCause, count: number): Promise<DoctorFacts> {
      const test = make();
      for (let at = 0; at < 1_000; at += 1) await test.cache.getOrSet(`k${at % (1_000 - count)}`, () => at);
      const facts = factsOf(test);
      const { totals } = facts.statistics;
      const { miss } = totals.outcomes;
      return {
        ...facts,
        statistics: {
          ...facts.statistics,
          totals: { ...totals, causes: { ...totals.causes, cold: miss - count, [cause]: count } },
        },
      };
    }

    it.each([
      ['more_redis_memory', 'evicted_l2'],
      ['redis_away', 'redis_down'],
    ] as const)('%s is advised where misses are %s, and not where hardly any are', async (kind, cause) => {
      const advice = adviceOf(diagnose(await withCause(cause, 300)), kind)!;
      expect(advice.prediction!.then - advice.prediction!.now).toBeCloseTo(0.3, 5);
      expect(kindsOf(diagnose(await withCause(cause, 20)))).not.toContain(kind);
    });

    it('warmed entries that nobody reads are named by their job', () => {
      const facts = factsOf(make(), { warmedUnread: [{ job: 'models', count: 3, of: 4 }] });
      expect(adviceOf(diagnose(facts), 'warmed_unread')).toMatchObject({
        head: 'models',
        evidence: { warmed: 4, unread: 3 },
      });
      expect(diagnose(factsOf(make())).advice).toEqual([]);
    });

    it('says why the rate of the server is below that of users, and what else may be misread', async () => {
      const test = make();
      const policy = definePolicy('p', { ttlMs: 100, jitter: 0, staleMs: 60_000 });
      for (let at = 0; at < 120; at += 1) await test.cache.getOrSet('k', () => at);
      await test.cache.getOrSet('s', () => 1, { policy });
      await test.clock.advance(200);
      await test.cache.getOrSet('s', () => 1, { policy });
      await settled();
      const server = {
        ...{ keyspaceHits: 10, keyspaceMisses: 90, usedMemoryBytes: 0, usedMemoryHuman: '0B' },
        ...{ connectedClients: 1, totalCommandsProcessed: 0, evictedKeys: 0 },
      };
      const { notes } = diagnose(factsOf(test, { server }));
      expect(notes.join('\n')).toMatch(/own hit rate \(10\.0 %\) is below that of users/);
      expect(notes.join('\n')).toMatch(/Fewer than 100 reads .*: p\./);
      expect(notes.join('\n')).toMatch(/1 answers were stale/);
      expect(diagnose(factsOf(make())).notes).toEqual([]);
    });
  });
});
