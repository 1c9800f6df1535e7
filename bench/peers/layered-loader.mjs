import { Redis } from 'ioredis';
import layered from 'layered-loader';

const { Loader, RedisCache, createNotificationPair } = layered;
const ttlInMsecs = 3_600_000;

export async function open({ socket, memory = !socket, maxEntries = 10_000, bus = false, load }) {
  const clients = [];
  const client = () => clients[clients.push(new Redis({ path: socket })) - 1];
  const asyncCache = socket && new RedisCache(client(), { prefix: 'layered-loader', json: true, ttlInMsecs });
  const pair = bus
    ? createNotificationPair({ channel: 'layered', publisherRedis: client(), consumerRedis: client() })
    : undefined;
  const loader = new Loader({
    inMemoryCache: memory && { cacheId: 'bench', cacheType: 'lru-object', maxItems: maxEntries, ttlInMsecs },
    ...(asyncCache && { asyncCache }),
    ...(pair && { notificationPublisher: pair.publisher, notificationConsumer: pair.consumer }),
    dataSourceGetOneFn: load,
    dataSourceGetManyFn: keys => Promise.all(keys.map(load)),
  });
  await loader.init();
  return {
    get: key => loader.get(key),
    read: key => loader.get(key),
    set: (key, value) => loader.forceSetValue(key, value),
    getMany: keys => loader.getMany(keys),
    ...(asyncCache && {
      // The loader's own asks for the key of each value, which a value need not have in it.
      getMany: async keys => (await asyncCache.getMany(keys)).resolvedValues,
      setMany: entries => asyncCache.setMany(entries.map(([key, value]) => ({ key, value }))),
    }),
    drop: key => loader.invalidateCacheFor(key),
    isHeld: key => loader.getInMemoryOnly(key) !== undefined,
    close: async () => {
      await loader.close();
      for (const one of clients) one.disconnect();
    },
  };
}
