import {
  type CacheUnderTest,
  cachesUnderTest,
  exactPolicy,
  HeldLoader,
} from '../../../test/fakes/cache-under-test';
import { settled } from '../../../test/fakes/fake-clock';
import type { LoadControl } from './loader';

/** Loads 1, 2, 3… */
const counting = (): { load: () => number; runs: () => number } => {
  let runs = 0;
  return { load: () => (runs += 1), runs: () => runs };
};

describe('the life of an entry', () => {
  const make = cachesUnderTest();

  test('a TTL of a second is a second', async () => {
    const { cache, clock } = make();
    const policy = exactPolicy({ ttlMs: 1_000 });
    const { load } = counting();
    expect(await cache.getOrSet('k', load, { policy })).toBe(1);
    await clock.advance(999);
    expect(await cache.getOrSet('k', load, { policy })).toBe(1);
    expect(await cache.get('k', { policy })).toBe(1);
    await clock.advance(1);
    expect(await cache.get('k', { policy })).toBeUndefined();
    expect(await cache.lookup('k', load, { policy })).toMatchObject({
      value: 2,
      outcome: 'miss',
      cause: 'expired',
    });
  });

  test('a hit does not lengthen it', async () => {
    const { cache, clock } = make();
    const policy = exactPolicy({ ttlMs: 1_000 });
    const { load } = counting();
    for (const ms of [0, 400, 400, 400]) {
      await clock.advance(ms);
      await cache.getOrSet('k', load, { policy });
    }
    expect(await cache.get('k', { policy })).toBe(2);
  });

  test('is told with every answer', async () => {
    const { cache, clock } = make();
    const policy = exactPolicy({ ttlMs: 1_000, staleMs: 500 });
    expect(await cache.lookup('k', () => 'v', { policy })).toEqual({
      value: 'v',
      outcome: 'miss',
      cause: 'cold',
      source: 'load',
      ageMs: 0,
      freshMs: 1_000,
      staleMs: 500,
      stored: true,
    });
    await clock.advance(300);
    expect(await cache.lookup('k', () => 'x', { policy })).toEqual({
      value: 'v',
      outcome: 'l1_hit',
      cause: undefined,
      source: 'l1',
      ageMs: 300,
      freshMs: 700,
      staleMs: 500,
      stored: true,
    });
  });

  test('begins when the value is stored, not when its load began', async () => {
    const { cache, clock } = make();
    const policy = exactPolicy({ ttlMs: 1_000 });
    const loader = new HeldLoader<string>();
    const first = cache.getOrSet('k', loader.load, { policy });
    await clock.advance(800);
    loader.release('v');
    await first;
    await clock.advance(999);
    expect(await cache.get('k', { policy })).toBe('v');
  });

  test.each([
    [0, 1_000],
    [0.5, 950],
    [1, 900],
  ])('jitter only ever shortens it: at %f of the dice, 1,000 ms are %i', async (dice, ttlMs) => {
    const { cache } = make({ random: () => dice });
    const policy = exactPolicy({ ttlMs: 1_000, staleMs: 70, jitter: 0.1 });
    expect(await cache.lookup('k', () => 1, { policy })).toMatchObject({ freshMs: ttlMs, staleMs: 70 });
  });

  test('jitter leaves even the shortest TTL a millisecond', async () => {
    const { cache } = make({ random: () => 1 });
    const answer = await cache.lookup('k', () => 1, { policy: exactPolicy({ ttlMs: 1, jitter: 0.5 }) });
    expect(answer.freshMs).toBe(1);
  });

  test('the loader may shorten it', async () => {
    const { cache, clock } = make();
    const policy = exactPolicy({ ttlMs: 1_000, staleMs: 1_000 });
    const load = (control: LoadControl): string => {
      control.setTtlMs(200);
      return 'v';
    };
    expect(await cache.lookup('k', load, { policy })).toMatchObject({ freshMs: 200, staleMs: 200 });
    await clock.advance(400);
    expect(await cache.lookup('k', () => 'x', { policy })).toMatchObject({
      value: 'x',
      outcome: 'miss',
      cause: 'expired',
    });
  });

  test('the loader cannot lengthen it, and asking for more changes nothing', async () => {
    const { cache } = make();
    const policy = exactPolicy({ ttlMs: 1_000, staleMs: 5_000 });
    const load = (control: LoadControl): string => {
      control.setTtlMs(2_000);
      return 'v';
    };
    expect(await cache.lookup('k', load, { policy })).toMatchObject({ freshMs: 1_000, staleMs: 5_000 });
  });

  test.each([0, -1, 1.5, NaN])('a loader that asks for a TTL of %p fails', async ttlMs => {
    const { cache } = make();
    const load = (control: LoadControl): void => control.setTtlMs(ttlMs);
    await expect(cache.getOrSet('k', load)).rejects.toMatchObject({ code: 'TTL_INVALID' });
  });

  test('a value that was set lives as long as it was told to', async () => {
    const { cache, clock } = make();
    const policy = exactPolicy({ ttlMs: 60_000, staleMs: 60_000 });
    await cache.set('k', 'v', { policy, ttlMs: 1_000 });
    await cache.set('l', 'v', { policy });
    expect(await cache.lookup('k', () => 'x', { policy })).toMatchObject({ freshMs: 1_000, staleMs: 1_000 });
    await clock.advance(2_000);
    expect(await cache.getOrSet('k', () => 'x', { policy })).toBe('x');
    expect(await cache.getOrSet('l', () => 'x', { policy })).toBe('v');
  });

  test('is kept to its last millisecond, however short', async () => {
    const { cache, clock } = make();
    const policy = exactPolicy({ ttlMs: 2 });
    expect(await cache.lookup('k', () => 'v', { policy })).toMatchObject({ value: 'v', stored: true });
    await clock.advance(1);
    expect(await cache.get('k', { policy })).toBe('v');
    await clock.advance(1);
    expect(await cache.get('k', { policy })).toBeUndefined();
  });
});

