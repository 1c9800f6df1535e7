import { exactPolicy } from '../../../test/fakes/cache-under-test';
import { settled } from '../../../test/fakes/fake-clock';
import { HoldingPostman } from '../../../test/fakes/holding-postman';
import { instancesUnderTest } from '../../../test/fakes/instances-under-test';
import { CacheKeyError, CacheValueError, RemoteUnavailableError } from './errors';

describe('values that are set', () => {
  const make = instancesUnderTest();
  const policy = exactPolicy({ ttlMs: 60_000, tags: ['t'] });

  test('a token that has changed unheard does not make what is set invalid', async () => {
    const postman = new HoldingPostman();
    const { all } = await make(2, postman.deliver);
    const [a, b] = [all[0]!.cache, all[1]!.cache];
    await a.getOrSet('other', () => 'v', { policy });
    await a.get('other', { policy });
    // Nothing of what changes reaches the instance, which goes on for as long as it may with the token that it knows.
    postman.hold('a⇠');
    await b.invalidateTags(['t']);
    expect(await a.set('k', 'v2', { policy })).toEqual({ applied: true, queued: false });
    expect(await b.get('k', { policy })).toBe('v2');
    postman.release('a⇠');
    await settled();
    expect(await a.get('k', { policy })).toBe('v2');
  });

  test('it learns no token whose removal is still to be made', async () => {
    const { all, clock } = await make(1);
    const { cache, tier } = all[0]!;
    await cache.getOrSet('k', () => 'old', { policy });
    await cache.get('k', { policy });
    expect((await cache.lookup('k', () => 'new', { policy })).source).toBe('l1');
    jest.spyOn(tier, 'invalidate').mockRejectedValueOnce(new RemoteUnavailableError('connection closed'));
    expect(await cache.invalidateTags(['t'])).toEqual({ applied: false, queued: true });
    // The server still has the token, and says so.
    expect(await cache.set('other', 'v', { policy })).toEqual({ applied: true, queued: false });
    expect(await cache.get('k', { policy })).toBeUndefined();
    // It is tried once more a little later.
    await clock.advance(300);
    expect(cache.status().pendingInvalidations).toBe(0);
  });

  test('of several values of one key the last is set, and nothing is written when one of them cannot be', async () => {
    const { all, redis } = await make(1);
    const { cache } = all[0]!;
    await cache.setMany([
      ['a', 1],
      ['b', 2],
      ['a', 3],
    ]);
    expect(await cache.getMany(['a', 'b'])).toEqual(
      new Map([
        ['a', 3],
        ['b', 2],
      ]),
    );
    const before = redis.keys.length;
    await expect(
      cache.setMany([
        ['c', 1],
        ['d', undefined],
      ]),
    ).rejects.toThrow(CacheValueError);
    await expect(
      cache.setMany([
        ['c', 1],
        ['', 2],
      ]),
    ).rejects.toThrow(CacheKeyError);
    expect(redis.keys.length).toBe(before);
    expect(await cache.setMany([])).toEqual({ applied: true, queued: false });
  });

  test('with a version that is older than what is there, some are not applied, and the others are', async () => {
    const { all } = await make(1);
    const { cache } = all[0]!;
    await cache.set('a', 'new', { version: 5 });
    const both: [string, string][] = [
      ['a', 'old'],
      ['b', 'old'],
    ];
    expect(await cache.setMany(both, { version: 4 })).toEqual({ applied: false, queued: false });
    expect(await cache.getMany(['a', 'b'])).toEqual(
      new Map([
        ['a', 'new'],
        ['b', 'old'],
      ]),
    );
  });
});
