import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { TieredCache } from '../../src/cache/core';
import { coherentNode, eventually } from './cache-node';
import { RedisServer } from './redis-server';

type Run = (...args: unknown[]) => Promise<unknown>;

/** Many keys that are set share commands; what becomes of one command is no matter of the others. */
describe('a set of many keys', () => {
  let redis: RedisServer;
  const clients: Redis[] = [];
  const nodes: TieredCache[] = [];
  const node = async (): Promise<TieredCache> => {
    const cache = await coherentNode(redis, { onDataClient: client => clients.push(client) });
    nodes.push(cache);
    return cache;
  };
  const entries = (count: number, value: unknown): [string, unknown][] =>
    Array.from({ length: count }, (_, at) => [`k${at}`, value]);

  beforeEach(async () => {
    redis = await RedisServer.start();
  });
  afterEach(async () => {
    clients.length = 0;
    await Promise.all(nodes.splice(0).map(cache => cache.close()));
    await redis.stop();
  });

  /** Counts the commands that store, and refuses those after the first `allowed` ones without sending them. */
  const watchSets = (allowed = Infinity): { count: number } => {
    const sent = { count: 0 };
    for (const client of clients as unknown as Record<string, Run | undefined>[]) {
      const run = client['cacheSetd'];
      if (!run) continue;
      client['cacheSetd'] = (...args) => {
        sent.count += 1;
        return sent.count > allowed ? Promise.reject(new Error('ECONNRESET')) : run(...args);
      };
    }
    return sent;
  };

  test('where one command fails, its keys are removed and those of the others are stored', async () => {
    const [a, b] = [await node(), await node()];
    await a.setMany(entries(100, 'old'));
    watchSets(3);
    expect(await a.setMany(entries(100, 'new'))).toEqual({ applied: false, queued: true });
    await eventually(() => a.status().pendingInvalidations === 0);
    for (const cache of [a, b])
      expect(await cache.getMany(entries(100, '').map(([key]) => key))).toEqual(new Map(entries(96, 'new')));
  });

  test('where all fail, all of their keys are removed', async () => {
    const a = await node();
    await a.setMany(entries(100, 'old'));
    watchSets(0);
    expect(await a.setMany(entries(100, 'new'))).toEqual({ applied: false, queued: true });
    await eventually(() => a.status().pendingInvalidations === 0);
    expect((await a.getMany(entries(100, '').map(([key]) => key))).size).toBe(0);
  });

  test('large values do not pile up in a command: it takes 256 KiB, or one value', async () => {
    const a = await node();
    const sent = watchSets();
    // Random, so that it stays as large as it is.
    const value = randomBytes(100_000);
    expect(await a.setMany(entries(7, value))).toEqual({ applied: true, queued: false });
    expect(sent.count).toBe(4);
    await a.setMany([['larger', Buffer.concat([value, value, value, value])]]);
    expect(sent.count).toBe(5);
  });
});
