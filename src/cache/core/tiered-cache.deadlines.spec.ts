import { cachesUnderTest, exactPolicy, HeldLoader } from '../../../test/fakes/cache-under-test';
import { settled } from '../../../test/fakes/fake-clock';
import { CacheDeadlineError } from './errors';

describe('the soft deadline', () => {
  const make = cachesUnderTest();
  const policy = exactPolicy({ ttlMs: 1_000, staleMs: 10_000, softDeadlineMs: 200 });

  /** A cache that holds a stale `old`. */
  async function withStale(): Promise<ReturnType<typeof make>> {
    const made = make();
    await made.cache.getOrSet('k', () => 'old', { policy });
    await made.clock.advance(1_000);
    return made;
  }

  test('a refresh that is quick enough is what the caller gets', async () => {
    const { cache } = await withStale();
    const loader = new HeldLoader<string>();
    const answer = cache.lookup('k', loader.load, { policy });
    await settled();
    loader.release('new');
    expect(await answer).toMatchObject({ value: 'new', outcome: 'miss', cause: 'expired', source: 'load' });
    expect(await cache.get('k', { policy })).toBe('new');
  });

  test('after it the caller gets the stale value, and the refresh is stored when it is done', async () => {
    const { cache, clock } = await withStale();
    const loader = new HeldLoader<string>();
    const answer = cache.lookup('k', loader.load, { policy });
    let answered = false;
    void answer.then(() => (answered = true));
    await clock.advance(199);
    expect(answered).toBe(false);
    await clock.advance(1);
    expect(await answer).toMatchObject({ value: 'old', outcome: 'stale_hit' });
    loader.release('new');
    await settled();
    expect(await cache.get('k', { policy })).toBe('new');
    expect(loader.runs).toBe(1);
  });

  test('a refresh that fails gives the stale value at once', async () => {
    const { cache } = await withStale();
    const fail = (): Promise<string> => Promise.reject(new Error('down'));
    expect(await cache.lookup('k', fail, { policy })).toMatchObject({ value: 'old', outcome: 'stale_hit' });
  });

  test('who comes in the turn in which it is begun waits for the same one', async () => {
    const { cache } = await withStale();
    const loader = new HeldLoader<string>();
    const both = [cache.lookup('k', loader.load, { policy }), cache.lookup('k', loader.load, { policy })];
    await settled();
    loader.release('new');
    expect((await Promise.all(both)).map(({ value, outcome }) => [value, outcome])).toEqual([
      ['new', 'miss'],
      ['new', 'coalesced'],
    ]);
    expect(loader.runs).toBe(1);
  });

  test('who comes while a refresh runs waits for the same one', async () => {
    const { cache } = await withStale();
    const loader = new HeldLoader<string>();
    const first = cache.lookup('k', loader.load, { policy });
    await settled();
    const second = cache.lookup('k', loader.load, { policy });
    await settled();
    loader.release('new');
    expect([(await first).outcome, (await second).outcome]).toEqual(['miss', 'coalesced']);
    expect([(await second).value, loader.runs]).toEqual(['new', 1]);
  });

  test('an invalidation while the caller waits: nobody who comes later joins that refresh', async () => {
    const { cache } = await withStale();
    const loader = new HeldLoader<string>();
    const before = cache.getOrSet('k', loader.load, { policy });
    await settled();
    await cache.invalidateKeys(['k']);
    const after = cache.getOrSet('k', loader.load, { policy });
    await settled();
    loader.release('overtaken', 0);
    loader.release('new', 1);
    expect([await before, await after]).toEqual(['overtaken', 'new']);
    expect(await cache.get('k', { policy })).toBe('new');
  });

  test('a refresh whose answer is for its own caller leaves the others the stale value', async () => {
    const { cache } = await withStale();
    const loader = new HeldLoader<string>();
    const load = (control: { signal: AbortSignal; doNotStore(): void }): Promise<string> => {
      control.doNotStore();
      return loader.load(control);
    };
    const own = cache.getOrSet('k', load, { policy });
    await settled();
    const other = cache.lookup('k', load, { policy });
    await settled();
    loader.release('mine');
    expect(await own).toBe('mine');
    expect(await other).toMatchObject({ value: 'old', outcome: 'stale_hit' });
  });

  test('a hard deadline that comes first gives the stale value, not an error', async () => {
    const { cache, clock } = await withStale();
    const loader = new HeldLoader<string>();
    const answer = cache.lookup('k', loader.load, { policy, deadlineMs: 50 });
    await clock.advance(50);
    expect(await answer).toMatchObject({ value: 'old', outcome: 'stale_hit' });
    loader.release('new');
    await settled();
  });

  test('an aborted caller is rejected and counted as an error; the refresh goes on', async () => {
    const { cache } = await withStale();
    const loader = new HeldLoader<string>();
    const abort = new AbortController();
    const answer = cache.getOrSet('k', loader.load, { policy, signal: abort.signal });
    await settled();
    abort.abort(new Error('gone'));
    await expect(answer).rejects.toThrow('gone');
    loader.release('new');
    await settled();
    expect(await cache.get('k', { policy })).toBe('new');
    expect(cache.stats().totals.outcomes.error).toBe(1);
  });

  test('a plain read does not wait: a stale entry is no entry', async () => {
    const { cache } = await withStale();
    expect(await cache.get('k', { policy })).toBeUndefined();
  });
});

describe('the hard deadline of a policy', () => {
  const make = cachesUnderTest();

  test('rejects a caller with nothing to fall back on; the load goes on and is stored', async () => {
    const { cache, clock } = make();
    const policy = exactPolicy({ deadlineMs: 100 });
    const loader = new HeldLoader<string>();
    const answer = cache.getOrSet('k', loader.load, { policy });
    const rejected = answer.catch((error: unknown) => error);
    await clock.advance(100);
    expect(await rejected).toBeInstanceOf(CacheDeadlineError);
    loader.release('v');
    await settled();
    expect(await cache.get('k', { policy })).toBe('v');
  });

  test('gives way to the deadline of a call', async () => {
    const { cache, clock } = make();
    const policy = exactPolicy({ deadlineMs: 100 });
    const loader = new HeldLoader<string>();
    const answer = cache.getOrSet('k', loader.load, { policy, deadlineMs: 300 });
    await clock.advance(299);
    loader.release('v');
    expect(await answer).toBe('v');
  });

  test('who has left does not load for himself when the answer turns out to be for another', async () => {
    const { cache, clock } = make();
    const loader = new HeldLoader<string>();
    const load = (control: { signal: AbortSignal; doNotStore(): void }): Promise<string> => {
      control.doNotStore();
      return loader.load(control);
    };
    const first = cache.getOrSet('k', load);
    await settled();
    const second = cache.getOrSet('k', load, { deadlineMs: 10 });
    const rejected = second.catch((error: unknown) => error);
    await clock.advance(10);
    expect(await rejected).toBeInstanceOf(CacheDeadlineError);
    loader.release('mine');
    expect(await first).toBe('mine');
    await settled();
    expect(loader.runs).toBe(1);
  });
});
