import { LRUCache } from 'lru-cache';
import { SystemClock } from '../../src/cache';
import { MemoryStore, type EvictionPolicy } from '../../src/cache/memory/memory-store';
import type { Bench, Question } from '../measure/question';
import { race, type Contender } from '../measure/race';
import { ratio, type Answer } from '../measure/report';

/** The store of L1 alone, beside lru-cache with expiry and sizes: a hit, and a key that is not there, is set and pushes one out. */
export const question: Question = { title: 'The store of L1', ask };

const room = 16_384;
const held = 8_192;
const ttlMs = 3_600_000;
const entryBytes = 100;
const value = { status: 'healthy' };

interface Store {
  get(key: string): object | undefined;
  set(key: string): void;
}

const stores: readonly [name: string, open: () => Store][] = [
  ['lru-cache', lruCache],
  ['ours, s3fifo', () => ours('s3fifo')],
  ['ours, lru', () => ours('lru')],
];

async function ask(bench: Bench): Promise<Answer[]> {
  const keys = Array.from({ length: held }, (_, at) => `agents:one|${at}`);
  const hits = await race(
    stores.map(([name, open]) => hitting(name, open(), keys)),
    bench,
  );
  const misses = await race(
    stores.map(([name, open]) => missing(name, open())),
    bench,
  );
  return [
    {
      what: 'a hit',
      unit: 'µs',
      measured: hits,
      claims: [{ what: 's3fifo ≤ lru-cache', value: ratio(hits, 'ours, s3fifo', 'lru-cache'), atMost: 1 }],
    },
    {
      what: 'a miss, set and eviction',
      unit: 'µs',
      measured: misses,
      claims: [
        {
          what: 's3fifo ≤ 1.35 × lru-cache',
          value: ratio(misses, 'ours, s3fifo', 'lru-cache'),
          atMost: 1.35,
        },
      ],
    },
  ];
}

function hitting(name: string, store: Store, keys: readonly string[]): Contender {
  for (const key of keys) store.set(key);
  return {
    name,
    run: times => {
      let hits = 0;
      for (let time = 0; time < times; time += 1)
        if (store.get(keys[(time * 37) & (held - 1)]!) !== undefined) hits += 1;
      if (hits !== times) throw new Error(`${name}: ${hits} of ${times} were hits`);
      return Promise.resolve();
    },
  };
}

/** No key is asked for twice. */
function missing(name: string, store: Store): Contender {
  let next = 0;
  for (; next < room; next += 1) store.set(`agents:one|${next}`);
  return {
    name,
    run: times => {
      let hits = 0;
      for (const end = next + times; next < end; next += 1) {
        const key = `agents:one|${next}`;
        if (store.get(key) !== undefined) hits += 1;
        store.set(key);
      }
      if (hits !== 0) throw new Error(`${name}: ${hits} of ${times} were hits`);
      return Promise.resolve();
    },
  };
}

function lruCache(): Store {
  const cache = new LRUCache<string, object>({ max: room, maxSize: room * 1_000, ttl: ttlMs });
  return {
    get: key => cache.get(key),
    set: key => void cache.set(key, value, { size: entryBytes }),
  };
}

function ours(eviction: EvictionPolicy): Store {
  const clock = new SystemClock();
  const store = new MemoryStore<object>(clock, { maxEntries: room, maxBytes: room * 1_000, eviction });
  return {
    get: key => store.get(key),
    set: key => void store.set(key, value, entryBytes, clock.coarseMs() + ttlMs),
  };
}
