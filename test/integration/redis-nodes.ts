import type { TieredCache } from '../../src/cache/core';
import { coherentNode, type CacheNodeOptions } from './cache-node';
import { RedisServer } from './redis-server';

export interface RedisNodes {
  /** From `beforeAll` on. */
  readonly redis: RedisServer;
  /** One more instance, ready for L1; it is closed after the test. */
  readonly node: (options?: CacheNodeOptions) => Promise<TieredCache>;
  /** Instances of the test that is running; what a test adds is closed as well. */
  readonly nodes: TieredCache[];
}

/** A server for the tests of this `describe`, and instances on it. After each test they are closed and the server is emptied. */
export function redisNodes(commandTimeoutMs?: number): RedisNodes {
  let redis: RedisServer;
  const nodes: TieredCache[] = [];
  beforeAll(async () => {
    redis = await RedisServer.start(commandTimeoutMs);
  });
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(cache => cache.close()));
    await redis.admin().flushall();
  });
  afterAll(() => redis.stop());
  return {
    get redis() {
      return redis;
    },
    node: async (options = {}) => {
      const cache = await coherentNode(redis, options);
      nodes.push(cache);
      return cache;
    },
    nodes,
  };
}
