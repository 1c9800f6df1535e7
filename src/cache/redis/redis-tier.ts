import type { Redis } from 'ioredis';
import type { Clock, Coherence, Hash, RemoteStore, RemoteTier, RemoteTierListener } from '../core';
import { RedisKeys } from './redis-keys';
import { RedisStore } from './redis-store';
import { Tracker } from './tracker';

/** Makes clients; each call a new one, not yet connected (`lazyConnect`). Options as protocol 1.5 asks. */
export interface RedisClients {
  data(): Redis;
  /** RESP2, without automatic re-subscription: in RESP3 the client would drop the messages of tracking. */
  tracker(): Redis;
}

export interface RedisTierOptions {
  /** All keys begin with it. Letters, digits, `.`, `_`, `-`; 1 to 64. */
  namespace: string;
  clients: RedisClients;
  clock: Clock;
  hash: Hash;
  /** Between two canaries, in milliseconds. Default 500. */
  heartbeatMs?: number;
  /** Δ, in milliseconds, as in the options of the cache. Default 2,000. */
  maxL1StalenessMs?: number;
  /** A `set` that reaches the server later than this after it was sent is refused there, in milliseconds. Default 300. */
  commandTimeoutMs?: number;
}

export const redisTierDefaults = Object.freeze({
  heartbeatMs: 500,
  maxL1StalenessMs: 2_000,
  commandTimeoutMs: 300,
});

/** Redis as the shared tier: a store on one connection, and on another one word of what changes there. */
export class RedisTier implements RemoteTier {
  constructor(private readonly options: RedisTierOptions) {}

  attach(listener: RemoteTierListener): { store: RemoteStore; coherence: Coherence } {
    const options = { ...redisTierDefaults, ...this.options };
    const keys = new RedisKeys(options.namespace);
    const instance = options.hash.randomToken();
    const tracker = new Tracker({
      redis: options.clients.tracker(),
      keys,
      instance,
      clock: options.clock,
      listener,
      maxL1StalenessMs: options.maxL1StalenessMs,
    });
    const store = new RedisStore({
      redis: options.clients.data(),
      keys,
      clock: options.clock,
      hash: options.hash,
      listener,
      heartbeatMs: options.heartbeatMs,
      commandTimeoutMs: options.commandTimeoutMs,
      tracker,
    });
    return { store, coherence: tracker };
  }
}
