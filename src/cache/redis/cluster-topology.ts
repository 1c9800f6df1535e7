import type { Cluster, Redis } from 'ioredis';
import { namespaceToken, RemoteUnavailableError, type Gate, type NamePart } from '../core';
import { mergeViews, parseClusterView, type ClusterMap, type ClusterView } from './cluster-map';
import { hashTagOf } from './redis-keys';
import { withScripts, type KeyCommands } from './redis-commands';
import { RedisNode, type NodeOwner } from './redis-node';
import type { ClusterClients } from './clients';
import { hashTagWhere, slotCount, slotOf } from './slots';
import type { Topology, TopologyOptions } from './topology';

const nothing: ClusterMap = { owners: [], masters: new Set(), moving: new Map(), digest: '' };

/**
 * The masters of a Redis Cluster. Commands for keys go through clients of the whole Cluster, which follow a key that has
 * moved; each is accounted to the node that owns its slot. With each heartbeat every node says what it owns and which of
 * its slots are moving, before its canary goes out: an open gate therefore also means that this is how it was.
 *
 * What changes is heard from each node for itself. Where a slot has gone to another node, word of its keys may have been
 * missed between the two, so a changed map empties L1.
 */
export class ClusterTopology implements Topology {
  readonly reads: KeyCommands;
  readonly writes: KeyCommands;
  readonly #clients: readonly [reads: Cluster, writes: Cluster];
  readonly #nodes = new Map<string, RedisNode>();
  readonly #views = new Map<string, ClusterView>();
  readonly #gates: (Gate | undefined)[] = Array<undefined>(slotCount).fill(undefined);
  readonly #tags = new Map<string, string>();
  readonly #leaving = new Set<Promise<void>>();
  readonly #opened: Promise<void>;
  #resolveOpened!: () => void;
  #map = nothing;
  #version = 0;
  #closed = false;

