import { cachesUnderTest, exactPolicy } from '../../../test/fakes/cache-under-test';
import { settled } from '../../../test/fakes/fake-clock';
import { instancesUnderTest } from '../../../test/fakes/instances-under-test';
import { CacheDeadlockError, CacheKeyError, CacheOverloadError } from './errors';
import type { LoaderOfMany, LoadManyControl } from './load-batch';
import { maxKeysPerCall } from './tiered-cache';

/** Loads several keys when it is told to; each value names its key and the loader. */
class HeldMany {
  readonly asked: (readonly string[])[] = [];
  readonly controls: LoadManyControl[] = [];
  readonly #release: ((values: ReadonlyMap<string, string | Error>) => void)[] = [];

  constructor(private readonly name = 'v') {}

  readonly load: LoaderOfMany<string> = (keys, control) => {
    this.asked.push(keys);
    this.controls.push(control);
    return new Promise(resolve => this.#release.push(resolve));
  };

  release(run = 0, special: Readonly<Record<string, string | Error>> = {}): void {
    this.#release[run]!(
      new Map(this.asked[run]!.map(key => [key, special[key] ?? `${this.name} ${key}`] as const)),
    );
  }
}

const names = (count: number, from = 0): string[] => Array.from({ length: count }, (_, n) => `k${from + n}`);
const all: LoaderOfMany<string> = keys => new Map(keys.map(key => [key, `v ${key}`]));
const none: LoaderOfMany<string> = () => {
  throw new Error('must not be loaded');
};

