import { Cache as CacheManagerToken, CACHE_MANAGER } from '@nestjs/cache-manager';
import { Test } from '@nestjs/testing';
import type { Cache } from 'cache-manager';
import { CacheModule } from './cache.module';
import { TieredCache, type Clock } from '../core';
import { createCacheManager } from './cache-manager.provider';
import { createTieredCache } from './create-cache';
import { cacheManagerPolicy } from './keyv-store';

/** The cache's clock and the wall clock, which Keyv reads, advanced together. */
class HandClock implements Clock {
  #now = 1_000;
  nowMs = (): number => this.#now;
  coarseMs = (): number => this.#now;
  schedule(): { cancel(): void } {
    return { cancel: () => undefined };
  }
  advance(ms: number): void {
    this.#now += ms;
    jest.setSystemTime(Date.now() + ms);
  }
}

let clock: HandClock;
let cache: TieredCache;
let manager: Cache;

/** Resolves when a refresh has ended, and what it brought is stored or not. */
async function refreshOf({ events }: TieredCache): Promise<void> {
  await new Promise<void>(resolve => events.on('load', event => event.refresh && resolve()));
  await new Promise(resolve => setImmediate(resolve));
}

beforeEach(() => {
  jest.useFakeTimers({
    doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance', 'setTimeout', 'clearTimeout'],
  });
  clock = new HandClock();
  cache = createTieredCache({}, [cacheManagerPolicy], clock);
  manager = createCacheManager(cache);
});

afterEach(async () => {
  await cache.close();
  jest.useRealTimers();
});

describe('CACHE_MANAGER', () => {
  it('is a cache-manager cache over the tiered cache, under both tokens', async () => {
    jest.useRealTimers();
    const module = await Test.createTestingModule({
      imports: [CacheModule.forRoot({ warming: { enabled: false } })],
    }).compile();
    const injected = module.get<Cache>(CACHE_MANAGER);
    expect(module.get(CacheManagerToken)).toBe(injected);
    await injected.set('a', 1);
    await module.get(TieredCache).invalidateTags(['cache-manager']);
    expect(await injected.get('a')).toBeUndefined();
    await module.close();
  });

  it.each<[string, unknown]>([
    ['text', 'a'],
    ['empty text', ''],
    ['zero', 0],
    ['false', false],
    ['null', null],
    ['an object', { a: [1, { b: null }] }],
    ['a date', new Date(5)],
    ['a map', new Map([['a', 1]])],
    ['bytes', Buffer.from('a')],
  ])('returns %s as it was set', async (_title, value) => {
    await manager.set('key', value);
    expect(await manager.get('key')).toEqual(value);
  });

  it('takes any text as a key, and keeps keys apart', async () => {
    const keys = [
      'a',
      'A',
      'a b',
      ' a',
      '/agents?limit=5&x=|',
      'é',
      '',
      '\n',
      'x'.repeat(2_000),
      'x'.repeat(2_001),
    ];
    for (const key of keys) await manager.set(key, key);
    for (const key of keys) expect(await manager.get(key)).toBe(key);
  });

  it('answers undefined for what is not there', async () => {
    expect(await manager.get('nothing')).toBeUndefined();
    expect(await manager.mget(['nothing', 'none'])).toEqual([undefined, undefined]);
    expect(await manager.ttl('nothing')).toBeUndefined();
  });

  it('keeps entries for their TTL in milliseconds, and no longer', async () => {
    await manager.set('a', 1, 1_000);
    expect(await manager.ttl('a')).toBe(Date.now() + 1_000);
    clock.advance(999);
    expect(await manager.get('a')).toBe(1);
    clock.advance(2);
    expect(await manager.get('a')).toBeUndefined();
  });

  it('keeps entries without a TTL, or with a TTL of 0, for as long as it can', async () => {
    await manager.set('a', 1);
    await manager.set('b', 2, 0);
    clock.advance(29 * 24 * 3_600_000);
    expect(await manager.mget(['a', 'b'])).toEqual([1, 2]);
    expect(await manager.ttl('a')).toBeUndefined();
  });

  it('deletes one, several and all of its own entries, and nobody else’s', async () => {
    await cache.set('mine', 1);
    await manager.mset([
      { key: 'a', value: 1 },
      { key: 'b', value: 2, ttl: 500 },
      { key: 'c', value: 3 },
      { key: 'd', value: 4 },
    ]);
    expect(await manager.mget(['a', 'b', 'c', 'd'])).toEqual([1, 2, 3, 4]);
    await manager.del('a');
    await manager.mdel(['b', 'c']);
    expect(await manager.mget(['a', 'b', 'c', 'd'])).toEqual([undefined, undefined, undefined, 4]);
    await manager.clear();
    expect(await manager.get('d')).toBeUndefined();
    expect(await cache.get('mine')).toBe(1);
  });

  it('hands out values that their callers may change', async () => {
    await manager.set('a', { list: [1] });
    (await manager.get<{ list: number[] }>('a'))!.list.push(2);
    const [again] = await manager.mget<{ list: number[] }>(['a']);
    again!.list.push(3);
    expect(await manager.get('a')).toEqual({ list: [1] });
  });

  it('does not count the looks of deletions as reads', async () => {
    await manager.set('a', 1);
    await manager.del('a');
    expect(cache.stats().policies['cache-manager']!.gets).toBe(0);
  });
});

