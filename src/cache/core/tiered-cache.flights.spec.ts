import {
  type CacheUnderTest,
  cachesUnderTest,
  exactPolicy,
  HeldLoader,
} from '../../../test/fakes/cache-under-test';
import { settled } from '../../../test/fakes/fake-clock';
import { CacheClosedError, CacheDeadlockError, CacheLoadTimeoutError, CacheOverloadError } from './errors';
import type { LoadControl } from './loader';

const statuses = async (promises: readonly Promise<unknown>[]): Promise<string[]> =>
  (await Promise.allSettled(promises)).map(result =>
    result.status === 'fulfilled' ? String(result.value) : (result.reason as Error).message,
  );

describe('single flight', () => {
  const make = cachesUnderTest();

  test('however many ask for a missing key, the loader runs once and all get its value', async () => {
    const { cache } = make();
    const loader = new HeldLoader<string>();
    const calls = Array.from({ length: 50 }, () => cache.lookup('k', loader.load));
    await settled();
    expect([loader.runs, cache.status().loadsInFlight]).toEqual([1, 1]);
    loader.release('v');
    const outcomes = (await Promise.all(calls)).map(
      answer => `${answer.value} ${answer.outcome} ${answer.source}`,
    );
    expect(outcomes).toEqual(['v miss load', ...Array<string>(49).fill('v coalesced load')]);
  });

  test('keys do not wait for each other', async () => {
    const { cache } = make();
    const loader = new HeldLoader<string>();
    const first = cache.getOrSet('a', loader.load);
    expect(await cache.getOrSet('b', () => 'b')).toBe('b');
    loader.release('a');
    expect(await first).toBe('a');
  });

  test('a load that fails, fails once for all who wait, stores nothing, and the next call tries again', async () => {
    const { cache } = make();
    const loader = new HeldLoader<string>();
    const calls = Array.from({ length: 20 }, () => cache.getOrSet('k', loader.load));
    await settled();
    loader.fail(new Error('source is down'));
    expect(await statuses(calls)).toEqual(Array(20).fill('source is down'));
    expect([loader.runs, cache.status().l1Entries]).toEqual([1, 0]);
    expect(await cache.getOrSet('k', () => 'v')).toBe('v');
  });

  test('a call made in answer to the failure begins anew', async () => {
    const { cache } = make();
    const failing = (): Promise<string> => Promise.reject(new Error('once'));
    const value = await cache.getOrSet('k', failing).catch(() => cache.getOrSet('k', () => 'second try'));
    expect(value).toBe('second try');
  });

  test('a loader that throws at once rejects like one that rejects', async () => {
    const { cache } = make();
    const load = (): never => {
      throw new Error('at once');
    };
    await expect(cache.getOrSet('k', load)).rejects.toThrow('at once');
    await expect(cache.lookup('k', load)).rejects.toThrow('at once');
  });

  test('a plain read does not wait in vain: it finds what is being loaded', async () => {
    const { cache } = make();
    const loader = new HeldLoader<string>();
    const loading = cache.getOrSet('k', loader.load);
    const reading = cache.get('k');
    loader.release('v');
    expect(await Promise.all([loading, reading])).toEqual(['v', 'v']);
    expect(await cache.get('absent')).toBeUndefined();
  });

  test('a caller with a loader who meets a plain read that finds nothing goes on and loads', async () => {
    const { cache } = make();
    const reading = cache.get('k');
    const loading = cache.lookup('k', () => 'v');
    expect(await reading).toBeUndefined();
    expect(await loading).toMatchObject({ value: 'v', outcome: 'miss', stored: true });
  });

  test('something else than a loader is refused at once', () => {
    const { cache } = make();
    for (const wrong of [undefined, null, 'value', {}]) {
      expect(() => cache.lookup('k', wrong as never)).toThrow(TypeError);
      expect(() => cache.getOrSet('k', wrong as never)).toThrow(TypeError);
    }
  });
});