describe('a stale entry', () => {
  const make = cachesUnderTest();
  const policy = exactPolicy({ ttlMs: 1_000, staleMs: 1_000 });

  async function stale(): Promise<CacheUnderTest> {
    const one = make();
    await one.cache.getOrSet('k', () => 'old', { policy });
    await one.clock.advance(1_000);
    return one;
  }

  test('is answered with at once, marked stale, while one refresh runs behind it', async () => {
    const { cache, clock } = await stale();
    const loader = new HeldLoader<string>();
    for (let read = 0; read < 3; read += 1) {
      const answer = await cache.lookup('k', loader.load, { policy });
      expect(answer).toMatchObject({
        value: 'old',
        outcome: 'stale_hit',
        source: 'l1',
        stored: true,
        ageMs: 1_000,
        freshMs: 0,
      });
    }
    expect(loader.runs).toBe(1);
    loader.release('new');
    await settled();
    expect(await cache.lookup('k', loader.load, { policy })).toMatchObject({
      value: 'new',
      outcome: 'l1_hit',
      ageMs: 0,
    });
    await clock.advance(999);
    expect(await cache.get('k', { policy })).toBe('new');
    expect(loader.runs).toBe(1);
  });

  test('ends for good with its window, soft and hard life kept apart', async () => {
    const one = make();
    const short = exactPolicy({ ttlMs: 3_000, staleMs: 300 });
    const { load, runs } = counting();
    await one.cache.getOrSet('k', load, { policy: short });
    await one.clock.advance(2_999);
    expect(await one.cache.lookup('k', load, { policy: short })).toMatchObject({
      value: 1,
      outcome: 'l1_hit',
    });
    expect(runs()).toBe(1);
    await one.clock.advance(1);
    expect(await one.cache.lookup('k', load, { policy: short })).toMatchObject({
      value: 1,
      outcome: 'stale_hit',
    });
    await settled();
    // The refresh behind the stale answer is the one load that is right.
    expect(await one.cache.lookup('k', load, { policy: short })).toMatchObject({
      value: 2,
      outcome: 'l1_hit',
    });
    expect(runs()).toBe(2);
    await one.clock.advance(3_300);
    expect(await one.cache.lookup('k', load, { policy: short })).toMatchObject({
      value: 3,
      outcome: 'miss',
      cause: 'expired',
    });
  });

  test('is answered with when the source fails, and the source is asked again only after a while', async () => {
    const { cache, clock } = await stale();
    const errors: unknown[] = [];
    cache.events.on('load', ({ error, refresh }) => errors.push([error, refresh]));
    let runs = 0;
    const failing = (): never => {
      runs += 1;
      throw new Error('source is down');
    };
    const ask = (): Promise<unknown> => cache.lookup('k', failing, { policy });
    expect(await ask()).toMatchObject({ value: 'old', outcome: 'stale_hit' });
    await settled();
    expect([runs, errors]).toEqual([1, [[new Error('source is down'), true]]]);
    await clock.advance(900);
    expect(await ask()).toMatchObject({ value: 'old', outcome: 'stale_hit', freshMs: -900 });
    expect(runs).toBe(1);
    await clock.advance(100);
    await expect(ask()).rejects.toThrow('source is down');
    expect(runs).toBe(2);
  });

  test('is refreshed again after a failure once the waiting time is over', async () => {
    const one = make({ refreshRetryMs: 200 });
    await one.cache.getOrSet('k', () => 'old', { policy });
    await one.clock.advance(1_000);
    const loader = new HeldLoader<string>();
    const ask = (): Promise<string> => one.cache.getOrSet('k', loader.load, { policy });
    await ask();
    loader.fail(new Error('down'));
    await one.clock.advance(199);
    await ask();
    expect(loader.runs).toBe(1);
    await one.clock.advance(1);
    expect(await ask()).toBe('old');
    expect(loader.runs).toBe(2);
    loader.release('new', 1);
    await settled();
    expect(await ask()).toBe('new');
  });

  test('is nothing to a plain read, which cannot refresh it', async () => {
    const { cache } = await stale();
    expect(await cache.get('k', { policy })).toBeUndefined();
    expect(await cache.getOrSet('k', () => 'new', { policy })).toBe('old');
    await settled();
  });

  test('is not refreshed twice when a load of it is under way already', async () => {
    const { cache } = await stale();
    const loader = new HeldLoader<string>();
    await cache.getOrSet('k', loader.load, { policy });
    await cache.invalidateKeys(['k']);
    const fresh = cache.getOrSet('k', loader.load, { policy });
    expect(loader.runs).toBe(2);
    loader.release('refreshed, but invalidated');
    loader.release('new', 1);
    expect(await fresh).toBe('new');
    expect(await cache.get('k', { policy })).toBe('new');
  });

  test('answers inside a loader as well, and refreshes behind it once', async () => {
    const { cache } = await stale();
    const loader = new HeldLoader<string>();
    const read = (): Promise<string> => cache.getOrSet('k', loader.load, { policy });
    expect(await cache.getOrSet('outer', async () => [await read(), await read()])).toEqual(['old', 'old']);
    await settled();
    expect(loader.runs).toBe(1);
    loader.release('new');
    await settled();
    expect(await cache.get('k', { policy })).toBe('new');
  });

  test('is not refreshed again at once when the refresh brought nothing that can be stored', async () => {
    const { cache } = await stale();
    let loads = 0;
    const read = (): Promise<unknown> => cache.getOrSet<unknown>('k', () => void (loads += 1), { policy });
    for (let n = 0; n < 3; n += 1) {
      expect(await read()).toBe('old');
      await settled();
    }
    expect(loads).toBe(1);
  });

  test('a policy without a stale window never has one', async () => {
    const { cache, clock } = make();
    const exact = exactPolicy({ ttlMs: 1_000 });
    await cache.getOrSet('k', () => 'old', { policy: exact });
    await clock.advance(1_000);
    expect(await cache.lookup('k', () => 'new', { policy: exact })).toMatchObject({
      value: 'new',
      outcome: 'miss',
    });
  });
});

