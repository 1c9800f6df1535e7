import type { Redis } from 'ioredis';
import type { TieredCache } from '../../src/cache/core';
import { coherentNode, eventually, cacheNode, type CacheNodeOptions } from '../integration/cache-node';
import { RedisServer } from '../integration/redis-server';
import { Measures } from './measures';

/**
 * One Redis and the instances of a test. Everything ends with the test: instances are closed, the server is continued
 * and killed, and the line with the measures is printed, also after a failure.
 */
export class Cluster {
  readonly caches: TieredCache[] = [];
  /** Connections of instances that have closed since. */
  closes = 0;
  readonly #clients: Redis[] = [];
  #measures: Measures | undefined;

  private constructor(readonly redis: RedisServer) {
    const make = redis.client.bind(redis);
    redis.client = extra => {
      const client: Redis = make(extra);
      client.on('close', () => (this.closes += 1));
      this.#clients.push(client);
      return client;
    };
  }

  /** A fresh server for each test of the group that calls this. */
  static each(commandTimeoutMs?: number): { readonly it: Cluster } {
    const holder: { it: Cluster } = { it: undefined as unknown as Cluster };
    beforeEach(async () => {
      const redis = await RedisServer.start(commandTimeoutMs);
      redis.admin(); // not one of the instances' connections
      holder.it = new Cluster(redis);
    });
    afterEach(() => holder.it.end());
    return holder;
  }

  /** An instance that may use its L1. */
  async node(options: CacheNodeOptions = {}): Promise<TieredCache> {
    const cache = await coherentNode(this.redis, options);
    this.caches.push(cache);
    return cache;
  }

  /** An instance that has only just been made. */
  newNode(options: CacheNodeOptions = {}): TieredCache {
    const cache = cacheNode(this.redis, options);
    this.caches.push(cache);
    return cache;
  }

  /** How many listeners the instances have put on their connections. */
  listeners(): number {
    return this.#clients.reduce(
      (sum, client) => sum + client.eventNames().reduce((own, name) => own + client.listenerCount(name), 0),
      0,
    );
  }

  /** The server freezes just before the next use of one of our scripts is sent to it, by whichever connection. */
  freezeBefore(script: 'cacheSetd' | 'cacheFill' | 'cacheInv'): void {
    type Run = (...args: unknown[]) => Promise<unknown>;
    for (const client of this.#clients as unknown as Record<string, Run | undefined>[]) {
      const run = client[script]?.bind(client);
      if (!run) continue;
      client[script] = (...args) => {
        // A stopped process runs none of its code any more; what is sent now waits in its socket.
        this.redis.signal('SIGSTOP');
        client[script] = run;
        return run(...args);
      };
    }
  }

  measure(row: string): Measures {
    return (this.#measures = new Measures(row));
  }

  /** Reads until the answer comes from L1. */
  async near(cache: TieredCache, measures: Measures, key: string): Promise<void> {
    await eventually(async () => (await measures.read(cache, key)).source === 'l1');
  }

  async end(): Promise<void> {
    this.redis.signal('SIGCONT');
    this.#measures?.print();
    this.#measures = undefined;
    await Promise.all(this.caches.splice(0).map(cache => cache.close()));
    await this.redis.stop();
  }
}