describe('an answer for one caller alone', () => {
  const make = cachesUnderTest();

  test('is neither stored nor handed to those who wait: they load for themselves, all at once', async () => {
    const { cache } = make();
    const releases: ((value: string) => void)[] = [];
    const load = (control: LoadControl): Promise<string> => {
      control.doNotStore();
      return new Promise(resolve => releases.push(resolve));
    };
    const calls = Array.from({ length: 5 }, () => cache.lookup('k', load));
    await settled();
    expect(releases).toHaveLength(1);
    releases[0]!('for 0');
    await settled();
    expect(releases).toHaveLength(5);
    for (const at of [4, 3, 2, 1]) releases[at]!(`for ${at}`);
    const answers = await Promise.all(calls);
    expect(new Set(answers.map(answer => answer.value)).size).toBe(5);
    expect(answers.map(({ outcome, stored, source }) => ({ outcome, stored, source }))).toEqual(
      Array(5).fill({ outcome: 'miss', stored: false, source: 'load' }),
    );
    expect(cache.status().l1Entries).toBe(0);
  });

  test('those who wait may get one that can be stored, but do not store it', async () => {
    const { cache } = make();
    const loader = new HeldLoader<string>();
    let first = true;
    const load = (control: LoadControl): Promise<string> => {
      if (first) control.doNotStore();
      first = false;
      return loader.load(control);
    };
    const calls = [cache.getOrSet('k', load), cache.getOrSet('k', load)];
    await settled();
    loader.release('private');
    await settled();
    loader.release('public', 1);
    expect(await Promise.all(calls)).toEqual(['private', 'public']);
    expect(await cache.get('k')).toBeUndefined();
  });

  test('is the very object that the loader returned', async () => {
    const { cache } = make();
    const value = { not: 'frozen' };
    const load = (control: LoadControl): object => {
      control.doNotStore();
      return value;
    };
    expect(await cache.getOrSet('k', load)).toBe(value);
  });
});

describe('limits of one caller', () => {
  const make = cachesUnderTest();

  test('a deadline rejects its caller only; the load goes on and is stored', async () => {
    const { cache, clock } = make();
    const loader = new HeldLoader<string>();
    const impatient = cache.getOrSet('k', loader.load, { deadlineMs: 100 });
    const patient = cache.getOrSet('k', loader.load);
    const rejected = statuses([impatient]);
    await clock.advance(99);
    expect(loader.signals[0]!.aborted).toBe(false);
    await clock.advance(1);
    expect(await rejected).toEqual(['no answer for "k" within 100 ms']);
    loader.release('v');
    expect(await patient).toBe('v');
    expect(await cache.get('k')).toBe('v');
    expect(loader.signals[0]!.aborted).toBe(false);
  });

  test('an answer in time leaves no deadline behind', async () => {
    const { cache, clock, store } = make();
    expect(await cache.getOrSet('k', () => 'v', { deadlineMs: 100 })).toBe('v');
    expect(clock.pending).toBe(store.sweeping ? 1 : 0);
  });

  test('a signal rejects its caller only, with its reason', async () => {
    const { cache } = make();
    const loader = new HeldLoader<string>();
    const abort = new AbortController();
    const leaving = cache.getOrSet('k', loader.load, { signal: abort.signal });
    const staying = cache.getOrSet('k', loader.load);
    await settled();
    abort.abort(new Error('client went away'));
    await expect(leaving).rejects.toThrow('client went away');
    loader.release('v');
    expect(await staying).toBe('v');
  });

  test('a signal that was aborted before starts nothing', async () => {
    const { cache } = make();
    const loader = new HeldLoader<string>();
    await expect(
      cache.getOrSet('k', loader.load, { signal: AbortSignal.abort(new Error('gone')) }),
    ).rejects.toThrow('gone');
    expect(loader.runs).toBe(0);
  });

  test('a failure after the caller has left is nobody else’s problem', async () => {
    const { cache, clock } = make();
    const abort = new AbortController();
    const loader = new HeldLoader<string>();
    const gone = cache.getOrSet('a', loader.load, { signal: AbortSignal.abort(new Error('gone')) });
    const leaving = cache.getOrSet('b', loader.load, { signal: abort.signal });
    const late = cache.getOrSet('c', loader.load, { deadlineMs: 10 });
    const all = statuses([gone, leaving, late]);
    abort.abort(new Error('left'));
    await clock.advance(10);
    for (let run = 0; run < loader.runs; run += 1) loader.fail(new Error('down'), run);
    expect(await all).toEqual(['gone', 'left', 'no answer for "c" within 10 ms']);
    // A rejection that nobody handles would fail this test.
    await settled();
    await settled();
  });

  test('a signal that is aborted after the answer changes nothing and is not listened to any more', async () => {
    const { cache } = make();
    const abort = new AbortController();
    const removed = jest.spyOn(abort.signal, 'removeEventListener');
    expect(await cache.getOrSet('k', () => 'v', { signal: abort.signal })).toBe('v');
    expect(removed).toHaveBeenCalled();
    abort.abort();
    expect(await cache.get('k')).toBe('v');
  });

  test.each([0, -1, 1.5, NaN])('a deadline of %p is refused', async deadlineMs => {
    const { cache } = make();
    await expect(cache.getOrSet('k', () => 1, { deadlineMs })).rejects.toMatchObject({
      code: 'CACHE_OPTIONS_INVALID',
    });
  });
});

