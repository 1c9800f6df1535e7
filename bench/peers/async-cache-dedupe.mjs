import { createCache } from 'async-cache-dedupe';
import { Redis } from 'ioredis';

export async function open({ socket, maxEntries = 10_000, load }) {
  const client = socket ? new Redis({ path: socket }) : undefined;
  const storage = client
    ? { type: 'redis', options: { client } }
    : { type: 'memory', options: { size: maxEntries } };
  const cache = createCache({ ttl: 3_600, storage });
  cache.define('value', key => load(key));
  return {
    get: key => cache.value(key),
    read: key => cache.value(key),
    close: async () => client?.disconnect(),
  };
}