describe('getOrSetMany on one instance', () => {
  const make = cachesUnderTest();

  test('asks the loader once for all that are missing, and for nothing the next time', async () => {
    const { cache } = make();
    await cache.set('k0', 'set');
    const asked: (readonly string[])[] = [];
    const load: LoaderOfMany<string> = (keys, control) => {
      asked.push(keys);
      return all(keys, control);
    };
    const keys = ['k0', 'k1', 'k2', 'k1'];
    const { values, errors } = await cache.getOrSetMany(keys, load);
    expect(Object.fromEntries(values)).toEqual({ k0: 'set', k1: 'v k1', k2: 'v k2' });
    expect([errors.size, asked]).toEqual([0, [['k1', 'k2']]]);
    expect((await cache.getOrSetMany(keys, none)).values).toEqual(values);
    expect(cache.stats().totals).toMatchObject({ loads: 2, outcomes: { l1_hit: 4, miss: 2 } });
  });

  test('a key that fails fails alone, and one without a value has none; neither is stored', async () => {
    const { cache } = make();
    const failure = new Error('k1 is out of order');
    const load: LoaderOfMany<string | null> = () =>
      new Map<string, string | null | Error>([
        ['k0', 'v'],
        ['k1', failure],
        ['k2', null],
      ]);
    const { values, errors } = await cache.getOrSetMany(names(4), load);
    expect([...values]).toEqual([
      ['k0', 'v'],
      ['k2', null],
    ]);
    expect([...errors]).toEqual([['k1', failure]]);
    expect((await cache.getOrSetMany(names(4), all)).values.get('k1')).toBe('v k1');
    expect(await cache.get('k2')).toBeNull();
  });

  test('what the loader throws is the failure of every key that it was asked for, and of no other', async () => {
    const { cache } = make();
    await cache.set('k0', 'there');
    for (const load of [none, () => Promise.reject(new Error('down')), (() => ['v']) as never]) {
      const { values, errors } = await cache.getOrSetMany(names(3), load);
      expect([...values]).toEqual([['k0', 'there']]);
      expect([...errors.keys()]).toEqual(['k1', 'k2']);
    }
  });

  test('joins a load of one of its keys that is under way, and is joined', async () => {
    const { cache } = make();
    let release!: (value: string) => void;
    const single = cache.getOrSet('k0', () => new Promise<string>(resolve => (release = resolve)));
    const many = new HeldMany();
    const both = cache.getOrSetMany(names(2), many.load);
    const joining = cache.getOrSet('k1', () => 'wrong');
    await settled();
    expect(many.asked).toEqual([['k1']]);
    many.release();
    expect(await joining).toBe('v k1');
    release('single');
    expect(Object.fromEntries((await both).values)).toEqual({ k0: 'single', k1: 'v k1' });
    expect(await single).toBe('single');
  });

  test('each key has its own tags, life and privacy', async () => {
    const { cache, clock } = make();
    const policy = exactPolicy({ ttlMs: 60_000 });
    const load: LoaderOfMany<string> = (keys, control) => {
      control.of('k0').addTags('zero');
      control.of('k1').setTtlMs(10);
      control.of('k2').doNotStore();
      expect(() => control.of('other')).toThrow(RangeError);
      return all(keys, control);
    };
    await cache.getOrSetMany(names(4), load, { policy, dynamicTags: true });
    await cache.invalidateTags(['zero']);
    await clock.advance(10);
    const { values } = await cache.getOrSetMany(names(4), keys => new Map(keys.map(key => [key, 'new'])), {
      policy,
      dynamicTags: true,
    });
    expect(Object.fromEntries(values)).toEqual({ k0: 'new', k1: 'new', k2: 'new', k3: 'v k3' });
  });

  test('an invalidation during the load fences its keys and no others', async () => {
    const { cache } = make();
    const many = new HeldMany('old');
    const reading = cache.getOrSetMany(names(2), many.load);
    await settled();
    await cache.invalidateKeys(['k0']);
    many.release();
    expect((await reading).values.size).toBe(2);
    expect((await cache.getOrSetMany(names(2), all)).values).toEqual(
      new Map([
        ['k0', 'v k0'],
        ['k1', 'old k1'],
      ]),
    );
  });

  test('what the loader reads through the cache becomes part of every entry', async () => {
    const { cache } = make();
    const load: LoaderOfMany<string> = async keys => {
      const inner = await cache.getOrSet('inner', () => 'i', { tags: ['t'] });
      return new Map(keys.map(key => [key, `${key} with ${inner}`]));
    };
    await cache.getOrSetMany(names(2), load);
    await cache.invalidateTags(['t']);
    expect((await cache.getOrSetMany(names(2), all)).values.get('k1')).toBe('v k1');
  });

  test('an inner value that is invalidated while the loader runs overtakes every entry', async () => {
    const { cache } = make();
    let release!: () => void;
    const held = new Promise<void>(resolve => (release = resolve));
    const load: LoaderOfMany<string> = async keys => {
      const inner = await cache.getOrSet('inner', () => 'i', { tags: ['t'] });
      await held;
      return new Map(keys.map(key => [key, `${key} with ${inner}`]));
    };
    const reading = cache.getOrSetMany(names(2), load);
    await settled();
    await cache.invalidateTags(['t']);
    release();
    await reading;
    expect((await cache.getOrSetMany(names(2), all)).values.get('k1')).toBe('v k1');
  });

  test('a loader that asks for one of its own keys is told so', async () => {
    const { cache } = make();
    const { errors } = await cache.getOrSetMany(names(2), async keys => {
      await cache.getOrSet('k1', () => 'x');
      return new Map(keys.map(key => [key, 'v']));
    });
    expect([...errors.values()].map(error => (error as object).constructor)).toEqual([
      CacheDeadlockError,
      CacheDeadlockError,
    ]);
  });

  test('many keys take one place among the loads of a policy', async () => {
    const { cache } = make();
    const policy = exactPolicy({ maxConcurrentLoads: 1 });
    const first = new HeldMany();
    const second = new HeldMany();
    const reading = cache.getOrSetMany(names(100), first.load, { policy });
    const other = cache.getOrSetMany(names(100, 100), second.load, { policy });
    await settled();
    expect([first.asked.length, second.asked.length]).toEqual([1, 0]);
    first.release();
    expect((await reading).values.size).toBe(100);
    await settled();
    expect(second.asked).toEqual([names(100, 100)]);
    second.release();
    expect((await other).values.size).toBe(100);
    const queued = Array.from({ length: 6 }, (_, n) => cache.getOrSetMany([`q${n}`], first.load, { policy }));
    await settled();
    const refused = await queued[5]!;
    expect(refused.errors.get('q5')).toBeInstanceOf(CacheOverloadError);
    for (let n = 0; n < 5; n += 1) {
      await settled();
      first.release(1 + n);
    }
    await Promise.all(queued);
  });

  test('keys that are given up are failures of their own; the loader is told when all are', async () => {
    const { cache, clock } = make();
    const policy = exactPolicy({ loaderTimeoutMs: 1_000 });
    const many = new HeldMany();
    const reading = cache.getOrSetMany(names(2), many.load, { policy });
    await settled();
    expect(many.controls[0]!.signal.aborted).toBe(false);
    await clock.advance(1_000);
    expect([...(await reading).errors.values()].map(error => (error as { code: string }).code)).toEqual([
      'CACHE_LOAD_TIMEOUT',
      'CACHE_LOAD_TIMEOUT',
    ]);
    expect(many.controls[0]!.signal.aborted).toBe(true);
    many.release();
  });

  test('a stale key answers at once, and is refreshed behind the answer with the loader of many', async () => {
    const { cache, clock } = make();
    const policy = exactPolicy({ ttlMs: 1_000, staleMs: 60_000 });
    await cache.getOrSetMany(names(3), all, { policy });
    await clock.advance(1_000);
    const many = new HeldMany('new');
    const { values } = await cache.getOrSetMany(names(3), many.load, { policy });
    expect(values.get('k2')).toBe('v k2');
    await settled();
    expect(many.asked).toEqual([names(3)]);
    many.release();
    await settled();
    expect((await cache.getOrSetMany(names(3), none, { policy })).values.get('k2')).toBe('new k2');
  });

  test('bad input is refused for all of it, before anything is read', async () => {
    const { cache } = make();
    await expect(cache.getOrSetMany('k' as never, all)).rejects.toThrow(CacheKeyError);
    await expect(cache.getOrSetMany(['k', ''], all)).rejects.toThrow(CacheKeyError);
    await expect(cache.getOrSetMany(names(maxKeysPerCall + 1), all)).rejects.toThrow(CacheKeyError);
    await expect(cache.getOrSetMany(['k'], undefined as never)).rejects.toThrow(TypeError);
    await expect(cache.getOrSetMany(['k'], all, { signal: AbortSignal.abort('gone') })).rejects.toBe('gone');
    expect(await cache.getOrSetMany([], none)).toEqual({ values: new Map(), errors: new Map() });
    expect(cache.stats().totals.gets).toBe(0);
  });
});

