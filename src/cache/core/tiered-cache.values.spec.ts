import { cachesUnderTest, exactPolicy, HeldLoader } from '../../../test/fakes/cache-under-test';
import { settled } from '../../../test/fakes/fake-clock';
import { JsonSerializer } from '../codec/json-serializer';
import { CacheKeyError, CacheTagError } from './errors';
import type { LoadControl } from './loader';
import { maxKeysPerCall } from './tiered-cache';

describe('values and their readers', () => {
  const make = cachesUnderTest();

  test('plain data is frozen, for the one who loads it as for those who read it', async () => {
    const { cache } = make();
    const original = { list: [{ a: 1 }] };
    const loaded = await cache.getOrSet('k', () => original);
    const read = await cache.getOrSet('k', () => original);
    for (const value of [loaded, read]) {
      expect(() => value.list.push({ a: 2 })).toThrow(TypeError);
      expect(() => (value.list[0]!.a = 2)).toThrow(TypeError);
    }
    original.list[0]!.a = 9;
    expect(await cache.get('k')).toEqual({ list: [{ a: 1 }] });
  });

  test('callers of one load cannot change what the others get', async () => {
    const { cache } = make();
    const loader = new HeldLoader<Map<string, Date>>();
    const calls = [cache.getOrSet('k', loader.load), cache.getOrSet('k', loader.load)];
    loader.release(new Map([['a', new Date(1)]]));
    const [first, second] = await Promise.all(calls);
    first!.get('a')!.setTime(99);
    first!.clear();
    expect(second).toEqual(new Map([['a', new Date(1)]]));
    expect(await cache.get('k')).toEqual(new Map([['a', new Date(1)]]));
  });

  test('what was set is a copy too', async () => {
    const { cache } = make();
    const value = { a: [1] };
    await cache.set('k', value);
    value.a.push(2);
    expect(await cache.get('k')).toEqual({ a: [1] });
  });

  test('dates, maps, sets, BigInts and Buffers stay what they are', async () => {
    const { cache } = make();
    const value = {
      d: new Date(1),
      m: new Map([[1, new Set(['x'])]]),
      b: 2n ** 70n,
      buffer: Buffer.from('é'),
      u: undefined,
    };
    expect(await cache.getOrSet('k', () => value)).toStrictEqual(value);
    expect(await cache.get('k')).toStrictEqual(value);
  });

  test('a policy may bring its own serialiser', async () => {
    const { cache } = make();
    const policy = exactPolicy({ serializer: new JsonSerializer() });
    expect(await cache.getOrSet('k', () => ({ at: new Date(0) }), { policy })).toEqual({
      at: '1970-01-01T00:00:00.000Z',
    });
  });

  test('a value that cannot be stored is answered with, told about, and loaded anew each time', async () => {
    const { cache } = make({ codec: { maxValueBytes: 100 } });
    const told: string[] = [];
    cache.events.on('rejected', ({ key, error }) =>
      told.push(`${key} ${(error as Error & { code: string }).code}`),
    );
    const large = 'x'.repeat(200);
    const fn = (): number => 1;
    expect(await cache.lookup('large', () => large)).toMatchObject({ value: large, stored: false });
    expect(await cache.lookup('fn', () => fn)).toMatchObject({ value: fn, stored: false });
    expect(await cache.lookup('large', () => 'small now')).toMatchObject({
      outcome: 'miss',
      cause: 'rejected',
      stored: true,
    });
    expect(told).toEqual(['large VALUE_TOO_LARGE', 'fn VALUE_NOT_SERIALISABLE']);
    await expect(cache.set('large', large)).rejects.toMatchObject({ code: 'VALUE_TOO_LARGE' });
    await expect(cache.set('fn', fn)).rejects.toMatchObject({ code: 'VALUE_NOT_SERIALISABLE' });
  });

  test('a value that L1 has no room for is answered with, and missed for that reason', async () => {
    const { cache } = make({ local: { maxBytes: 10_000 } });
    const large = 'x'.repeat(1_000);
    expect(await cache.lookup('k', () => large)).toMatchObject({ value: large, stored: false });
    expect(await cache.lookup('k', () => large)).toMatchObject({ outcome: 'miss', cause: 'rejected' });
  });

  test('entries dropped for room are missed for that reason', async () => {
    const { cache } = make({ local: { maxEntries: 2 } });
    for (const key of ['a', 'b', 'c']) await cache.getOrSet(key, () => key);
    expect(cache.stats().tiers.l1).toMatchObject({ evictions: 1, entries: 2, sets: 3 });
    expect(await cache.lookup('a', () => 'a')).toMatchObject({ outcome: 'miss', cause: 'evicted_l1' });
  });
});