describe('refresh ahead', () => {
  const make = cachesUnderTest();
  const policy = exactPolicy({ ttlMs: 1_000, staleMs: 1_000, refreshAheadFraction: 0.8 });

  test('begins behind the first read past 80 % of the fresh life, which is still a hit', async () => {
    const { cache, clock } = make();
    const loader = new HeldLoader<string>();
    await cache.set('k', 'old', { policy });
    await clock.advance(799);
    expect(await cache.lookup('k', loader.load, { policy })).toMatchObject({ outcome: 'l1_hit' });
    expect(loader.runs).toBe(0);
    await clock.advance(1);
    for (let read = 0; read < 3; read += 1) {
      expect(await cache.lookup('k', loader.load, { policy })).toMatchObject({
        value: 'old',
        outcome: 'l1_hit',
      });
    }
    expect(loader.runs).toBe(1);
    loader.release('new');
    await settled();
    expect(await cache.lookup('k', loader.load, { policy })).toMatchObject({ value: 'new', ageMs: 0 });
  });

  test('does not begin under a policy that turned it off, nor behind a plain read', async () => {
    const { cache, clock } = make();
    const off = exactPolicy({ ttlMs: 1_000, staleMs: 1_000, refreshAheadFraction: 0 });
    const { load, runs } = counting();
    await cache.set('k', 'old', { policy: off });
    await cache.set('l', 'old', { policy });
    await clock.advance(999);
    await cache.getOrSet('k', load, { policy: off });
    await cache.get('l', { policy });
    await settled();
    expect(runs()).toBe(0);
  });

  test('a caller who comes after the entry has ended waits for the refresh that runs', async () => {
    const { cache, clock } = make();
    const loader = new HeldLoader<string>();
    await cache.set('k', 'old', { policy });
    await clock.advance(1_900);
    await cache.getOrSet('k', loader.load, { policy });
    await clock.advance(100);
    const waiting = cache.lookup('k', loader.load, { policy });
    loader.release('new');
    expect(await waiting).toMatchObject({ value: 'new', outcome: 'coalesced' });
    expect(loader.runs).toBe(1);
  });

  test('its result does not overwrite a value that was set meanwhile', async () => {
    const { cache, clock } = make();
    const loader = new HeldLoader<string>();
    await cache.set('k', 'old', { policy });
    await clock.advance(900);
    await cache.getOrSet('k', loader.load, { policy });
    await cache.set('k', 'set', { policy });
    loader.release('refreshed');
    await settled();
    expect(await cache.get('k', { policy })).toBe('set');
  });
});