describe('wrap', () => {
  it('loads once for all who ask meanwhile, and keeps what it loaded', async () => {
    const load = jest.fn(async () => ({ a: 1 }));
    const all = await Promise.all(Array.from({ length: 20 }, () => manager.wrap('a', load, 1_000)));
    expect(new Set(all.map(value => JSON.stringify(value)))).toEqual(new Set(['{"a":1}']));
    expect(await manager.get('a')).toEqual({ a: 1 });
    expect(load).toHaveBeenCalledTimes(1);
    clock.advance(1_001);
    await manager.wrap('a', load, 1_000);
    expect(load).toHaveBeenCalledTimes(2);
  });

  it.each([null, 0, '', false])('keeps %p', async value => {
    const load = jest.fn(() => value);
    expect([await manager.wrap('a', load), await manager.wrap('a', load)]).toEqual([value, value]);
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('does not keep undefined, nor errors', async () => {
    const nothing = jest.fn(() => undefined);
    expect([await manager.wrap('a', nothing), await manager.wrap('a', nothing)]).toEqual([
      undefined,
      undefined,
    ]);
    expect(nothing).toHaveBeenCalledTimes(2);
    await expect(manager.wrap('b', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await manager.wrap('b', () => 1)).toBe(1);
  });

  it('sees what was set, and takes a TTL worked out from the value', async () => {
    await manager.set('a', 1);
    expect(await manager.wrap('a', () => 2)).toBe(1);
    await manager.wrap('b', () => 50, { ttl: value => value * 2 });
    expect(await manager.ttl('b')).toBe(Date.now() + 100);
    expect(await manager.wrap('b', () => 1, { raw: true })).toEqual({ value: 50, expires: Date.now() + 100 });
  });

  it('does not store what an invalidation has overtaken', async () => {
    let release!: (value: string) => void;
    const wrapped = manager.wrap('a', () => new Promise<string>(resolve => (release = resolve)));
    await new Promise(resolve => setImmediate(resolve));
    await manager.del('a');
    release('old');
    expect(await wrapped).toBe('old');
    expect(await manager.get('a')).toBeUndefined();
  });

  it('refreshes behind its answer when less life is left than the threshold', async () => {
    let value = 1;
    await manager.wrap('a', () => value, 1_000, 500);
    value = 2;
    clock.advance(600);
    const refreshed = refreshOf(cache);
    expect(await manager.wrap('a', () => value, 1_000, 500)).toBe(1);
    await refreshed;
    expect(await manager.get('a')).toBe(2);
    expect(await manager.ttl('a')).toBe(Date.now() + 1_000);
  });

  it('does not bring back by a refresh what was deleted meanwhile', async () => {
    await manager.wrap(
      'a',
      () => 'first',
      1_000,
      value => value.length * 300,
    );
    let release!: (value: string) => void;
    const source = new Promise<string>(resolve => (release = resolve));
    const refreshed = refreshOf(cache);
    expect(
      await manager.wrap(
        'a',
        () => source,
        1_000,
        value => value.length * 300,
      ),
    ).toBe('first');
    await manager.del('a');
    release('old');
    await refreshed;
    expect(await manager.get('a')).toBeUndefined();
  });

  it('does not refresh what has more life left than the threshold', async () => {
    const load = jest.fn(() => 'v');
    for (const _ of [1, 2, 3]) await manager.wrap('a', load, 1_000, 500);
    await new Promise(resolve => setImmediate(resolve));
    expect(load).toHaveBeenCalledTimes(1);
  });
});
