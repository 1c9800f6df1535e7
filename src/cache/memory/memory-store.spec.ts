import fc from 'fast-check';
import { FakeClock } from '../../../test/fakes/fake-clock';
import { CacheOptionsError } from '../core';
import { MemoryStore, type MemoryStoreOptions } from './memory-store';

interface Thing {
  n: number;
}
const never = Infinity;
interface Made {
  store: MemoryStore<Thing>;
  evicted: string[];
  clock: FakeClock;
}

const storeWith = (options: MemoryStoreOptions = {}): Made => {
  const clock = new FakeClock();
  const store = new MemoryStore<Thing>(clock, options);
  const evicted: string[] = [];
  store.onEvict(key => evicted.push(key));
  return { store, evicted, clock };
};

describe.each(['s3fifo', 'lru'] as const)('L1 with %s', eviction => {
  const make = (options: MemoryStoreOptions = {}): Made => storeWith({ eviction, ...options });

  test('gives back the very entry, until it is deleted', () => {
    const { store } = make();
    const thing = { n: 1 };
    expect(store.set('a', thing, 10, never)).toBe(true);
    expect(store.get('a')).toBe(thing);
    expect(store.peek('a')).toBe(thing);
    expect([store.delete('a'), store.delete('a')]).toEqual([true, false]);
    expect([store.get('a'), store.peek('a')]).toEqual([undefined, undefined]);
  });

  test('holds no more entries than it may', () => {
    const { store, evicted } = make({ maxEntries: 300 });
    for (let n = 0; n < 1_000; n += 1) store.set(`k${n}`, { n }, 1, never);
    expect([store.entries, store.bytes, evicted.length]).toEqual([300, 300, 700]);
    for (const key of store.keys()) expect(store.peek(key)).toEqual({ n: Number(key.slice(1)) });
  });

  test('holds no more bytes than it may, however many entries have to go', () => {
    const { store, evicted } = make({ maxBytes: 10_000 });
    for (let n = 0; n < 500; n += 1) store.set(`small${n}`, { n }, 20, never);
    expect([store.bytes, evicted]).toEqual([10_000, []]);
    store.set('large', { n: 0 }, 1_000, never);
    expect([store.bytes, evicted.length]).toEqual([10_000, 50]);
    expect(store.peek('large')).toEqual({ n: 0 });
  });

  test('an entry that grows pushes out others, not itself', () => {
    const { store, evicted } = make({ maxBytes: 10_000, maxEntries: 1_000 });
    for (let n = 0; n < 100; n += 1) store.set(`k${n}`, { n }, 100, never);
    store.set('k0', { n: -1 }, 1_000, never);
    expect(store.peek('k0')).toEqual({ n: -1 });
    expect([store.bytes, evicted.length]).toEqual([10_000, 9]);
  });

  test('counts bytes in and out, also when an entry is replaced', () => {
    const { store } = make();
    store.set('a', { n: 1 }, 100, never);
    store.set('b', { n: 1 }, 50, never);
    store.set('a', { n: 2 }, 30, never);
    expect([store.entries, store.bytes, store.peek('a')]).toEqual([2, 80, { n: 2 }]);
    store.delete('b');
    expect([store.entries, store.bytes]).toEqual([1, 30]);
    store.clear();
    expect([store.entries, store.bytes, [...store.keys()]]).toEqual([0, 0, []]);
    store.set('a', { n: 3 }, 5, never);
    expect([store.entries, store.bytes, store.peek('a')]).toEqual([1, 5, { n: 3 }]);
  });

  test('does not keep an entry over a tenth of its bytes, nor the one that it would have replaced', () => {
    const { store, evicted } = make({ maxBytes: 1_000 });
    store.set('other', { n: 0 }, 100, never);
    store.set('a', { n: 1 }, 100, never);
    expect(store.set('a', { n: 2 }, 101, never)).toBe(false);
    expect(store.get('a')).toBeUndefined();
    expect(store.get('other')).toEqual({ n: 0 });
    expect([store.bytes, evicted]).toEqual([100, []]);
  });

  test.each([{ maxEntries: 0 }, { maxBytes: 0 }])('with %p it keeps nothing', options => {
    const { store } = make(options);
    expect(store.set('a', { n: 1 }, 1, never)).toBe(false);
    expect([store.entries, store.bytes, store.get('a')]).toEqual([0, 0, undefined]);
  });

  test('tells every listener of entries dropped for room, not of those deleted, replaced, cleared or over', async () => {
    const { store, evicted, clock } = make({ maxEntries: 2 });
    const second: string[] = [];
    store.onEvict(key => second.push(key));
    store.set('a', { n: 1 }, 1, never);
    store.set('a', { n: 2 }, 1, never);
    store.delete('a');
    store.set('b', { n: 1 }, 1, clock.nowMs() + 10);
    await clock.advance(3_000);
    store.set('b', { n: 1 }, 1, never);
    store.clear();
    expect(evicted).toEqual([]);
    for (const key of ['c', 'd', 'e']) store.set(key, { n: 1 }, 1, never);
    expect([evicted, second]).toEqual([['c'], ['c']]);
  });

  test('an entry whose life is over is gone soon after, and holds no room', async () => {
    const { store, clock } = make();
    const now = clock.nowMs();
    store.set('short', { n: 1 }, 10, now + 1_500);
    store.set('long', { n: 2 }, 10, now + 5_000_000);
    store.set('ever', { n: 3 }, 10, never);
    await clock.advance(1_499);
    expect([...store.keys()].sort()).toEqual(['ever', 'long', 'short']);
    await clock.advance(1_600);
    expect([[...store.keys()].sort(), store.bytes]).toEqual([['ever', 'long'], 20]);
    await clock.advance(5_000_000);
    expect([[...store.keys()], store.bytes, store.sweeping, clock.pending]).toEqual([['ever'], 10, false, 0]);
  });

  test('one that is replaced lives as long as the new one', async () => {
    const { store, clock } = make();
    store.set('a', { n: 1 }, 1, clock.nowMs() + 1_000);
    store.set('a', { n: 2 }, 1, clock.nowMs() + 60_000);
    store.set('b', { n: 1 }, 1, clock.nowMs() + 60_000);
    store.set('b', { n: 2 }, 1, clock.nowMs() + 1_000);
    await clock.advance(5_000);
    expect([...store.keys()]).toEqual(['a']);
  });

  test('after a pause longer than a turn of the wheel everything that is over goes', async () => {
    const { store, clock } = make();
    for (let n = 0; n < 3_000; n += 1) store.set(`k${n}`, { n }, 1, clock.nowMs() + n * 1_000);
    const late = new FakeClock();
    expect(late.nowMs()).toBeLessThan(clock.nowMs() + 1);
    await clock.advance(2_000_500);
    expect(store.entries).toBe(999);
  });

  test('counts an entry of no size as one byte', () => {
    const { store } = make();
    store.set('a', { n: 1 }, 0, never);
    expect(store.bytes).toBe(1);
  });

  test('has names for everything, prototypes included', () => {
    const { store } = make();
    for (const key of ['__proto__', 'constructor', 'toString']) {
      expect(store.get(key)).toBeUndefined();
      store.set(key, { n: 1 }, 1, never);
      expect(store.get(key)).toEqual({ n: 1 });
    }
  });

  test('whatever is done to it, it holds what a map would hold, less what it says it has dropped', () => {
    const key = fc.integer({ min: 0, max: 400 }).map(n => `k${n}`);
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.tuple(fc.constant('set' as const), key, fc.integer({ min: 0, max: 90 })) },
      { weight: 4, arbitrary: fc.tuple(fc.constant('get' as const), key, fc.constant(0)) },
      { weight: 1, arbitrary: fc.tuple(fc.constant('delete' as const), key, fc.constant(0)) },
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 500, maxLength: 3_000 }), steps => {
        const { store } = make({ maxEntries: 256, maxBytes: 8_000 });
        const model = new Map<string, { n: number; bytes: number }>();
        store.onEvict(evicted => expect(model.delete(evicted)).toBe(true));
        steps.forEach(([what, name, bytes], n) => {
          if (what === 'get') expect(store.get(name)?.n).toBe(model.get(name)?.n);
          else if (what === 'delete') expect(store.delete(name)).toBe(model.delete(name));
          else {
            model.delete(name);
            expect(store.set(name, { n }, bytes, never)).toBe(true);
            model.set(name, { n, bytes: Math.max(1, bytes) });
          }
          const held = [...model.values()].reduce((sum, entry) => sum + entry.bytes, 0);
          expect([store.entries, store.bytes]).toEqual([model.size, held]);
        });
        expect([...store.keys()].sort()).toEqual([...model.keys()].sort());
      }),
      { numRuns: 20 },
    );
  });
});