describe('limits of a load', () => {
  const make = cachesUnderTest();

  test('a loader that takes too long is given up: callers get an error, its signal is aborted, its late result dropped', async () => {
    const { cache, clock } = make();
    const policy = exactPolicy({ loaderTimeoutMs: 500, ttlMs: 60_000 });
    const loader = new HeldLoader<string>();
    const calls = statuses([
      cache.getOrSet('k', loader.load, { policy }),
      cache.getOrSet('k', loader.load, { policy }),
    ]);
    await clock.advance(499);
    expect(loader.signals[0]!.aborted).toBe(false);
    await clock.advance(1);
    expect(await calls).toEqual(Array(2).fill('the loader of "k" did not settle within 500 ms'));
    expect(loader.signals[0]!.reason).toBeInstanceOf(CacheLoadTimeoutError);
    const second = cache.getOrSet('k', loader.load, { policy });
    loader.release('late');
    await settled();
    expect(cache.status().l1Entries).toBe(0);
    loader.release('second', 1);
    expect(await second).toBe('second');
    expect(await cache.get('k', { policy })).toBe('second');
  });

  test('a loader that asks for its signal only after it was given up finds it aborted, and the same one each time', async () => {
    const { cache, clock } = make();
    let release!: () => void;
    const source = new Promise<void>(resolve => (release = resolve));
    const seen: AbortSignal[] = [];
    const calls = statuses([
      cache.getOrSet(
        'k',
        async load => {
          await source;
          seen.push(load.signal, load.signal);
          return 'late';
        },
        { policy: exactPolicy({ loaderTimeoutMs: 10 }) },
      ),
    ]);
    await clock.advance(10);
    await calls;
    release();
    await settled();
    expect(seen[0]!.reason).toBeInstanceOf(CacheLoadTimeoutError);
    expect(seen[1]).toBe(seen[0]);
  });

  test('a late failure of a loader that was given up is not unhandled', async () => {
    const { cache, clock } = make();
    const loader = new HeldLoader<string>();
    const call = statuses([
      cache.getOrSet('k', loader.load, { policy: exactPolicy({ loaderTimeoutMs: 10 }) }),
    ]);
    await clock.advance(10);
    expect(await call).toEqual(['the loader of "k" did not settle within 10 ms']);
    loader.fail(new Error('late'));
    // A rejection that nobody handles would fail this test.
    await settled();
    await settled();
  });

  test('a policy runs so many loads at once, lets four times as many wait, and refuses the others', async () => {
    const { cache } = make();
    const policy = exactPolicy({ maxConcurrentLoads: 2, ttlMs: 60_000 });
    const loader = new HeldLoader<string>();
    const calls = Array.from({ length: 11 }, (_, index) =>
      cache.getOrSet(`k${index}`, loader.load, { policy }),
    );
    const settledCalls = Promise.allSettled(calls);
    await settled();
    expect(loader.runs).toBe(2);
    await expect(calls[10]).rejects.toThrow(CacheOverloadError);
    // Another policy has places of its own.
    expect(await cache.getOrSet('other', () => 'v')).toBe('v');
    for (let run = 0; run < 10; run += 1) {
      loader.release(`v${run}`, run);
      await settled();
      expect(loader.runs).toBe(Math.min(run + 3, 10));
    }
    expect((await settledCalls).slice(0, 10).map(result => result.status)).toEqual(
      Array(10).fill('fulfilled'),
    );
    expect(await cache.getOrSet('k10', () => 'again', { policy })).toBe('again');
  });

  test('a load that waits for its place is not given up while it waits', async () => {
    const { cache, clock } = make();
    const policy = exactPolicy({ maxConcurrentLoads: 1, loaderTimeoutMs: 100, ttlMs: 60_000 });
    const loader = new HeldLoader<string>();
    const first = cache.getOrSet('a', loader.load, { policy });
    const second = cache.getOrSet('b', loader.load, { policy });
    await clock.advance(99);
    loader.release('a');
    await clock.advance(99);
    loader.release('b', 1);
    expect(await Promise.all([first, second])).toEqual(['a', 'b']);
  });
});

