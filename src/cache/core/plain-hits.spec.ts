import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { cachesUnderTest, exactPolicy } from '../../../test/fakes/cache-under-test';
import { FakeClock, settled } from '../../../test/fakes/fake-clock';
import { NodeHash } from '../node/node-hash';
import { HeldValue } from './entry-codec';
import type { NearEntry } from './near-cache';
import { maxEntriesHeld, PlainHits } from './plain-hits';
import { definePolicy, type CachePolicy } from './policy';
import type { ValueSerializer } from './ports';
import { ReadProfile } from './read-profile';
import { CacheStats } from './stats';
import { TokenTable } from './tokens';
import { statsWindows, type StatsWindow } from './windows';

describe('hits in L1 that are counted in their entry', () => {
  const make = cachesUnderTest();
  const policy = exactPolicy({ ttlMs: 3_600_000, tags: ['t'] });

  test.each<[string, (cache: ReturnType<typeof make>['cache']) => unknown]>([
    ['invalidated', cache => cache.invalidateKeys(['a'])],
    ['invalidated by its tag', cache => cache.invalidateTags(['t'])],
    ['replaced', cache => cache.set('a', 'other', { policy })],
    [
      'pushed out',
      async cache => {
        for (let at = 0; at < 3; at += 1) await cache.getOrSet(`b${at}`, () => at, { policy });
      },
    ],
    ['cleared', cache => cache.clear()],
  ])('are all there when it has been %s before anybody looks', async (_how, drop) => {
    const { cache } = make({ local: { maxEntries: 2 } });
    await cache.getOrSet('a', () => 'v', { policy });
    for (let time = 0; time < 7; time += 1) await cache.get('a', { policy });
    await drop(cache);
    expect(cache.stats().policies.exact?.l1.hits).toBe(7);
    expect(cache.stats().policies.exact?.outcomes.l1_hit).toBe(7);
  });

  const ways = [
    ['one at a time', (cache, by) => cache.getOrSet('a', () => 'v', { policy: by })],
    ['many at a time', (cache, by) => cache.getMany(['a'], { policy: by })],
  ] satisfies [string, (cache: ReturnType<typeof make>['cache'], by: CachePolicy) => Promise<unknown>][];

  test.each(ways)('stand under the policy of the read, %s, whoever else reads it', async (_how, read) => {
    const { cache } = make();
    const other = definePolicy('other', { ttlMs: 3_600_000, jitter: 0, refreshAheadFraction: 0 });
    await cache.getOrSet('a', () => 'v', { policy });
    for (const by of [policy, policy, other, other, other, policy]) await read(cache, by);
    expect(cache.stats().policies.exact?.outcomes.l1_hit).toBe(3);
    expect(cache.stats().policies.other?.outcomes.l1_hit).toBe(3);
  });

  test.each(ways)('are heard, %s, while somebody listens, and counted alike', async (_how, read) => {
    const { cache } = make();
    const heard: string[] = [];
    await cache.getOrSet('a', () => 'v', { policy });
    for (let time = 0; time < 2; time += 1) await read(cache, policy);
    const stop = cache.events.on('read', ({ outcome }) => void heard.push(outcome));
    for (let time = 0; time < 2; time += 1) await read(cache, policy);
    stop();
    await read(cache, policy);
    expect(heard).toEqual(['l1_hit', 'l1_hit']);
    expect(cache.stats().totals.outcomes).toMatchObject({ miss: 1, l1_hit: 5 });
  });

  test('are all there when a serialiser looks at them while many are read', async () => {
    const { cache } = make();
    let look = (): unknown => undefined;
    // Makes what cannot be frozen, so that it is read for each reader.
    const decode = (bytes: Uint8Array): Date => {
      look();
      return new Date(bytes[0]!);
    };
    const serializer: ValueSerializer = {
      id: 77,
      isolation: 'freeze',
      encode: () => new Uint8Array([7]),
      decode,
    };
    const by = exactPolicy({ serializer });
    await cache.getOrSet('a', () => new Date(7), { policy: by });
    await cache.get('a', { policy: by });
    look = () => cache.stats();
    await cache.getMany(['a'], { policy: by });
    expect(await cache.get('a', { policy: by })).toEqual(new Date(7));
    expect(cache.stats().totals.outcomes.l1_hit).toBe(3);
  });

  test('end when the policy is given a shorter life', async () => {
    const { cache, clock } = make();
    const read = (): Promise<unknown> => cache.get('a', { policy });
    await cache.getOrSet('a', () => 'v', { policy });
    await clock.advance(2_000);
    expect([await read(), await read()]).toEqual(['v', 'v']);
    cache.overridePolicies({ exact: { ttlMs: 1_000 } });
    expect(await read()).toBeUndefined();
  });

  test('end when an override has cut the entry, and are not resumed when it is taken back', async () => {
    const { cache, clock } = make();
    await cache.getOrSet('a', () => 'v', { policy });
    await clock.advance(2_000);
    expect(await cache.get('a', { policy })).toBe('v');
    cache.overridePolicies({ exact: { ttlMs: 1_000 } });
    expect(cache.peekFresh('a', policy)).toBeUndefined();
    cache.overridePolicies({});
    const answer = await cache.lookup('a', () => 'w', { policy });
    expect(answer).toMatchObject({ value: 'w', outcome: 'miss', cause: 'expired' });
    expect(cache.stats().totals.outcomes).toMatchObject({ l1_hit: 1, stale_hit: 0, miss: 2 });
  });

  test('end with the fresh life of an entry that is refreshed at no time', async () => {
    const { cache, clock } = make();
    const read = (): Promise<unknown> => cache.get('a', { policy });
    await cache.getOrSet('a', () => 'v', { policy });
    cache.overridePolicies({ exact: { ttlMs: 1_000, staleMs: 1_000 } });
    await clock.advance(999);
    expect([await read(), await read()]).toEqual(['v', 'v']);
    await clock.advance(1);
    expect(await read()).toBeUndefined();
  });

  test('end in the moment in which a refresh is due', async () => {
    const { cache, clock } = make();
    const ahead = exactPolicy({ ttlMs: 1_000, refreshAheadFraction: 0.8 });
    let loads = 0;
    const read = (): Promise<unknown> => cache.getOrSet('a', () => (loads += 1), { policy: ahead });
    await read();
    await clock.advance(795);
    expect([await read(), await read(), loads]).toEqual([1, 1, 1]);
    await clock.advance(6);
    await read();
    await settled();
    expect(loads).toBe(2);
  });

  test('belong to the time in which they were made', async () => {
    const { cache, clock } = make();
    await cache.getOrSet('a', () => 'v', { policy });
    for (let time = 0; time < 5; time += 1) await cache.get('a', { policy });
    await clock.advance(70_000);
    expect(cache.stats('1m').totals.outcomes.l1_hit).toBe(0);
    expect(cache.stats('5m').totals.outcomes.l1_hit).toBe(5);
  });

  test('are looked at one by one where they are further apart than the sample can be content with', async () => {
    const { cache, clock } = make();
    const life = exactPolicy({ ttlMs: 8_000 });
    await cache.getOrSet('a', () => 'v', { policy: life });
    for (let time = 0; time < 4; time += 1) {
      await clock.advance(900);
      await cache.get('a', { policy: life });
    }
    // With a life of a second every other one of them would have been a hit.
    expect(cache.profile().keys[0]!.hitsByLife.slice(0, 4)).toEqual([2, 3, 4, 4]);
  });

  test('agree with what the answers say, in every window and for every key', async () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd');
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.record({ kind: fc.constant('read' as const), key, other: fc.boolean() }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('invalidate' as const), key }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('set' as const), key }) },
      {
        weight: 2,
        arbitrary: fc.record({ kind: fc.constant('pause' as const), ms: fc.nat({ max: 9_000 }) }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('look' as const),
          window: fc.constantFrom(...statsWindows),
        }),
      },
    );
    const policies = [
      definePolicy('one', { ttlMs: 8_000, staleMs: 4_000, jitter: 0 }),
      definePolicy('two', { ttlMs: 20_000, jitter: 0, refreshAheadFraction: 0 }),
    ] as const;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 120 }), async steps => {
        const { cache, clock } = make({ local: { maxEntries: 3 } });
        const startedAtMs = clock.nowMs();
        const answers: { atMs: number; key: string; policy: string; outcome: string }[] = [];
        const compare = (window: StatsWindow): void => {
          const { policies: seen, windowMs } = cache.stats(window);
          const sinceMs = clock.nowMs() - windowMs;
          const within = answers.filter(({ atMs }) => atMs >= sinceMs || sinceMs === startedAtMs);
          for (const { name } of policies) {
            const own = within.filter(answer => answer.policy === name);
            const { gets = 0, outcomes = {} } = seen[name] ?? {};
            expect([window, name, gets]).toEqual([window, name, own.length]);
            for (const [outcome, count] of Object.entries(outcomes))
              expect([outcome, count]).toEqual([
                outcome,
                own.filter(each => each.outcome === outcome).length,
              ]);
          }
        };
        for (const each of steps) {
          if (each.kind === 'pause') await clock.advance(each.ms);
          else if (each.kind === 'look') compare(each.window);
          else if (each.kind === 'set') await cache.set(each.key, 's', { policy: policies[0] });
          else if (each.kind === 'invalidate') await cache.invalidateKeys([each.key]);
          else {
            const of = policies[each.other ? 1 : 0];
            const { outcome } = await cache.lookup(each.key, () => 'v', { policy: of });
            answers.push({ atMs: clock.nowMs(), key: each.key, policy: of.name, outcome });
          }
        }
        for (const window of statsWindows) compare(window);
        // A key that is read under two policies tells of the last one alone.
        if (answers.every(answer => answer.policy === 'one'))
          for (const { key: of, outcomes } of cache.profile().keys)
            expect([of, outcomes.l1_hit]).toEqual([
              of,
              answers.filter(({ key: at, outcome }) => at === of && outcome === 'l1_hit').length,
            ]);
      }),
      { numRuns: 150 },
    );
  }, 30_000);
});

