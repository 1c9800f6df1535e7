import { namespaceToken, type Gate } from '../core';
import type { RedisClients } from './clients';
import { withScripts, type KeyCommands } from './redis-commands';
import { RedisNode } from './redis-node';
import type { Topology, TopologyOptions } from './topology';

/** One node that has everything: a Redis, or whichever master a Sentinel leads to. */
export class SingleTopology implements Topology {
  readonly reads: KeyCommands;
  readonly writes: KeyCommands;
  readonly #node: RedisNode;

  constructor(clients: RedisClients, options: TopologyOptions) {
    const { keys, listener } = options;
    const [reads, writes] = [clients.data('reads'), clients.data('writes')];
    this.reads = withScripts(reads);
    this.writes = writes === reads ? this.reads : withScripts(writes);
    this.#node = new RedisNode({
      ...options,
      clients: { reads, writes, tracker: clients.tracker(), durable: () => clients.data('durable') },
      hashTag: () => '',
      owner: {
        keyChanged: encoded => listener.keyChanged(encoded),
        tokenChanged: token => listener.tokenChanged(token),
        flush: reason => listener.flush(reason),
        canaryHeard: lagMs => listener.canaryHeard?.(lagMs),
        operationEnded: (...of) => listener.operationEnded?.(...of),
        clearNamespace: () => writes.unlink(keys.token(namespaceToken)),
        beforeReads: (_node, sameServer) => listener.beforeReads(sameServer, undefined),
        nodeChanged: () => listener.changed(),
        // L1 hides its use from eviction's eyes.
        withCanary: () => reads.touch(keys.token(namespaceToken)),
      },
    });
  }

  slotOf(): number {
    return 0;
  }

  nodeOf(): RedisNode {
    return this.#node;
  }

  nodes(): readonly RedisNode[] {
    return [this.#node];
  }

  gateOf(): Gate {
    return this.#node.tracker;
  }

  look(): Promise<{ version: number; settled: boolean }> {
    return Promise.resolve({ version: 0, settled: true });
  }

  open(): void {
    this.#node.open();
  }

  opened(): Promise<void> {
    return this.#node.opened();
  }

  close(): Promise<void> {
    return this.#node.close();
  }
}