describe('a loader that asks for its own key', () => {
  const make = cachesUnderTest();

  test('gets an error instead of waiting for itself', async () => {
    const { cache } = make();
    await expect(cache.getOrSet('k', () => cache.getOrSet('k', () => 1))).rejects.toThrow(CacheDeadlockError);
  });

  test('gets it through other keys as well, and after a detour in time', async () => {
    const { cache } = make();
    const load = async (): Promise<number> => {
      await settled();
      return cache.getOrSet('b', () => cache.getOrSet('c', () => cache.getOrSet('a', () => 1)));
    };
    const error = await cache.getOrSet('a', load).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CacheDeadlockError);
    expect((error as Error).message).toContain('"a"');
  });

  test('two loaders that ask for each other get an error, not a hang', async () => {
    const { cache } = make();
    const gate = new HeldLoader<undefined>();
    const a = async (control: LoadControl): Promise<string> => {
      await gate.load(control);
      return `a${await cache.getOrSet('b', b)}`;
    };
    const b = async (control: LoadControl): Promise<string> => {
      await gate.load(control);
      return `b${await cache.getOrSet('a', a)}`;
    };
    const both = statuses([cache.getOrSet('a', a), cache.getOrSet('b', b)]);
    for (let run = 0; run < 6; run += 1) {
      await settled();
      if (run < gate.runs) gate.release(undefined, run);
    }
    expect((await both).join(' ')).toContain('asks for its own key');
  });

  test('may ask for it without a deadlock once the load is over', async () => {
    const { cache } = make();
    let later: Promise<unknown> | undefined;
    const loader = new HeldLoader<undefined>();
    await cache.getOrSet('k', control => {
      later = loader.load(control).then(() => cache.get('other'));
      return 1;
    });
    loader.release(undefined);
    expect(await later).toBeUndefined();
  });
});

