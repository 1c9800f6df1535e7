import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Redis, type RedisOptions } from 'ioredis';
import { join } from 'node:path';
import type { AppConfig } from '../config/app-config';
import { configFolder } from '../config/load-config';
import { EmbeddedRedis } from './embedded-redis';

export type RedisMode = 'url' | 'embedded' | 'off';

const maxRetryDelayMs = 2_000;

/**
 * The clients of the one Redis. Each is made with options under which a lost server is noticed at once, nothing waits in
 * a queue and nothing is sent twice: `maxRetriesPerRequest: 0` rejects what is in flight when a connection closes, no
 * offline queue rejects what comes while it is away, `socketTimeout` gives up a socket that has gone silent.
 */
export class RedisConnections implements OnApplicationShutdown {
  private readonly log = new Logger('Redis');
  private readonly clients = new Map<string, Redis>();
  private readonly trackers = new Set<Redis>();
  private closing: Promise<void> | undefined;

  private constructor(
    private readonly config: AppConfig['redis'],
    /** `url`: the server of `REDIS_URL`. `embedded`: a private child. `off`: none, and no client can be made. */
    readonly mode: RedisMode,
    private readonly embedded: EmbeddedRedis | undefined,
  ) {}

  /** Starts the private server when no address is configured. Never fails: without a program the mode is `off`. */
  static async open(config: AppConfig['redis']): Promise<RedisConnections> {
    if (config.mode !== 'embedded') return new RedisConnections(config, config.mode, undefined);
    const embedded = await EmbeddedRedis.start(join(configFolder, 'redis.conf'));
    return new RedisConnections(config, embedded ? 'embedded' : 'off', embedded);
  }

  /** What runs and what to set for the real thing, in one line without secrets. */
  describe(): string {
    if (this.mode === 'url') return `Redis at ${this.address()}`;
    if (this.mode === 'embedded')
      return 'a private redis-server of this process; set REDIS_URL to share one between instances';
    return this.config.mode === 'off'
      ? 'off (REDIS_URL=off): the cache lives in the memory of this process alone'
      : 'none: redis-server is not installed, so the cache lives in memory alone; install it or set REDIS_URL';
  }

  /** Host and port, or the path of the socket; never the user or the password. */
  address(): string {
    if (this.embedded) return this.embedded.socketPath;
    if (this.config.url === undefined) return 'none';
    const { hostname, port } = new URL(this.config.url);
    return `${hostname}:${port || '6379'}`;
  }

  /**
   * The client for a purpose, connecting in the background; one per purpose for the life of the application. Commands
   * wait behind each other on one connection, so what may be held up for long takes a purpose of its own.
   * @throws TypeError when the mode is `off`
   */
  data(purpose = 'data'): Redis {
    const known = this.clients.get(purpose);
    if (known) return known;
    const client = this.create(purpose, {});
    this.clients.set(purpose, client);
    client
      .connect()
      .catch((error: Error) => this.log.debug(`first connection (${purpose}) failed: ${error.message}`));
    return client;
  }

  /**
   * A fresh client for tracking, not yet connecting. It speaks RESP2, because ioredis drops `invalidate` pushes of
   * RESP3 silently, and does not subscribe again by itself: after a reconnect the old redirection is dead.
   * @throws TypeError when the mode is `off`
   */
  tracker(): Redis {
    const client = this.create('tracker', { protocol: 2, autoResubscribe: false });
    this.trackers.add(client);
    client.once('end', () => this.trackers.delete(client));
    return client;
  }

  /** Closes every client, then the private server. Safe to call twice. */
  close(): Promise<void> {
    this.closing ??= this.closeAll();
    return this.closing;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.close();
  }

  private async closeAll(): Promise<void> {
    for (const client of [...this.clients.values(), ...this.trackers]) client.disconnect(); // quit() rejects when Redis is away
    await this.embedded?.stop();
  }

  private create(name: string, extra: RedisOptions): Redis {
    if (this.mode === 'off') throw new TypeError('Redis is off: look at `mode` before asking for a client');
    const options: RedisOptions = {
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      enableReadyCheck: true,
      lazyConnect: true,
      commandTimeout: this.config.commandTimeoutMs,
      socketTimeout: 2 * this.config.commandTimeoutMs,
      connectTimeout: this.config.connectTimeoutMs,
      keepAlive: 10_000,
      retryStrategy: retryDelayMs,
      disableClientInfo: true, // CLIENT SETINFO came with Redis 7.2
      connectionName: `sutazai-${name}`,
      ...extra,
    };
    const client = this.embedded
      ? new Redis({ ...options, path: this.embedded.socketPath })
      : new Redis(this.config.url ?? '', options);
    this.watch(client, name);
    return client;
  }

  /** One line for each change of state. Only the message of an error is logged: its `command` may hold a password. */
  private watch(client: Redis, name: string): void {
    let state: 'new' | 'up' | 'down' = 'new';
    client.on('ready', () => {
      if (state === 'down') this.log.log(`connection "${name}" to ${this.address()} is back`);
      state = 'up';
    });
    let reason = 'closed';
    client.on('error', (error: Error) => (reason = error.message));
    // Not `close`: a connection that was closed on purpose is not lost.
    client.on('reconnecting', () => {
      if (state === 'down') return;
      state = 'down';
      this.log.warn(`connection "${name}" to ${this.address()} is lost (${reason}); trying again`);
      reason = 'closed';
    });
  }
}

/** Delay before attempt `attempt` (from 1): doubles from 50 ms to 2 s, up to a fifth taken off so that clients do not come together. */
export function retryDelayMs(attempt: number): number {
  const fullMs = Math.min(25 * 2 ** Math.min(attempt, 10), maxRetryDelayMs);
  return Math.round(fullMs * (1 - 0.2 * Math.random()));
}
