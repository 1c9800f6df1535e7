import { createKeyv } from '@keyv/redis';
import { Cacheable, createKeyv as createMemory } from 'cacheable';

export async function open({ socket, memory = !socket, maxEntries = 10_000, tags, load }) {
  const inMemory = memory ? createMemory({ lruSize: maxEntries, useClone: false }) : undefined;
  const shared = socket ? createKeyv({ socket: { path: socket } }, { namespace: 'cacheable' }) : undefined;
  const cache = new Cacheable({
    primary: inMemory ?? shared,
    ...(inMemory && shared && { secondary: shared }),
    ttl: 3_600_000,
  });
  const options = tags ? { tags } : undefined;
  return {
    get: key => cache.get(key),
    read: key => cache.getOrSet(key, () => load(key), options),
    set: (key, value) => cache.set(key, value),
    getMany: keys => cache.getMany(keys),
    setMany: entries => cache.setMany(entries.map(([key, value]) => ({ key, value }))),
    close: () => cache.disconnect(),
  };
}
