import { slotOf } from '../../src/cache/redis/slots';
import { eventually } from './cache-node';
import { redisCli, RedisProcess } from './redis-process';

/** A Redis Cluster of a test: three masters, and replicas where they are asked for. */
export class RedisCluster {
  private constructor(readonly nodes: RedisProcess[]) {}

  static async start({
    replicas = 0,
    settings = {},
  }: { replicas?: 0 | 1; settings?: Record<string, string> } = {}) {
    const cluster = new RedisCluster([]);
    try {
      const count = 3 * (1 + replicas);
      for (let n = 0; n < count; n += 1) await cluster.add(settings);
      redisCli(
        '--cluster',
        'create',
        ...cluster.nodes.map(node => node.address),
        '--cluster-replicas',
        String(replicas),
        '--cluster-yes',
      );
      await cluster.settled(count);
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  get url(): string {
    return `redis+cluster://${this.nodes.map(node => node.address).join(',')}`;
  }

  /** Starts one more node, which knows nobody yet. */
  async add(settings: Record<string, string> = {}): Promise<RedisProcess> {
    const node = await RedisProcess.server({
      'cluster-enabled': 'yes',
      'cluster-config-file': 'nodes.conf',
      'cluster-node-timeout': 2_000,
      'cluster-allow-replica-migration': 'no',
      'repl-diskless-sync-delay': 0,
      ...settings,
    });
    this.nodes.push(node);
    return node;
  }

  /**
   * Waits until every node says that all is well, and knows so many nodes, each by the name that it gives itself: one of which
   * another has only been told is counted at once, and commands that name it are refused for a while. Replicas have everything.
   */
  async settled(count = this.nodes.length): Promise<void> {
    await eventually(async () => {
      const links = await Promise.all(this.nodes.map(node => node.admin().info('replication')));
      if (links.some(text => /master_link_status:down/.test(text))) return false;
      const infos = await Promise.all(this.nodes.map(node => node.admin().cluster('INFO')));
      const areWell = infos.every(
        info =>
          /cluster_state:ok/.test(String(info)) && String(info).includes(`cluster_known_nodes:${count}`),
      );
      const lists = await Promise.all(this.nodes.map(node => node.admin().cluster('NODES')));
      return areWell && !lists.some(list => /handshake|noaddr/.test(String(list)));
    }, 30_000);
  }

  /** The node that has the slot of a hash tag, as the nodes themselves say. */
  async ownerOf(hashTag: string): Promise<RedisProcess> {
    const slot = slotOf(hashTag);
    for (const node of this.nodes) {
      const slots = await node.admin().cluster('SLOTS');
      const range = slots.find(([from, to]) => from <= slot && slot <= to);
      const owner = this.nodes.find(one => one.port === range?.[2]?.[1]);
      if (owner) return owner;
    }
    throw new Error(`nobody has slot ${slot}`);
  }

  async idOf(node: RedisProcess): Promise<string> {
    return String(await node.admin().cluster('MYID'));
  }

  /** A hash tag (or key) beginning so, of this node. */
  async nameOn(node: RedisProcess, head: string): Promise<string> {
    for (let n = 0; ; n += 1) if ((await this.ownerOf(`${head}${n}`)) === node) return `${head}${n}`;
  }

  /** Marks a slot as moving from one node to the other, as a resharding begins. */
  async beginMoving(slot: number, from: RedisProcess, to: RedisProcess): Promise<void> {
    await to.admin().cluster('SETSLOT', slot, 'IMPORTING', await this.idOf(from));
    await from.admin().cluster('SETSLOT', slot, 'MIGRATING', await this.idOf(to));
  }

  /** Moves the keys that the slot has now. */
  async moveKeys(slot: number, from: RedisProcess, to: RedisProcess): Promise<number> {
    const keys = await from.admin().cluster('GETKEYSINSLOT', slot, 1_000);
    if (keys.length > 0) {
      await from.admin().migrate('127.0.0.1', to.port, '', 0, 5_000, 'REPLACE', 'KEYS', ...keys);
    }
    return keys.length;
  }

  /** Gives the slot to the other node for good. */
  async endMoving(slot: number, to: RedisProcess): Promise<void> {
    const id = await this.idOf(to);
    await to.admin().cluster('SETSLOT', slot, 'NODE', id);
    for (const node of this.nodes) if (node !== to) await node.admin().cluster('SETSLOT', slot, 'NODE', id);
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map(node => node.stop()));
  }
}