describe('closing', () => {
  const make = cachesUnderTest();

  async function closing(): Promise<
    CacheUnderTest & { loader: HeldLoader<string>; calls: Promise<string[]> }
  > {
    const one = make();
    const loader = new HeldLoader<string>();
    const calls = statuses([one.cache.getOrSet('k', loader.load), one.cache.getOrSet('k', loader.load)]);
    await settled();
    return Object.assign(one, { loader, calls });
  }

  test('gives up loads under way: their callers get CacheClosedError, their signals are aborted', async () => {
    const { cache, loader, calls } = await closing();
    await cache.close();
    expect(await calls).toEqual(Array(2).fill('the cache is closed'));
    expect(loader.signals[0]!.reason).toBeInstanceOf(CacheClosedError);
    expect(cache.status().loadsInFlight).toBe(0);
  });

  test('gives up loads that wait for a place, too', async () => {
    const { cache } = make();
    const policy = exactPolicy({ maxConcurrentLoads: 1 });
    const loader = new HeldLoader<string>();
    const calls = statuses(['a', 'b', 'c'].map(key => cache.getOrSet(key, loader.load, { policy })));
    await cache.close();
    expect(await calls).toEqual(Array(3).fill('the cache is closed'));
    expect(loader.runs).toBe(1);
  });

  test('waits for what runs behind answers, but not for ever', async () => {
    const { cache, clock } = make({ closeTimeoutMs: 300 });
    const policy = exactPolicy({ ttlMs: 1_000, staleMs: 1_000 });
    await cache.set('k', 'old', { policy });
    await clock.advance(1_000);
    const loader = new HeldLoader<string>();
    await cache.getOrSet('k', loader.load, { policy });
    await cache.close();
    expect(loader.signals[0]!.aborted).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test('is done once, however often it is asked for', async () => {
    const { cache } = make();
    const first = cache.close();
    expect(cache.close()).toBe(first);
    await first;
    await expect(cache.close()).resolves.toBeUndefined();
  });

  test('everything afterwards is refused', async () => {
    const { cache } = make();
    await cache.getOrSet('k', () => 'v');
    await cache.close();
    const uses = [
      () => cache.getOrSet('k', () => 'v'),
      () => cache.lookup('k', () => 'v'),
      () => cache.get('k'),
      () => cache.getMany(['k']),
      () => cache.set('k', 'v'),
      () => cache.setMany([['k', 'v']]),
      () => cache.invalidate({ keys: ['k'] }),
      () => cache.invalidateTags(['t']),
      () => cache.clear(),
      () => cache.clearMatching('*'),
    ];
    for (const use of uses) await expect(use()).rejects.toThrow(CacheClosedError);
  });

  test('from the first moment on nothing new is loaded', async () => {
    const { cache, calls } = await closing();
    const done = cache.close();
    await expect(cache.getOrSet('other', () => 'v')).rejects.toThrow(CacheClosedError);
    await done;
    await calls;
  });

  test('statistics can still be read', async () => {
    const { cache } = make();
    await cache.getOrSet('k', () => 'v');
    await cache.close();
    expect(cache.stats().totals.gets).toBe(1);
    expect(cache.status()).toMatchObject({ l1Entries: 0, loadsInFlight: 0 });
  });
});

describe('loads inside loads', () => {
  const make = cachesUnderTest();

  test('take no further place of their policy, so that they cannot wait for each other', async () => {
    const { cache } = make();
    const policy = exactPolicy({ maxConcurrentLoads: 2 });
    const outer = (name: string): Promise<string> =>
      cache.getOrSet(name, () => cache.getOrSet(`${name}:inner`, () => name, { policy }), { policy });
    expect(await Promise.all([outer('a'), outer('b'), outer('c')])).toEqual(['a', 'b', 'c']);
  });
});

describe('a plain read that joins', () => {
  const make = cachesUnderTest();

  test('is not content with a stale entry', async () => {
    const { cache, clock } = make();
    const policy = exactPolicy({ ttlMs: 100, staleMs: 10_000 });
    await cache.getOrSet('k', () => 'v1', { policy });
    await clock.advance(150);
    const [withLoader, plain] = await Promise.all([
      cache.getOrSet('k', () => 'v2', { policy }),
      cache.get('k', { policy }),
    ]);
    expect([withLoader, plain]).toEqual(['v1', undefined]);
  });
});

describe('a caller with a loader', () => {
  const make = cachesUnderTest();

  test('takes what the flight that it joined has found, even if its life has ended by then', async () => {
    const { cache, clock } = make();
    const policy = exactPolicy({ ttlMs: 100 });
    await cache.getOrSet('k', () => 'v1', { policy });
    await clock.advance(100);
    const loader = new HeldLoader<string>();
    const answers = [1, 2, 3].map(() => cache.getOrSet('k', loader.load, { policy }));
    await settled();
    loader.release('v2');
    expect(await Promise.all(answers)).toEqual(['v2', 'v2', 'v2']);
  });
});
