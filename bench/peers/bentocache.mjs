import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { redisBusDriver, redisDriver } from 'bentocache/drivers/redis';
import { Redis } from 'ioredis';

const ttl = 3_600_000;

export async function open({
  socket,
  memory = !socket,
  maxEntries = 10_000,
  bus = false,
  tags,
  jsonInMemory = false,
  load,
}) {
  const client = socket ? new Redis({ path: socket }) : undefined;
  const store = bentostore();
  if (memory) store.useL1Layer(memoryDriver({ maxItems: maxEntries, serialize: jsonInMemory }));
  if (client) store.useL2Layer(redisDriver({ connection: client, prefix: 'bentocache' }));
  if (bus) store.useBus(redisBusDriver({ connection: { path: socket } }));
  const heard = new Set();
  const cache = new BentoCache({ default: 'main', ttl, stores: { main: store } });
  cache.on('bus:message:received', ({ message }) => {
    for (const key of message.keys ?? []) heard.add(key);
  });
  return {
    get: key => cache.getOrSet({ key, factory: () => load(key), ttl, tags }),
    read: key => cache.getOrSet({ key, factory: () => load(key), ttl, tags }),
    set: (key, value) => cache.set({ key, value, ttl, tags }),
    drop: key => {
      heard.delete(key);
      return cache.delete({ key });
    },
    // It has no look at memory alone: held until a message about it has come.
    isHeld: key => !heard.delete(key),
    close: async () => {
      await cache.disconnectAll();
      client?.disconnect();
    },
  };
}