describe('what goes', () => {
  test('lru: the one not used for longest; to look is no use, to set is one', () => {
    const { store, evicted } = storeWith({ maxEntries: 3 });
    for (const key of ['a', 'b', 'c']) store.set(key, { n: 1 }, 1, never);
    store.get('a');
    store.set('b', { n: 2 }, 1, never);
    store.peek('c');
    for (const key of ['d', 'e', 'f']) store.set(key, { n: 1 }, 1, never);
    expect(evicted).toEqual(['c', 'a', 'b']);
  });

  test('under 256 entries it is lru, whatever was asked for', () => {
    expect(storeWith({ maxEntries: 255, eviction: 's3fifo' }).store.eviction).toBe('lru');
    expect(storeWith({ maxEntries: 256 }).store.eviction).toBe('s3fifo');
    expect(storeWith({ maxEntries: 256, eviction: 'lru' }).store.eviction).toBe('lru');
  });

  test('s3fifo: a scan of keys asked for once pushes out nothing that was used', () => {
    const { store } = storeWith({ maxEntries: 1_000 });
    for (let n = 0; n < 500; n += 1) store.set(`hot${n}`, { n }, 1, never);
    for (let n = 0; n < 500; n += 1) store.get(`hot${n}`);
    for (let n = 0; n < 20_000; n += 1) store.set(`once${n}`, { n }, 1, never);
    expect([...store.keys()].filter(key => key.startsWith('hot'))).toHaveLength(500);
    const lru = storeWith({ maxEntries: 1_000, eviction: 'lru' }).store;
    for (let n = 0; n < 500; n += 1) lru.set(`hot${n}`, { n }, 1, never);
    for (let n = 0; n < 20_000; n += 1) lru.set(`once${n}`, { n }, 1, never);
    expect([...lru.keys()].filter(key => key.startsWith('hot'))).toHaveLength(0);
  });

  test('s3fifo: a key that comes back soon after it was dropped stays longer', () => {
    const { store } = storeWith({ maxEntries: 1_000 });
    for (let n = 0; n < 1_001; n += 1) store.set(`k${n}`, { n }, 1, never);
    expect(store.peek('k0')).toBeUndefined();
    store.set('k0', { n: 0 }, 1, never);
    for (let n = 2_000; n < 4_000; n += 1) store.set(`k${n}`, { n }, 1, never);
    expect(store.peek('k0')).toEqual({ n: 0 });
    expect(store.peek('k1000')).toBeUndefined();
  });
});

test.each([
  ['maxEntries', -1],
  ['maxEntries', 1.5],
  ['maxEntries', NaN],
  ['maxEntries', '10'],
  ['maxEntries', 2 ** 31],
  ['maxBytes', -1],
  ['maxBytes', 2 ** 53],
  ['maxBytes', Infinity],
  ['eviction', 'fifo'],
])('L1 refuses %s = %p, naming option and value', (option, value) => {
  expect(() => storeWith({ [option]: value })).toThrow(CacheOptionsError);
  expect(() => storeWith({ [option]: value })).toThrow(new RegExp(`${option}.*${value}`));
});

test('L1 takes undefined for "not given"', () => {
  expect(() => storeWith({ maxEntries: undefined, maxBytes: undefined, eviction: undefined })).not.toThrow();
});
