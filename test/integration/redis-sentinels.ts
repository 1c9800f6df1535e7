import { eventually } from './cache-node';
import { RedisProcess } from './redis-process';

const name = 'mymaster';

/** A master, a replica, and three Sentinels that watch them: after a second without an answer a master counts as down. */
export class RedisSentinels {
  private constructor(
    readonly servers: RedisProcess[],
    readonly sentinels: RedisProcess[],
  ) {}

  static async start(): Promise<RedisSentinels> {
    const group = new RedisSentinels([], []);
    try {
      const master = await RedisProcess.server({ 'repl-diskless-sync-delay': 0 });
      group.servers.push(master);
      group.servers.push(
        await RedisProcess.server({ replicaof: `127.0.0.1 ${master.port}`, 'repl-diskless-sync-delay': 0 }),
      );
      for (let n = 0; n < 3; n += 1) {
        group.sentinels.push(
          await RedisProcess.sentinel(
            [
              `sentinel monitor ${name} 127.0.0.1 ${master.port} 2`,
              `sentinel down-after-milliseconds ${name} 1000`,
              `sentinel failover-timeout ${name} 5000`,
            ].join('\n'),
          ),
        );
      }
      await group.settled();
      return group;
    } catch (error) {
      await group.stop();
      throw error;
    }
  }

  get url(): string {
    return `redis+sentinel://${this.sentinels.map(sentinel => sentinel.address).join(',')}/${name}`;
  }

  /** Waits until the Sentinels know each other and the replica, and the replica has everything. */
  async settled(): Promise<void> {
    await eventually(async () => {
      const views = await Promise.all(this.sentinels.map(sentinel => this.#view(sentinel)));
      const knowAll = views.every(
        view =>
          view.get('num-other-sentinels') === '2' &&
          view.get('num-slaves') === '1' &&
          view.get('flags') === 'master',
      );
      const isSynced = await Promise.all(this.servers.map(server => server.admin().info('replication')));
      return knowAll && isSynced.some(text => /role:slave/.test(text) && /master_link_status:up/.test(text));
    }, 30_000);
  }

  /** The master, as the first Sentinel says. */
  async master(): Promise<RedisProcess> {
    const port = Number((await this.#view(this.sentinels[0]!)).get('port'));
    return this.servers.find(server => server.port === port)!;
  }

  async replica(): Promise<RedisProcess> {
    const master = await this.master();
    return this.servers.find(server => server !== master)!;
  }

  /** Has the replica made master while the master lives. */
  async failOver(): Promise<void> {
    await this.sentinels[0]!.admin().call('SENTINEL', 'FAILOVER', name);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.sentinels, ...this.servers].map(one => one.stop()));
  }

  async #view(sentinel: RedisProcess): Promise<Map<string, string>> {
    const reply = (await sentinel.admin().call('SENTINEL', 'MASTER', name)) as
      string[] | Record<string, string>;
    if (!Array.isArray(reply)) return new Map(Object.entries(reply));
    return new Map(Array.from({ length: reply.length / 2 }, (_, n) => [reply[2 * n]!, reply[2 * n + 1]!]));
  }
}
