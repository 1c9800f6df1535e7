import type { Clock, CoherenceListener, Gate, GateStatus, Hash, NamePart, RemoteStatus } from '../core';
import type { RedisBreaker } from './breaker';
import type { RedisNode } from './redis-node';
import type { KeyCommands } from './redis-commands';
import type { RedisKeys } from './redis-keys';

/** The nodes of the shared tier, and which of them has what. A single Redis, or the master of a Sentinel, is the case of one node. */
export interface Topology {
  /** Where commands for a key go; whoever has the key is found there. */
  readonly reads: KeyCommands;
  readonly writes: KeyCommands;
  /** Names of one slot stand on one node, and may go into one command. Takes what `hashTagOf` gives. */
  slotOf(hashTag: string): number;
  /** @throws RemoteUnavailableError when nobody has the slot */
  nodeOf(slot: number): RedisNode;
  nodes(): readonly RedisNode[];
  gateOf(slot: number): Gate;
  /**
   * Asks who has what. The answer differs from the last one when a slot has another owner, and `settled` is false while
   * keys are on their way from one node to another.
   */
  look(): Promise<{ version: number; settled: boolean }>;
  open(): void;
  /** Resolves when the first attempt to attach has succeeded or failed. */
  opened(): Promise<void>;
  close(): Promise<void>;
}

/** What the nodes of a topology have in common. */
export interface TopologyOptions {
  keys: RedisKeys;
  instance: string;
  clock: Clock;
  hash: Hash;
  listener: TopologyListener;
  heartbeatMs: number;
  maxL1StalenessMs: number;
  commandTimeoutMs: number;
}

export interface TopologyListener extends CoherenceListener {
  /** Makes again what a node may not have heard of; `part` is what it has. */
  beforeReads(sameServer: boolean, part: NamePart | undefined): Promise<void>;
  /** A node came, went, or its breaker changed state. */
  changed(): void;
}

const breakers = ['closed', 'half-open', 'open'] as const;

/** All nodes as one: up while one of them can be used; the worst breaker; what is wrong with those that cannot. */
export function statusOf(nodes: readonly RedisNode[], whenNone: string): RemoteStatus {
  const all = nodes.map(node => node.status());
  const breaker = breakers[Math.max(0, ...all.map(status => breakers.indexOf(status.breaker)))]!;
  const down = nodes.filter(node => !node.usable);
  const reasons = down.map(node => `${node.address} ${node.status().reason ?? ''}`.trim());
  if (nodes.length === 0) return { state: 'down', breaker, reason: whenNone };
  if (down.length === 0) return { state: 'up', breaker };
  if (nodes.length === 1) return { state: 'down', breaker, reason: reasons[0]! };
  const reason = `${down.length} of ${nodes.length} nodes away: ${reasons.join(', ')}`;
  return { state: down.length < nodes.length ? 'up' : 'down', breaker, reason };
}

/** All gates as one: open while all are; the greatest age and lag; why a node that answers is not heard. */
export function gateStatusOf(nodes: readonly RedisNode[]): GateStatus {
  const all = nodes.map(node => node.gateStatus());
  const reason = deafnessOf(nodes);
  const worst = (read: (gate: GateStatus) => number | null): number | null => {
    const values = all.map(read);
    return values.length === 0 || values.includes(null) ? null : Math.max(...(values as number[]));
  };
  return {
    open: all.length > 0 && all.every(gate => gate.open),
    ageMs: worst(gate => gate.ageMs),
    lagMs: worst(gate => gate.lagMs),
    armings: all.reduce((sum, gate) => sum + (gate.armings ?? 0), 0),
    ...(reason !== undefined && { reason }),
  };
}

/** Why nodes that answer are not heard. */
export function deafnessOf(nodes: readonly RedisNode[]): string | undefined {
  const reasons = nodes.flatMap(node => {
    const { reason } = node.gateStatus();
    return reason === undefined ? [] : [node.address === '' ? reason : `${node.address}: ${reason}`];
  });
  return reasons.length === 0 ? undefined : reasons.join(', ');
}

/**
 * The breakers by name: `redis`, and in a Cluster `redis-1`, `redis-2` … in the order of the nodes' addresses. Whoever may
 * see the names need not learn the addresses.
 */
export function namedBreakers(nodes: readonly RedisNode[]): ReadonlyMap<string, RedisBreaker> {
  const sorted = [...nodes].sort((one, other) => (one.address < other.address ? -1 : 1));
  return new Map(
    sorted.map(({ address, breaker }, at) => [address === '' ? 'redis' : `redis-${at + 1}`, breaker]),
  );
}
