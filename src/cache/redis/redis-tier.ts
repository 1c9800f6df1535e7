import type { Clock, Coherence, Hash, RemoteStore, RemoteTier, RemoteTierListener } from '../core';
import type { RedisClients } from './clients';
import { RedisKeys } from './redis-keys';
import { RedisStore } from './redis-store';

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
  /** Between two touches of the known tokens, in milliseconds. Default 30,000. */
  touchMs?: number;
}

export const redisTierDefaults = Object.freeze({
  heartbeatMs: 500,
  maxL1StalenessMs: 2_000,
  commandTimeoutMs: 300,
  touchMs: 30_000,
});

/** Redis as the shared tier: a store, and on connections of their own word of what changes there. */
export class RedisTier implements RemoteTier {
  constructor(private readonly options: RedisTierOptions) {}

  attach(listener: RemoteTierListener): { store: RemoteStore; coherence: Coherence } {
    const store = new RedisStore({
      ...redisTierDefaults,
      ...this.options,
      keys: new RedisKeys(this.options.namespace),
      instance: this.options.hash.randomToken(),
      listener,
    });
    return { store, coherence: store.coherence };
  }
}
