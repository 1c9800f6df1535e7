import type { ClusterOptions, RedisOptions } from 'ioredis';
import type { AppConfig } from '../config/app-config';

const maxRetryDelayMs = 2_000;

/**
 * Options under which a lost server is noticed at once, nothing waits in a queue and nothing is sent twice:
 * `maxRetriesPerRequest: 0` rejects what is in flight when a connection closes, no offline queue rejects what comes while
 * it is away, `socketTimeout` gives up a socket that has gone silent.
 */
export function clientOptions(config: AppConfig['redis'], name: string): RedisOptions {
  return {
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    enableReadyCheck: true,
    lazyConnect: true,
    commandTimeout: config.commandTimeoutMs,
    socketTimeout: 2 * config.commandTimeoutMs,
    connectTimeout: config.connectTimeoutMs,
    // A peer that is frozen never closes its side: the socket is destroyed so long after it was given up.
    disconnectTimeout: config.commandTimeoutMs,
    keepAlive: 10_000,
    retryStrategy: retryDelayMs,
    disableClientInfo: true, // CLIENT SETINFO came with Redis 7.2
    connectionName: `sutazai-${name}`,
  };
}

/**
 * For the connection that hears of changes. It speaks RESP2, because ioredis drops `invalidate` pushes of RESP3 silently,
 * and does not subscribe again by itself: after a reconnect the old redirection is dead.
 */
export const trackerOptions: RedisOptions = { protocol: 2, autoResubscribe: false };

/**
 * For the master that Sentinels lead to. A planned failover leaves the old master answering for ten seconds more: the
 * detector hears of it from the Sentinels and connects anew.
 */
export function sentinelOptions(config: AppConfig['redis']): RedisOptions {
  return {
    role: 'master',
    failoverDetector: true,
    sentinelRetryStrategy: retryDelayMs,
    sentinelReconnectStrategy: retryDelayMs,
    sentinelCommandTimeout: config.connectTimeoutMs,
  };
}

/**
 * For a client of a whole Cluster. It follows a key that has moved (MOVED, ASK), and nothing else: what fails because a node
 * or the Cluster is away is not sent again. No pipelining of its own: it mixes slots while one is moving (ioredis#2075).
 */
export function clusterOptions(config: AppConfig['redis'], name: string): ClusterOptions {
  const { commandTimeout, socketTimeout, connectTimeout, disconnectTimeout, keepAlive, disableClientInfo } =
    clientOptions(config, name);
  return {
    lazyConnect: true,
    enableOfflineQueue: false,
    enableAutoPipelining: false,
    maxRedirections: 5,
    retryDelayOnTryAgain: 5,
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    slotsRefreshTimeout: config.connectTimeoutMs,
    clusterRetryStrategy: retryDelayMs,
    redisOptions: {
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      commandTimeout,
      socketTimeout,
      connectTimeout,
      disconnectTimeout,
      keepAlive,
      disableClientInfo,
      connectionName: `sutazai-${name}`,
    },
  };
}

/** Delay before attempt `attempt` (from 1): doubles from 50 ms to 2 s, up to a fifth taken off so that clients do not come together. */
export function retryDelayMs(attempt: number): number {
  const fullMs = Math.min(25 * 2 ** Math.min(attempt, 10), maxRetryDelayMs);
  return Math.round(fullMs * (1 - 0.2 * Math.random()));
}