  constructor(
    private readonly clusters: ClusterClients,
    private readonly options: TopologyOptions,
  ) {
    const [reads, writes] = [clusters.keys('reads'), clusters.keys('writes')];
    this.#clients = [reads, writes];
    this.reads = withScripts(reads);
    this.writes = withScripts(writes);
    this.#opened = new Promise(resolve => (this.#resolveOpened = resolve));
    reads.on('ready', () => void this.#discover());
    reads.on('+node', () => void this.#discover());
    reads.on('-node', () => void this.#discover());
  }

  slotOf(hashTag: string): number {
    return slotOf(hashTag);
  }

  nodeOf(slot: number): RedisNode {
    const node = this.#ownerOf(slot);
    if (!node) throw new RemoteUnavailableError('no node of the Cluster has this slot');
    return node;
  }

  nodes(): readonly RedisNode[] {
    return [...this.#nodes.values()];
  }

  /** One gate a slot, for good: which node it asks is looked up each time. */
  gateOf(slot: number): Gate {
    return (this.#gates[slot] ??= { isOpen: nowMs => this.#isHeard(slot, nowMs) });
  }

  async look(): Promise<{ version: number; settled: boolean }> {
    await Promise.all(this.nodes().map(node => node.call('cluster', () => this.#ask(node))));
    return { version: this.#version, settled: this.#map.moving.size === 0 };
  }

  open(): void {
    for (const client of this.#clients) {
      if (client.status !== 'wait') continue;
      // It goes on trying by itself; `ready` will tell.
      client.connect().catch(() => this.#resolveOpened());
    }
    if (this.#clients[0].status === 'ready') void this.#discover();
  }

  opened(): Promise<void> {
    return this.#opened;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#resolveOpened();
    await Promise.all([...this.nodes().map(node => node.close()), ...this.#leaving]);
    for (const client of this.#clients) if (client.status !== 'end') client.disconnect();
  }

  #ownerOf(slot: number): RedisNode | undefined {
    const address = this.#map.owners[slot];
    return address === undefined ? undefined : this.#nodes.get(address);
  }

  /** A key of a slot that is moving stands on either of two nodes: both must be heard. */
  #isHeard(slot: number, nowMs: number): boolean {
    if (!(this.#ownerOf(slot)?.tracker.isOpen(nowMs) ?? false)) return false;
    const between = this.#map.moving.get(slot);
    return between?.every(address => this.#nodes.get(address)?.tracker.isOpen(nowMs) ?? false) ?? true;
  }

  /** Asks whichever node answers: at the start, and when nodes come or go. */
  async #discover(): Promise<void> {
    try {
      const [client] = this.#clients;
      const [seed] = client.nodes('master');
      this.#learn((await client.cluster('NODES')) as string, seed?.options.host ?? '');
      await Promise.all(this.nodes().map(node => node.opened()));
    } catch {
      // The Cluster cannot say: who is known already says it with the next heartbeat, and `ready` comes again.
    } finally {
      this.#resolveOpened();
    }
  }

  async #ask(node: RedisNode): Promise<void> {
    this.#learn((await node.reads.cluster('NODES')) as string, hostOf(node.address));
  }

  #learn(text: string, askedHost: string): void {
    const view = parseClusterView(text, askedHost);
    if (this.#closed || this.#views.get(view.self)?.signature === view.signature) return;
    this.#views.set(view.self, view);
    this.#apply(mergeViews([...this.#views.values()]));
  }

  #apply(map: ClusterMap): void {
    if (map.digest === this.#map.digest || map.masters.size === 0) return;
    const isFirst = this.#version === 0;
    this.#map = map;
    this.#version += 1;
    this.#tags.clear();
    for (const [address, node] of this.#nodes) {
      if (map.masters.has(address)) node.tracker.renewCanaries();
      else this.#remove(address, node);
    }
    for (const address of map.masters) if (!this.#nodes.has(address)) this.#add(address);
    if (isFirst) return;
    this.options.listener.flush('topology_changed');
    // Not waited for: until they know, they are told by the nodes (MOVED).
    for (const client of this.#clients) if (client.status === 'ready') client.refreshSlotsCache();
    this.options.listener.changed();
  }

  #add(address: string): void {
    const { clusters, options } = this;
    const at = { host: hostOf(address), port: Number(address.slice(address.lastIndexOf(':') + 1)) };
    const redis = clusters.node(at, 'node');
    const node = new RedisNode({
      ...options,
      address,
      // What is asked of the node itself; commands for keys go through the clients of the Cluster.
      clients: {
        reads: redis,
        writes: redis,
        tracker: clusters.tracker(at),
        durable: () => clusters.node(at, 'durable'),
      },
      hashTag: () => this.#tagOf(address),
      owner: this.#ownerTo(address),
    });
    this.#nodes.set(address, node);
    node.open();
  }

  #remove(address: string, node: RedisNode): void {
    this.#nodes.delete(address);
    this.#views.delete(address);
    const gone = node.close().finally(() => this.#leaving.delete(gone));
    this.#leaving.add(gone);
  }

  #ownerTo(address: string): NodeOwner {
    const { keys, listener } = this.options;
    /** What stands there now, or may. */
    const part: NamePart = name => {
      const slot = slotOf(hashTagOf(name));
      return this.#map.owners[slot] === address || (this.#map.moving.get(slot)?.includes(address) ?? false);
    };
    const namespaceKey = keys.token(namespaceToken);
    return {
      keyChanged: encoded => listener.keyChanged(encoded),
      tokenChanged: token => listener.tokenChanged(token),
      flush: reason => listener.flush(reason, part),
      canaryHeard: lagMs => listener.canaryHeard?.(lagMs),
      operationEnded: (...of) => listener.operationEnded?.(...of),
      clearNamespace: () => this.writes.unlink(namespaceKey),
      beforeReads: async (_node, sameServer) => {
        await this.#connect(address);
        await listener.beforeReads(sameServer, part);
      },
      nodeChanged: node => {
        // What it said is not what it is any more.
        if (!node.usable) this.#views.delete(address);
        listener.changed();
      },
      beforeCanary: async node => void (await Promise.all([this.#ask(node), this.#connect(address)])),
      withCanary: async () => part(namespaceToken) && this.reads.touch(namespaceKey),
    };
  }

  /**
   * Sees to it that commands for keys find a connection to this node that stands: the clients of the Cluster connect at the
   * first command, and refuse those that come while they do.
   */
  async #connect(address: string): Promise<void> {
    const connect = async (client: Cluster): Promise<void> => {
      const isThere = ({ options }: Redis): boolean => `${options.host}:${options.port}` === address;
      const redis = client.nodes('master').find(isThere);
      // One that was lost is forgotten, and comes back with the slots.
      if (!redis && client.status === 'ready') client.refreshSlotsCache();
      if (redis?.status === 'wait') await redis.connect();
      if (redis?.status !== 'ready') throw new Error('CONNECTING a client of the Cluster');
    };
    await Promise.all(this.#clients.map(connect));
  }

  #tagOf(address: string): string {
    let tag = this.#tags.get(address);
    if (tag === undefined) {
      const { owners, moving } = this.#map;
      const isSettled = (slot: number): boolean => owners[slot] === address && !moving.has(slot);
      // Only a node about to leave has no slot that stays: nothing is found under a tag of others.
      tag = hashTagWhere(isSettled) ?? hashTagWhere(slot => owners[slot] === address) ?? '-';
      this.#tags.set(address, tag);
    }
    return tag;
  }
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':'));
}
