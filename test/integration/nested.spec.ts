import { definePolicy, type TieredCache } from '../../src/cache/core';
import { eventually, held } from './cache-node';
import { redisNodes } from './redis-nodes';

/** A loader that reads other keys: what changes inside has changed outside. */
describe('a load inside a load', () => {
  const on = redisNodes();
  const { node } = on;

  const outer = (cache: TieredCache, inner: () => string | Promise<string>): Promise<string> =>
    cache.getOrSet('outer', async () => `of ${await cache.getOrSet('inner', inner, { tags: ['t'] })}`);

  test('whoever asks after the inner tag was invalidated does not get what was under way before', async () => {
    const a = await node();
    const source = held<string>();
    const before = outer(a, () => source.promise);
    await eventually(() => a.status().loadsInFlight === 2);
    expect(await a.invalidateTags(['t'])).toEqual({ applied: true, queued: false });
    const after = outer(a, () => 'new');
    source.release('old');
    expect(await before).toBe('of old');
    expect(await after).toBe('of new');
  });

  test('and neither does whoever asks when the inner load is over and the outer one is not', async () => {
    const a = await node();
    const rest = held<void>();
    const before = a.getOrSet('outer', async () => {
      const inner = await a.getOrSet('inner', () => 'old', { tags: ['t'] });
      await rest.promise;
      return `of ${inner}`;
    });
    await eventually(async () => (await a.get('inner')) === 'old' && a.status().loadsInFlight === 1);
    await a.invalidateTags(['t']);
    const after = outer(a, () => 'new');
    rest.release();
    expect(await before).toBe('of old');
    expect(await after).toBe('of new');
  });

  test('an inner value that was loaded beside the lease of another instance is not stored with the outer one', async () => {
    const [a, b] = [await node(), await node()];
    const impatient = definePolicy('impatient', { waitMs: 20, tags: ['t'] });
    const elsewhere = held<string>();
    const theirs = b.getOrSet('inner', () => elsewhere.promise, { policy: impatient });
    await eventually(() => b.status().loadsInFlight === 1);
    const read = (value: string): Promise<string> =>
      a.getOrSet('outer', async () => `of ${await a.getOrSet('inner', () => value, { policy: impatient })}`);
    expect(await read('old')).toBe('of old');
    await a.invalidateTags(['t']);
    expect(await read('new')).toBe('of new');
    elsewhere.release('old');
    await theirs;
  });
});