describe('keys', () => {
  const make = cachesUnderTest();

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'])(
    '%s is a key like any other',
    async key => {
      const { cache } = make();
      expect(await cache.get(key)).toBeUndefined();
      expect(await cache.getOrSet(key, () => `${key}!`, { tags: [key] })).toBe(`${key}!`);
      expect(await cache.getMany([key])).toEqual(new Map([[key, `${key}!`]]));
      await cache.invalidateTags([key]);
      expect(await cache.get(key)).toBeUndefined();
      expect(cache.stats().policies.default!.gets).toBe(4);
    },
  );

  test('what means something to Redis means nothing here', async () => {
    const { cache } = make();
    const keys = [
      'a',
      'a*',
      'a?',
      '{a}',
      'a}',
      '[a]',
      'a\\',
      'sutazai:1:d:{a}',
      '__redis__:invalidate',
      'a:b',
      'a%3Ab',
      'a%253Ab',
    ];
    for (const key of keys) await cache.set(key, key);
    for (const key of keys) expect(await cache.get(key)).toBe(key);
    await cache.invalidateKeys(['a*', 'a?']);
    expect([await cache.get('a'), await cache.get('a*'), await cache.get('a?')]).toEqual([
      'a',
      undefined,
      undefined,
    ]);
  });

  test('parts of a key do not run into each other, whole or hashed', async () => {
    const { cache } = make();
    const head = 'h'.repeat(250);
    const keys = ['a:b|c', 'a|b:c', 'caf\u00e9', 'cafe\u0301', `${head}|1`, `${head}|2`];
    for (const key of keys) await cache.set(key, key);
    for (const key of keys) expect(await cache.get(key)).toBe(key);
    await cache.invalidateKeys([`${head}|1`]);
    expect([await cache.get(`${head}|1`), await cache.get(`${head}|2`)]).toEqual([undefined, `${head}|2`]);
  });

  const wrong: [string, unknown, string][] = [
    ['an empty key', '', 'CACHE_KEY_INVALID'],
    ['a key of 513 bytes', 'x'.repeat(513), 'CACHE_KEY_INVALID'],
    ['a control character', 'a\nb', 'CACHE_KEY_INVALID'],
    ['a lone surrogate', '\ud800', 'CACHE_KEY_INVALID'],
    ['a number', 1, 'CACHE_KEY_TYPE'],
    ['an array', ['a'], 'CACHE_KEY_TYPE'],
    ['nothing', undefined, 'CACHE_KEY_TYPE'],
  ];
  test.each(wrong)('%s is refused everywhere, before any loader runs', async (_what, key, code) => {
    const { cache } = make();
    const loader = new HeldLoader<string>();
    const uses = [
      () => cache.getOrSet(key as string, loader.load),
      () => cache.get(key as string),
      () => cache.getMany([key as string]),
      () => cache.set(key as string, 1),
      () => cache.setMany([[key as string, 1]]),
      () => cache.invalidateKeys([key as string]),
    ];
    for (const use of uses) await expect(use()).rejects.toMatchObject({ code });
    expect(loader.runs).toBe(0);
    expect(cache.stats().totals.gets).toBe(0);
  });

  test('a key that would be refused never reaches the entry of another', async () => {
    const one = make();
    const long = 'x'.repeat(300);
    await one.cache.set(long, 'secret');
    for (const name of one.store.keys()) {
      expect(name).not.toBe(long);
      await expect(one.cache.get(name)).rejects.toThrow(CacheKeyError);
    }
  });

  test('tags that cannot be tags are refused everywhere', async () => {
    const { cache } = make();
    const uses = [
      () => cache.getOrSet('k', () => 1, { tags: ['!any'] }),
      () => cache.set('k', 1, { tags: ['a b'] }),
      () => cache.invalidateTags(['']),
      () => cache.getOrSet('k', ({ addTags }) => addTags('a,b'), { dynamicTags: true }),
      () => cache.getOrSet('k', () => 1, { tags: Array.from({ length: 33 }, (_, index) => `t${index}`) }),
    ];
    for (const use of uses) await expect(use()).rejects.toThrow(CacheTagError);
  });

  test('a loader may add tags only if the call said so', async () => {
    const { cache } = make();
    const load = ({ addTags }: LoadControl): number => {
      addTags('late');
      return 1;
    };
    await expect(cache.getOrSet('k', load)).rejects.toMatchObject({ code: 'CACHE_OPTIONS_INVALID' });
    expect(await cache.getOrSet('k', load, { dynamicTags: true })).toBe(1);
  });
});

