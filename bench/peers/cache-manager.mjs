import { createKeyv } from '@keyv/redis';
import { createCache } from 'cache-manager';
import { createKeyv as createMemory } from 'cacheable';

/** In memory without serialising, which its documentation gives as the faster way. */
export async function open({ socket, memory = !socket, maxEntries = 10_000, load }) {
  const stores = [
    ...(memory ? [createMemory({ lruSize: maxEntries, useClone: false })] : []),
    ...(socket ? [createKeyv({ socket: { path: socket } }, { namespace: 'cache-manager' })] : []),
  ];
  const cache = createCache({ stores, ttl: 3_600_000 });
  return {
    get: key => cache.get(key),
    read: key => cache.wrap(key, () => load(key)),
    set: (key, value) => cache.set(key, value),
    getMany: keys => cache.mget(keys),
    setMany: entries => cache.mset(entries.map(([key, value]) => ({ key, value }))),
    close: () => cache.disconnect(),
  };
}
