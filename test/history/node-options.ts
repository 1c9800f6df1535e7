import type { CacheNodeOptions } from '../integration/cache-node';
import { policies } from './keyspace';

/** Δ of the histories, in milliseconds: short, so that much can go wrong within one. */
export const maxL1StalenessMs = 1_000;

/** How every instance of ours is made. */
export const nodeOptions: CacheNodeOptions = { maxL1StalenessMs, heartbeatMs: 200, policies };
