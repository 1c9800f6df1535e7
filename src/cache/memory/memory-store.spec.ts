import { CacheOptionsError } from '../core';
import { MemoryStore, type MemoryStoreOptions } from './memory-store';

interface Thing {
  n: number;
}
const storeWith = (options: MemoryStoreOptions = {}): { store: MemoryStore<Thing>; evicted: string[] } => {
  const store = new MemoryStore<Thing>(options);
  const evicted: string[] = [];
  store.onEvict(key => evicted.push(key));
  return { store, evicted };
};

describe('L1', () => {
  test('a look is no use: what was only looked at goes first', () => {
    const store = new MemoryStore<object>({ maxEntries: 2 });
    const [a, b, c] = [{}, {}, {}];
    store.set('a', a, 1);
    store.set('b', b, 1);
    expect(store.peek('a')).toBe(a);
    store.set('c', c, 1);
    expect([store.peek('a'), store.peek('b'), store.peek('c')]).toEqual([undefined, b, c]);
  });

  test('gives back the very entry, until it is deleted', () => {
    const { store } = storeWith();
    const thing = { n: 1 };
    expect(store.set('a', thing, 10)).toBe(true);
    expect(store.get('a')).toBe(thing);
    expect(store.delete('a')).toBe(true);
    expect(store.delete('a')).toBe(false);
    expect(store.get('a')).toBeUndefined();
  });

  test('holds no more entries than it may, and drops the one not read for longest', () => {
    const { store, evicted } = storeWith({ maxEntries: 3 });
    for (const key of ['a', 'b', 'c']) store.set(key, { n: 1 }, 1);
    store.get('a');
    store.set('d', { n: 1 }, 1);
    expect(evicted).toEqual(['b']);
    expect([...store.keys()].sort()).toEqual(['a', 'c', 'd']);
    expect(store.entries).toBe(3);
  });

  test('holds no more bytes than it may, however many entries have to go', () => {
    const { store, evicted } = storeWith({ maxBytes: 1_000 });
    for (let n = 0; n < 50; n += 1) store.set(`small${n}`, { n }, 20);
    expect([store.bytes, evicted]).toEqual([1_000, []]);
    store.set('large', { n: 0 }, 100);
    expect(store.bytes).toBe(1_000);
    expect(evicted).toEqual(['small0', 'small1', 'small2', 'small3', 'small4']);
  });

  test('counts bytes in and out, also when an entry is replaced', () => {
    const { store } = storeWith();
    store.set('a', { n: 1 }, 100);
    store.set('b', { n: 1 }, 50);
    store.set('a', { n: 2 }, 30);
    expect([store.entries, store.bytes]).toEqual([2, 80]);
    store.delete('b');
    expect([store.entries, store.bytes]).toEqual([1, 30]);
    store.clear();
    expect([store.entries, store.bytes, [...store.keys()]]).toEqual([0, 0, []]);
  });

  test('does not keep an entry over a tenth of its bytes, nor the one that it would have replaced', () => {
    const { store, evicted } = storeWith({ maxBytes: 1_000 });
    store.set('other', { n: 0 }, 100);
    store.set('a', { n: 1 }, 100);
    expect(store.set('a', { n: 2 }, 101)).toBe(false);
    expect(store.get('a')).toBeUndefined();
    expect(store.get('other')).toEqual({ n: 0 });
    expect([store.bytes, evicted]).toEqual([100, []]);
  });

  test('tells of entries dropped for room, not of those deleted, replaced or cleared', () => {
    const { store, evicted } = storeWith({ maxEntries: 2 });
    store.set('a', { n: 1 }, 1);
    store.set('a', { n: 2 }, 1);
    store.delete('a');
    store.set('b', { n: 1 }, 1);
    store.clear();
    expect(evicted).toEqual([]);
    for (const key of ['c', 'd', 'e']) store.set(key, { n: 1 }, 1);
    expect(evicted).toEqual(['c']);
  });

  test('tells every listener', () => {
    const { store, evicted } = storeWith({ maxEntries: 1 });
    const second: string[] = [];
    store.onEvict(key => second.push(key));
    store.set('a', { n: 1 }, 1);
    store.set('b', { n: 1 }, 1);
    expect([evicted, second]).toEqual([['a'], ['a']]);
  });

  test('counts an entry of no size as one byte', () => {
    const { store } = storeWith();
    store.set('a', { n: 1 }, 0);
    expect(store.bytes).toBe(1);
  });

  test('has names for everything, prototypes included', () => {
    const { store } = storeWith();
    for (const key of ['__proto__', 'constructor', 'toString']) {
      expect(store.get(key)).toBeUndefined();
      store.set(key, { n: 1 }, 1);
      expect(store.get(key)).toEqual({ n: 1 });
    }
  });

  test.each([
    ['maxEntries', 0],
    ['maxEntries', -1],
    ['maxEntries', 1.5],
    ['maxEntries', NaN],
    ['maxEntries', '10'],
    ['maxEntries', 2 ** 31],
    ['maxBytes', 0],
    ['maxBytes', 2 ** 53],
    ['maxBytes', Infinity],
  ])('refuses %s = %p, naming option and value', (option, value) => {
    expect(() => new MemoryStore({ [option]: value })).toThrow(CacheOptionsError);
    expect(() => new MemoryStore({ [option]: value })).toThrow(new RegExp(`${option}.*${value}`));
  });

  test('takes undefined for "not given"', () => {
    expect(() => new MemoryStore({ maxEntries: undefined, maxBytes: undefined })).not.toThrow();
  });
});
