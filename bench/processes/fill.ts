import { PerformanceObserver } from 'node:perf_hooks';
import { LRUCache } from 'lru-cache';
import { definePolicy, SystemClock } from '../../src/cache';
import { MemoryStore } from '../../src/cache/memory/memory-store';
import { createTieredCache } from '../../src/cache/nest/create-cache';
import { openPeer } from '../measure/peers';

/**
 * `fill NAME COUNT ROOM`: puts COUNT different keys into a store with room for ROOM and prints as JSON the bytes of the heap for
 * each entry that it holds then, the pauses for garbage, and how the process grew over the second half. Keys are made before, and
 * the value is one and the same, so that what is measured is the store's own.
 */
const value = { status: 'healthy' };
const ttlMs = 3_600_000;
const entryBytes = 100;

interface Store {
  readonly put: (key: string) => unknown;
  readonly held: () => number;
}

async function open(name: string, room: number): Promise<Store> {
  const maxBytes = room * 1_000;
  if (name === 'Map') {
    const map = new Map<string, object>();
    return { put: key => map.set(key, value), held: () => map.size };
  }
  if (name === 'lru-cache') {
    const cache = new LRUCache<string, object>({ max: room, maxSize: maxBytes, ttl: ttlMs });
    return { put: key => cache.set(key, value, { size: entryBytes }), held: () => cache.size };
  }
  if (name === 'ours, store') {
    const clock = new SystemClock();
    const store = new MemoryStore<object>(clock, { maxEntries: room, maxBytes });
    return {
      put: key => store.set(key, value, entryBytes, clock.coarseMs() + ttlMs),
      held: () => store.entries,
    };
  }
  if (name === 'ours, cache') {
    const cache = createTieredCache({ l1MaxEntries: room, l1MaxBytes: maxBytes }, []);
    const policy = definePolicy('fill', { ttlMs, jitter: 0, tier: 'local' });
    return {
      put: key => cache.getOrSet(key, () => value, { policy }),
      held: () => cache.status().l1Entries,
    };
  }
  const peer = await openPeer('bentocache', { maxEntries: room, load: () => Promise.resolve(value) });
  return { put: key => peer.set!(key, value), held: () => room };
}

function heapBytes(): number {
  globalThis.gc!();
  globalThis.gc!();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** In one piece: whoever is the first to look at the letters of a key that was put together would pay for a copy of it. */
function flat(key: string): string {
  return Buffer.from(key).toString('latin1');
}

async function main(name: string, count: number, room: number): Promise<void> {
  const keys = Array.from({ length: count }, (_, at) => flat(`agents:one|${String(at).padStart(9, '0')}`));
  // A store of another size first: its code is not the entries'.
  const small = await open(name, 1_000);
  for (const key of keys.slice(0, 2_000)) await small.put(key);
  const before = heapBytes();
  const pausesMs: number[] = [];
  const observer = new PerformanceObserver(list => {
    pausesMs.push(...list.getEntries().map(({ duration }) => duration));
  });
  observer.observe({ entryTypes: ['gc'] });
  const store = await open(name, room);
  let halfway = 0;
  for (const [at, key] of keys.entries()) {
    const put = store.put(key);
    if (put instanceof Promise) await put;
    if (at === count >> 1) halfway = process.memoryUsage().rss;
    // Lets the observer hear.
    if (at % 20_000 === 0) await new Promise(resolve => setImmediate(resolve));
  }
  const end = process.memoryUsage().rss;
  await new Promise(resolve => setTimeout(resolve, 20));
  observer.disconnect();
  const held = store.held();
  process.stdout.write(
    JSON.stringify({
      bytesPerEntry: (heapBytes() - before) / held,
      held,
      longestPauseMs: Math.max(0, ...pausesMs),
      growth: end / halfway,
      keys: keys.length,
    }),
  );
  process.exit(0);
}

void main(process.argv[2]!, Number(process.argv[3]), Number(process.argv[4]));