describe('values that say that there is nothing', () => {
  const make = cachesUnderTest();

  test.each([[null], [0], [''], [false], [NaN]])(
    '%p is a value: loaded once and given back exactly',
    async value => {
      const { cache } = make();
      let runs = 0;
      const load = (): unknown => {
        runs += 1;
        return value;
      };
      expect(await cache.getOrSet('k', load)).toBe(value);
      expect(await cache.lookup('k', load)).toMatchObject({ value, outcome: 'l1_hit' });
      expect(await cache.get('k')).toBe(value);
      expect(await cache.getMany(['k'])).toEqual(new Map([['k', value]]));
      expect(runs).toBe(1);
    },
  );

  test('undefined is "no value": answered with and not stored', async () => {
    const { cache } = make();
    const { load, runs } = counting();
    const nothing = (): undefined => void load();
    expect(await cache.lookup('k', nothing)).toMatchObject({
      value: undefined,
      outcome: 'miss',
      cause: 'cold',
      stored: false,
    });
    expect(await cache.lookup('k', nothing)).toMatchObject({
      outcome: 'miss',
      cause: 'rejected',
      stored: false,
    });
    expect(runs()).toBe(2);
    await expect(cache.set('k', undefined)).rejects.toMatchObject({ code: 'VALUE_NOT_SERIALISABLE' });
  });

  test('null lives for its own short time where a policy says so, and is never stale', async () => {
    const { cache, clock } = make();
    const policy = exactPolicy({
      ttlMs: 60_000,
      staleMs: 60_000,
      negativeTtlMs: 500,
      refreshAheadFraction: 0.8,
    });
    const { load, runs } = counting();
    const nothing = (): null => {
      load();
      return null;
    };
    expect(await cache.lookup('k', nothing, { policy })).toMatchObject({
      value: null,
      outcome: 'miss',
      freshMs: 500,
      staleMs: 0,
    });
    await clock.advance(499);
    expect(await cache.lookup('k', nothing, { policy })).toMatchObject({
      value: null,
      outcome: 'negative_hit',
      source: 'l1',
    });
    expect(await cache.get('k', { policy })).toBeNull();
    expect(runs()).toBe(1);
    await clock.advance(1);
    expect(await cache.lookup('k', () => 'there now', { policy })).toMatchObject({
      value: 'there now',
      outcome: 'miss',
      freshMs: 60_000,
    });
  });

  test('null that was set is as short', async () => {
    const { cache } = make();
    const policy = exactPolicy({ ttlMs: 60_000, negativeTtlMs: 500 });
    await cache.set('k', null, { policy });
    expect(await cache.lookup('k', () => 1, { policy })).toMatchObject({
      outcome: 'negative_hit',
      freshMs: 500,
    });
  });

  test('an insert is seen at once when it invalidates the negative answer', async () => {
    const { cache } = make();
    const policy = exactPolicy({ ttlMs: 60_000, negativeTtlMs: 500, tags: ['agents'] });
    await cache.getOrSet('k', () => null, { policy });
    await cache.invalidateTags(['agents']);
    expect(await cache.getOrSet('k', () => 'inserted', { policy })).toBe('inserted');
  });
});
