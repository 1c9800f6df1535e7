import { exactPolicy, HeldLoader } from '../../../test/fakes/cache-under-test';
import { settled } from '../../../test/fakes/fake-clock';
import { instancesUnderTest } from '../../../test/fakes/instances-under-test';

/** Loaders that read other cached keys, on instances that share a tier. */
describe('nested reads', () => {
  const make = instancesUnderTest();
  const policy = exactPolicy({ ttlMs: 60_000 });

  test('a loader that has read one key before and one after an invalidation of their tag stores nothing', async () => {
    const { all } = await make(1);
    const { cache } = all[0]!;
    const [early, late] = [new HeldLoader<string>(), new HeldLoader<string>()];
    const goOn = new HeldLoader<void>();
    const tags = ['t'];
    const outer = cache.getOrSet(
      'outer',
      async control => {
        const both = await Promise.all([
          cache.getOrSet('early', early.load, { policy, tags }),
          goOn.load(control).then(() => cache.getOrSet('late', late.load, { policy, tags })),
        ]);
        return both.join(' ');
      },
      { policy },
    );
    await settled();
    expect(early.runs).toBe(1);
    await cache.invalidateTags(['t']);
    goOn.release(undefined);
    await settled();
    expect(late.runs).toBe(1);
    // The token of after the invalidation comes to the outer load first.
    late.release('new');
    await settled();
    early.release('old');
    expect(await outer).toBe('old new');
    expect(await cache.getOrSet('outer', () => 'fresh', { policy })).toBe('fresh');
  });
});