describe('many at once', () => {
  const make = cachesUnderTest();

  test('getMany finds those that are there, each asked for once', async () => {
    const { cache } = make();
    expect(
      await cache.setMany([
        ['a', 1],
        ['b', null],
      ]),
    ).toEqual({ applied: true, queued: false });
    expect(await cache.getMany(['a', 'b', 'c', 'a'])).toEqual(
      new Map<string, unknown>([
        ['a', 1],
        ['b', null],
      ]),
    );
    expect(cache.stats().totals.gets).toBe(3);
    expect(await cache.getMany([])).toEqual(new Map());
  });

  test('10,000 keys a call are enough', async () => {
    const { cache } = make();
    const keys = Array.from({ length: maxKeysPerCall + 1 }, (_, index) => `k${index}`);
    await expect(cache.getMany(keys)).rejects.toMatchObject({ code: 'KEYS_TOO_MANY' });
    await expect(cache.invalidateKeys(keys)).rejects.toMatchObject({ code: 'KEYS_TOO_MANY' });
    await expect(cache.setMany(keys.map(key => [key, 1] as const))).rejects.toMatchObject({
      code: 'KEYS_TOO_MANY',
    });
    await expect(cache.invalidateKeys(keys.slice(1))).resolves.toEqual({ applied: true, queued: false });
  });
});

describe('listeners', () => {
  const make = cachesUnderTest();

  test('one that throws does not break the read that it listens to', async () => {
    const { cache } = make();
    for (const name of ['read', 'load', 'invalidate'] as const) {
      cache.events.on(name, () => {
        throw new Error('mine');
      });
    }
    expect(await cache.getOrSet('k', () => 1)).toBe(1);
    expect(await cache.getOrSet('k', () => 2)).toBe(1);
    expect(await cache.invalidateKeys(['k'])).toEqual({ applied: true, queued: false });
    expect(cache.events.listenerErrors).toBe(4);
  });

  test('hear of every read and load as it was', async () => {
    const { cache, clock } = make();
    const heard: unknown[] = [];
    cache.events.on('read', ({ key, outcome, cause, source, stored, purpose }) =>
      heard.push([key, outcome, cause, source, stored, purpose]),
    );
    cache.events.on('load', ({ key, durationMs, refresh }) => heard.push([key, durationMs, refresh]));
    const loader = new HeldLoader<number>();
    const loading = cache.getOrSet('k', loader.load);
    await clock.advance(30);
    loader.release(1);
    await loading;
    await cache.getOrSet('k', () => 2);
    await cache.runAs('admin', () => cache.get('k'));
    await settled();
    expect(heard).toEqual([
      ['k', 30, false],
      ['k', 'miss', 'cold', 'load', true, 'request'],
      ['k', 'l1_hit', undefined, 'l1', true, 'request'],
      ['k', 'l1_hit', undefined, 'l1', true, 'admin'],
    ]);
  });
});
