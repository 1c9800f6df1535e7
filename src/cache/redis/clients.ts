import type { Cluster, Redis } from 'ioredis';

/** What a connection is for. Commands wait behind each other on one connection, so each purpose has its own. */
export type DataPurpose = 'reads' | 'writes' | 'durable';

/** Makes clients, not yet connected (`lazyConnect`), with options as protocol 1.5 asks; one for each purpose. */
export interface RedisClients {
  data(purpose: DataPurpose): Redis;
  /** A fresh one at each call. RESP2, without automatic re-subscription: in RESP3 the client would drop the messages of tracking. */
  tracker(): Redis;
  /** Present when the address is a Cluster's: then the two above are not used. */
  readonly cluster?: ClusterClients | undefined;
}

/** Makes clients for a Cluster. Of one node: a fresh one at each call. */
export interface ClusterClients {
  /** Finds the node of each key, and follows keys that move. Without pipelining of its own: it would mix slots (ioredis#2075). */
  keys(purpose: 'reads' | 'writes'): Cluster;
  node(address: NodeAddress, purpose: 'node' | 'durable'): Redis;
  tracker(address: NodeAddress): Redis;
}

export interface NodeAddress {
  host: string;
  port: number;
}
