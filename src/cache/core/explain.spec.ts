import { cachesUnderTest, exactPolicy, HeldLoader } from '../../../test/fakes/cache-under-test';
import { settled } from '../../../test/fakes/fake-clock';
import { CacheKeyError } from './errors';

describe('explain, with this process alone', () => {
  const make = cachesUnderTest();
  const policy = exactPolicy({ ttlMs: 1_000, staleMs: 500 });

  test('of a key that nobody knows there is nothing to say', async () => {
    const { cache } = make();
    expect(await cache.explain('k')).toEqual({
      key: 'k',
      entries: [],
      lease: undefined,
      loadsHere: 0,
      gate: { open: true, ageMs: null, lagMs: null },
      pendingInvalidation: false,
      redis: false,
    });
  });

  test('tells age, life left and tags, and counts nothing', async () => {
    const { cache, clock } = make();
    await cache.getOrSet('k', () => 'v', { policy, tags: ['t', 'a:b'] });
    await clock.advance(300);
    const before = cache.stats();
    expect(await cache.explain('k')).toMatchObject({
      entries: [
        {
          tier: 'l1',
          home: 'local',
          served: true,
          why: undefined,
          ageMs: 300,
          freshMs: 700,
          staleMs: 1_200,
          negative: false,
          dependsOn: [
            { kind: 'namespace', valid: true },
            { kind: 'tag', name: 't', valid: true },
            { kind: 'tag', name: 'a:b', valid: true },
          ],
        },
      ],
    });
    expect(cache.stats()).toEqual(before);
  });

  test('names the tag that has made an entry invalid', async () => {
    const { cache } = make();
    await cache.getOrSet('k', () => 'v', { policy, tags: ['t', 'u'] });
    await cache.invalidateTags(['t']);
    const [entry] = (await cache.explain('k')).entries;
    expect(entry).toMatchObject({ served: false, why: 'invalidated' });
    expect(entry!.dependsOn.map(({ name, valid }) => [name, valid])).toEqual([
      ['namespace', true],
      ['t', false],
      ['u', true],
    ]);
  });

  test('an entry whose life is over is there and not served', async () => {
    const { cache, clock } = make();
    await cache.getOrSet('k', () => 'v', { policy });
    await clock.advance(1_200);
    expect((await cache.explain('k')).entries[0]).toMatchObject({
      served: true,
      freshMs: -200,
      staleMs: 300,
    });
    await clock.advance(300);
    expect((await cache.explain('k')).entries[0]).toMatchObject({ served: false, why: 'expired' });
  });

  test('shows a load under way', async () => {
    const { cache } = make();
    const loader = new HeldLoader<string>();
    const answer = cache.getOrSet('k', loader.load);
    await settled();
    expect(await cache.explain('k')).toMatchObject({ loadsHere: 1, entries: [] });
    loader.release('v');
    await answer;
  });

  test('refuses what is no key', async () => {
    const { cache } = make();
    await expect(cache.explain('')).rejects.toThrow(CacheKeyError);
  });
});
