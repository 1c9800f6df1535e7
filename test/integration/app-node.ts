import { Logger } from '@nestjs/common';
import { BrotliCompressor } from '../../src/cache/codec/brotli-compressor';
import { MsgpackSerializer } from '../../src/cache/codec/msgpack-serializer';
import { SystemClock, TieredCache, type TieredCacheOptions } from '../../src/cache/core';
import { MemoryStore } from '../../src/cache/memory/memory-store';
import { AsyncScopes } from '../../src/cache/node/async-scopes';
import { NodeHash } from '../../src/cache/node/node-hash';
import { RedisTier, type RedisClients } from '../../src/cache/redis';
import { RedisConnections } from '../../src/redis/redis-connections';
import { eventually } from './cache-node';

export interface AppNodeOptions extends TieredCacheOptions {
  heartbeatMs?: number;
  touchMs?: number;
  commandTimeoutMs?: number;
  /** Changes the clients of the application before the tier gets them. */
  clients?: (clients: RedisClients) => RedisClients;
}

/** An instance with the clients that the application makes for a `REDIS_URL`. */
export interface AppNode {
  cache: TieredCache;
  close(): Promise<void>;
}

export async function appNode(url: string, options: AppNodeOptions = {}): Promise<AppNode> {
  const {
    heartbeatMs = 100,
    touchMs,
    commandTimeoutMs = 300,
    clients = same => same,
    ...cacheOptions
  } = options;
  // Its lines are about connections that tests cut on purpose.
  Logger.overrideLogger(false);
  const connections = await RedisConnections.open({
    mode: 'url',
    url,
    commandTimeoutMs,
    connectTimeoutMs: 1_000,
  });
  const [clock, hash] = [new SystemClock(), new NodeHash()];
  const cache = new TieredCache(
    {
      clock,
      hash,
      local: new MemoryStore(clock),
      scopes: new AsyncScopes(),
      codec: { serializer: new MsgpackSerializer(), compressors: [new BrotliCompressor()] },
      remote: new RedisTier({
        namespace: 'test',
        clients: clients(connections),
        clock,
        hash,
        heartbeatMs,
        commandTimeoutMs,
        maxL1StalenessMs: cacheOptions.maxL1StalenessMs ?? 2_000,
        ...(touchMs !== undefined && { touchMs }),
      }),
    },
    cacheOptions,
  );
  return {
    cache,
    close: async () => {
      await cache.close();
      await connections.close();
    },
  };
}

/** Ready for L1: attached, and a canary heard from every node. */
export async function coherentAppNode(url: string, options: AppNodeOptions = {}): Promise<AppNode> {
  const node = await appNode(url, options);
  await node.cache.ready();
  await eventually(() => node.cache.status().gate.open, 20_000);
  return node;
}

/** The nodes of a test file, closed after each test. */
export function appNodes(): { keep(node: Promise<AppNode>): Promise<TieredCache>; close(): Promise<void> } {
  const nodes: AppNode[] = [];
  return {
    keep: async node => {
      const made = await node;
      nodes.push(made);
      return made.cache;
    },
    close: async () => void (await Promise.all(nodes.splice(0).map(node => node.close()))),
  };
}