describe('getOrSetMany on several instances', () => {
  const make = instancesUnderTest();

  test('an inner value that was for one caller alone is in no entry that others get', async () => {
    const { all: instances } = await make(1);
    const { cache } = instances[0]!;
    const alone = (control: { doNotStore(): void }): string => {
      control.doNotStore();
      return 'mine';
    };
    let begun!: () => void;
    let goOn!: () => void;
    const beginning = new Promise<void>(resolve => (begun = resolve));
    const going = new Promise<void>(resolve => (goOn = resolve));
    const reading = cache.getOrSetMany(names(2), async keys => {
      begun();
      await going;
      const inner = await cache.getOrSet('inner', alone);
      return new Map(keys.map(key => [key, inner]));
    });
    await beginning;
    let release!: () => void;
    const held = new Promise<void>(resolve => (release = resolve));
    const other = cache.getOrSet('inner', control => held.then(() => alone(control)));
    goOn();
    await settled();
    release();
    expect([...(await reading).values.values(), await other]).toEqual(['mine', 'mine', 'mine']);
    expect((await cache.getMany(names(2))).size).toBe(0);
  });

  test('two that ask at once load each key once, and neither waits for the other to begin', async () => {
    const { all: instances } = await make(2);
    const [a, b] = [instances[0]!.cache, instances[1]!.cache];
    const [here, there] = [new HeldMany('a'), new HeldMany('b')];
    const first = a.getOrSetMany(names(4), here.load);
    const second = b.getOrSetMany(names(4, 2), there.load);
    await settled();
    expect([...here.asked.flat(), ...there.asked.flat()].sort()).toEqual(names(6));
    expect([here.asked.length, there.asked.length]).toEqual([1, 1]);
    here.release();
    there.release();
    const [one, other] = await Promise.all([first, second]);
    expect([one.values.size, other.values.size]).toEqual([4, 4]);
    expect(one.values.get('k2')).toBe(other.values.get('k2'));
  });

  test('a key whose load fails elsewhere is loaded here, in a batch of its own', async () => {
    const { all: instances, clock } = await make(2);
    const [a, b] = [instances[0]!.cache, instances[1]!.cache];
    const [here, there] = [new HeldMany('a'), new HeldMany('b')];
    const first = a.getOrSetMany(['k0'], here.load);
    await settled();
    const second = b.getOrSetMany(names(2), there.load);
    await settled();
    expect(there.asked).toEqual([['k1']]);
    there.release();
    here.release(0, { k0: new Error('no') });
    await first;
    // That the lease is free is announced to nobody: whoever waits looks again by and by.
    await clock.advance(1_000);
    expect(there.asked).toEqual([['k1'], ['k0']]);
    there.release(1);
    expect(Object.fromEntries((await second).values)).toEqual({ k0: 'b k0', k1: 'b k1' });
  });
});
