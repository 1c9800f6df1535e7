import { exactPolicy, HeldLoader } from '../../../test/fakes/cache-under-test';
import { settled } from '../../../test/fakes/fake-clock';
import { HoldingPostman } from '../../../test/fakes/holding-postman';
import { instancesUnderTest, type InstancesUnderTest } from '../../../test/fakes/instances-under-test';

const policy = exactPolicy({ ttlMs: 600_000, tags: ['t'] });
const repliesToA = 'a r←';
const wordToA = 'a⇠';

describe('a look at an entry under tokens that are known here', () => {
  const make = instancesUnderTest();
  let post: HoldingPostman;
  let instances: InstancesUnderTest;

  /** `b` has loaded `k`, and `a` knows the token of its tag, but not `k`. */
  beforeEach(async () => {
    post = new HoldingPostman();
    instances = await make(2, post.deliver);
    const [a, b] = instances.all;
    await b!.cache.getOrSet('k', () => 'v1', { policy });
    for (const load of ['loaded', 'fetched', 'here'])
      expect(await a!.cache.getOrSet('mark', () => load, { policy })).toBe('loaded');
  });

  describe.each([
    ['all of which are known', []],
    ['one of which has to be asked for', ['u']],
  ])('%s', (_which, tags) => {
    const options = { policy, tags };

    test.each([
      ['has just been heard of', true],
      ['cannot be heard of', false],
    ])(
      'is not joined by a reader who begins more than Δ after an invalidation that %s',
      async (_what, isHeard) => {
        const [a, b] = instances.all;
        await b!.cache.getOrSet('m', () => 'v1', options);
        post.hold(wordToA);
        await b!.cache.invalidateTags(['t']);
        await instances.clock.advance(1_900);
        // Its gate is open: the last canary that it has heard is younger than Δ.
        post.hold(repliesToA);
        const before = a!.cache.getOrSet('m', () => 'wrong', options);
        await instances.clock.advance(200);
        if (isHeard) post.release(wordToA);
        await settled();
        const after = a!.cache.getOrSet('m', () => 'v2', options);
        await settled();
        post.release(repliesToA);
        expect([await before, await after]).toEqual(['v1', 'v2']);
        post.release(wordToA);
        await settled();
        expect(await a!.cache.getOrSet('m', () => 'wrong', options)).toBe('v2');
      },
    );
  });

  test('is joined while they are what they were', async () => {
    const [a] = instances.all;
    const { hits } = a!.cache.stats().totals.l2;
    post.hold(repliesToA);
    const reads = ['first', 'second'].map(load => a!.cache.getOrSet('k', () => load, { policy }));
    await settled();
    post.release(repliesToA);
    expect(await Promise.all(reads)).toEqual(['v1', 'v1']);
    expect(a!.cache.stats().totals.l2.hits).toBe(hits + 1);
  });
});

describe('a load that began with a look is joined, whatever has become of the tokens that the look went by:', () => {
  const make = instancesUnderTest();
  let post: HoldingPostman;
  let instances: InstancesUnderTest;
  const local = exactPolicy({ ttlMs: 600_000, tags: ['t'], tier: 'local' });

  beforeEach(async () => {
    post = new HoldingPostman();
    instances = await make(1, post.deliver);
    const [a] = instances.all;
    for (const load of ['loaded', 'fetched', 'here'])
      expect(await a!.cache.getOrSet('mark', () => load, { policy })).toBe('loaded');
  });

  /** Told again, as a token is whose life is renewed. */
  async function renew(token: string): Promise<void> {
    const { redis } = instances;
    const key = redis.keys.find(name => name.includes(`:t:{${token}}`))!;
    redis.run(draft => draft.set(key, draft.get(key)!, 600_000));
    await settled();
  }

  test.each([
    ['under a lease', policy],
    ['for this process', local],
  ])('%s, a token is told again', async (_way, ofTier) => {
    const [a] = instances.all;
    const loader = new HeldLoader<string>();
    const first = a!.cache.lookup('k', loader.load, { policy: ofTier });
    await settled();
    await renew('t');
    const second = a!.cache.lookup('k', loader.load, { policy: ofTier });
    await settled();
    expect(loader.runs).toBe(1);
    loader.release('v1');
    expect([await first, await second]).toMatchObject([
      { value: 'v1', outcome: 'miss', source: 'load' },
      { value: 'v1', outcome: 'coalesced', source: 'load' },
    ]);
  });

  test('past the shared tier, which went away during the look', async () => {
    const [a] = instances.all;
    const loader = new HeldLoader<string>();
    post.hold(repliesToA);
    const first = a!.cache.lookup('k', loader.load, { policy });
    await settled();
    a!.tier.cutData();
    await renew('t');
    const second = a!.cache.lookup('k', loader.load, { policy });
    await settled();
    expect(loader.runs).toBe(1);
    loader.release('v1');
    expect([(await first).outcome, (await second).outcome]).toEqual(['miss', 'coalesced']);
    post.release(repliesToA);
  });
});

describe('from an invalidation on, even before the shared tier has made it,', () => {
  const make = instancesUnderTest();
  let post: HoldingPostman;

  test.each([
    ['its key', { keys: ['k'] }],
    ['its tag', { tags: ['t'] }],
  ])('nothing that is held here under %s is served', async (_what, invalidated) => {
    post = new HoldingPostman();
    const instances = await make(1, post.deliver);
    const [a] = instances.all;
    for (const load of ['v1', 'fetched', 'here']) await a!.cache.getOrSet('k', () => load, { policy });
    expect(await a!.cache.lookup('k', () => 'wrong', { policy })).toMatchObject({
      value: 'v1',
      source: 'l1',
    });
    post.hold('a w→');
    const invalidation = a!.cache.invalidate(invalidated);
    const source = (await a!.cache.lookup('k', () => 'v2', { policy })).source;
    post.release('a w→');
    expect(source).not.toBe('l1');
    expect(await invalidation).toMatchObject({ applied: true });
    expect(await a!.cache.getOrSet('k', () => 'v2', { policy })).toBe('v2');
  });
});
