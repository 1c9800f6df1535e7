import { LRUCache } from 'lru-cache';

/** Memory alone: `fetch` reads and loads. */
export async function open({ maxEntries = 10_000, load }) {
  const cache = new LRUCache({ max: maxEntries, ttl: 3_600_000, fetchMethod: load });
  return {
    get: key => cache.fetch(key),
    read: key => cache.fetch(key),
    set: async (key, value) => cache.set(key, value),
    getMany: async keys => keys.map(key => cache.get(key)),
    close: async () => cache.clear(),
  };
}