describe('entries that are held for their counts', () => {
  const make = cachesUnderTest();

  test('are let go with all others when the cache is cleared', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const { cache } = make();
    const read = async (): Promise<WeakRef<object>> => {
      await cache.getOrSet('a', () => ({ of: 'a' }));
      return new WeakRef((await cache.get<object>('a'))!);
    };
    const value = await read();
    await cache.clear();
    // A reference that was made in this turn keeps its target until it ends.
    await new Promise(resolve => setImmediate(resolve));
    collect();
    expect(value.deref()).toBeUndefined();
    expect(cache.stats().totals.l1.hits).toBe(1);
  });

  const policy = definePolicy('many');
  const far = 1e12;
  const serializer = {
    id: 9,
    isolation: 'share',
    encode: () => new Uint8Array(),
    decode: () => 'v',
  } as const;
  const entry = (bytes: number): NearEntry => ({
    held: HeldValue.decode(new Uint8Array(bytes), serializer),
    negative: false,
    tier: 'shared',
    fillId: '',
    bornAtMs: 0,
    refreshAtMs: far,
    staleAtMs: far,
    expiresAtMs: far,
    keptUntilMs: far,
    records: [],
    tokens: [],
    table: new TokenTable(undefined),
    equalAtChange: 0,
    gates: [],
    epoch: 0,
    probe: undefined,
    plainHits: 0,
    countedFor: undefined,
    plainUntilMs: 0,
  });

  function counting(): { clock: FakeClock; stats: CacheStats; hits: PlainHits } {
    const clock = new FakeClock();
    const stats = new CacheStats(clock, { compressions: 0, bytesIn: 0, bytesOut: 0 });
    return { clock, stats, hits: new PlainHits(stats, new ReadProfile(clock, new NodeHash())) };
  }

  test('of a key outside the sample are counted within the bucket of each hit', async () => {
    const { clock, stats, hits } = counting();
    const one = entry(1);
    const read = (): void => {
      if (clock.nowMs() < one.plainUntilMs) hits.again(one);
      else hits.begin(one, policy, clock.nowMs());
    };
    for (const pauseMs of [0, 1_000, 40_000, 1_000, 30_000]) {
      await clock.advance(pauseMs);
      read();
    }
    expect(stats.snapshot('1m').totals.l1.hits).toBe(3);
    expect(stats.snapshot('5m').totals.l1.hits).toBe(5);
  });

  test('are never more than there is room for, and none of their counts is lost', () => {
    const { clock, stats, hits } = counting();
    const read = (of: NearEntry, by: CachePolicy): void => {
      hits.begin(of, by, clock.nowMs());
      hits.again(of);
    };
    for (let at = 0; at < maxEntriesHeld + 10; at += 1) read(entry(1), policy);
    expect(hits.held).toBe(10);
    for (let at = 0; at < 5; at += 1) read(entry(4 * 1_048_576), policy);
    expect(hits.held).toBeLessThanOrEqual(3);
    expect(stats.snapshot().totals.l1.hits).toBe(2 * (maxEntriesHeld + 15));
    expect(hits.held).toBe(0);
  });
});
