import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { join } from 'node:path';
import type { AppConfig } from '../config/app-config';
import { configFolder } from '../config/load-config';
import { redisTarget, type RedisAddress, type RedisTarget } from '../config/redis-url';
import { clientOptions, clusterOptions, sentinelOptions, trackerOptions } from './client-options';
import { EmbeddedRedis } from './embedded-redis';

export type RedisMode = 'url' | 'embedded' | 'off';

/** Makes clients for a Redis Cluster: of the whole, which find the node of each key, and of one node. */
export interface ClusterConnections {
  /** One a purpose for the life of the application. */
  keys(purpose: string): Cluster;
  /** A fresh one, not yet connecting. */
  node(address: RedisAddress, purpose: string): Redis;
  /** A fresh one, not yet connecting. */
  tracker(address: RedisAddress): Redis;
}

/** The clients of the one Redis: a server, the master that Sentinels lead to, or a Cluster. */
export class RedisConnections implements OnApplicationShutdown {
  /** Present when `REDIS_URL` names a Cluster: then there is no single client for data or tracking. */
  readonly cluster: ClusterConnections | undefined;
  private readonly log = new Logger('Redis');
  private readonly target: RedisTarget | undefined;
  private readonly clients = new Map<string, Redis>();
  private readonly clusters = new Map<string, Cluster>();
  private readonly fresh = new Set<Redis>();
  private closing: Promise<void> | undefined;

  private constructor(
    private readonly config: AppConfig['redis'],
    /** `url`: what `REDIS_URL` names. `embedded`: a private child. `off`: none, and no client can be made. */
    readonly mode: RedisMode,
    private readonly embedded: EmbeddedRedis | undefined,
  ) {
    this.target = config.url === undefined ? undefined : redisTarget(config.url);
    const { target } = this;
    if (target?.kind !== 'cluster') return;
    this.cluster = {
      keys: purpose => this.keys(target, purpose),
      node: (address, purpose) => this.node(target, address, purpose, {}),
      tracker: address => this.node(target, address, 'tracker', trackerOptions),
    };
  }

  /** Starts the private server when no address is configured. Never fails: without a program the mode is `off`. */
  static async open(config: AppConfig['redis']): Promise<RedisConnections> {
    if (config.mode !== 'embedded') return new RedisConnections(config, config.mode, undefined);
    const embedded = await EmbeddedRedis.start(join(configFolder, 'redis.conf'));
    return new RedisConnections(config, embedded ? 'embedded' : 'off', embedded);
  }

  /** What runs and what to set for the real thing, in one line without secrets. */
  describe(): string {
    if (this.mode === 'url') return `Redis${this.kind()} at ${this.address()}`;
    if (this.mode === 'embedded')
      return 'a private redis-server of this process; set REDIS_URL to share one between instances';
    return this.config.mode === 'off'
      ? 'off (REDIS_URL=off): the cache lives in the memory of this process alone'
      : 'none: redis-server is not installed, so the cache lives in memory alone; install it or set REDIS_URL';
  }

  /** Host and port, those of the Sentinels or of a Cluster's first nodes, or the path of the socket; never a user or a password. */
  address(): string {
    if (this.embedded) return this.embedded.socketPath;
    const { target } = this;
    if (!target) return 'none';
    if (target.kind !== 'single') {
      const addresses = target.kind === 'sentinel' ? target.sentinels : target.seeds;
      return addresses.map(({ host, port }) => `${host}:${port}`).join(', ');
    }
    const { hostname, port } = new URL(target.url);
    return `${hostname}:${port || '6379'}`;
  }

  /**
   * The client for a purpose, connecting in the background; one per purpose for the life of the application. Commands
   * wait behind each other on one connection, so what may be held up for long takes a purpose of its own.
   * @throws TypeError when the mode is `off`, or when it is a Cluster
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
   * A fresh client for tracking, not yet connecting.
   * @throws TypeError when the mode is `off`, or when it is a Cluster
   */
  tracker(): Redis {
    return this.remember(this.create('tracker', trackerOptions));
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
    // quit() rejects when Redis is away, and disconnect() of what is closed already waits two seconds for a socket.
    const clients = [...this.clients.values(), ...this.clusters.values(), ...this.fresh];
    for (const client of clients) if (client.status !== 'end') client.disconnect();
    await this.embedded?.stop();
  }

  private create(name: string, extra: RedisOptions): Redis {
    if (this.mode === 'off') throw new TypeError('Redis is off: look at `mode` before asking for a client');
    const options = { ...clientOptions(this.config, name), ...extra };
    return this.watch(this.connect(options), name);
  }

  private connect(options: RedisOptions): Redis {
    if (this.embedded) return new Redis({ ...options, path: this.embedded.socketPath });
    const { target } = this;
    if (target?.kind === 'cluster') throw new TypeError('Redis is a Cluster: ask `cluster` for clients');
    if (target?.kind !== 'sentinel') return new Redis(target?.url ?? '', options);
    const { sentinels, name } = target;
    return new Redis({ ...options, ...sentinelOptions(this.config), ...loginOf(target), sentinels, name });
  }

  private keys(target: RedisTarget & { kind: 'cluster' }, purpose: string): Cluster {
    const known = this.clusters.get(purpose);
    if (known) return known;
    const options = clusterOptions(this.config, purpose);
    const client = new Cluster(target.seeds, {
      ...options,
      redisOptions: { ...options.redisOptions, ...loginOf(target) },
    });
    this.clusters.set(purpose, this.watch(client, purpose));
    return client;
  }

  private node(
    target: RedisTarget & { kind: 'cluster' },
    address: RedisAddress,
    purpose: string,
    extra: RedisOptions,
  ): Redis {
    const options = { ...clientOptions(this.config, purpose), ...loginOf(target), ...extra, ...address };
    return this.remember(this.watch(new Redis(options), `${purpose} of ${address.host}:${address.port}`));
  }

  private remember(client: Redis): Redis {
    this.fresh.add(client);
    client.once('end', () => this.fresh.delete(client));
    return client;
  }

  private kind(): string {
    const { target } = this;
    if (target?.kind === 'sentinel') return ` Sentinel (master ${target.name})`;
    return target?.kind === 'cluster' ? ' Cluster' : '';
  }

  /** One line for each change of state. Only the message of an error is logged: its `command` may hold a password. */
  private watch<C extends Redis | Cluster>(client: C, name: string): C {
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
    return client;
  }
}

function loginOf({ user, password }: { user?: string; password?: string }): RedisOptions {
  return { ...(user !== undefined && { username: user }), ...(password !== undefined && { password }) };
}
