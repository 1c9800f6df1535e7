import { slotCount } from './slots';

/** One master in the eyes of a node. */
interface SeenMaster {
  id: string;
  /** `host:port`. */
  address: string;
  isSelf: boolean;
  /** Of two that claim a slot, the one with the higher epoch has it. */
  epoch: number;
  ranges: readonly (readonly [from: number, to: number])[];
}

/** What one node says about the cluster: the reply of CLUSTER NODES. */
export interface ClusterView {
  /** Address of the node that says so. */
  self: string;
  masters: readonly SeenMaster[];
  /** Slots that this node is giving to another, or is being given: the address of the other one. */
  moving: ReadonlyMap<number, string>;
  /** Equal as long as nothing of the above changes. */
  signature: string;
}

/** Who owns which slot, put together from what the nodes say. */
export interface ClusterMap {
  /** Address of the owner of each slot; undefined when nobody claims it. */
  owners: readonly (string | undefined)[];
  /** Owners of at least one slot. */
  masters: ReadonlySet<string>;
  /** Slots between two nodes: a key of theirs stands on either. */
  moving: ReadonlyMap<number, readonly [string, string]>;
  digest: string;
}

/** Reads the reply of CLUSTER NODES. `askedHost` stands for a node that does not know its own address yet. */
export function parseClusterView(text: string, askedHost: string): ClusterView {
  const addresses = new Map<string, string>();
  const moves: [slot: number, id: string][] = [];
  const masters: SeenMaster[] = [];
  let self = '';
  for (const line of text.split('\n')) {
    const [id, where, flags, , , , epoch, , ...slots] = line.trim().split(' ');
    if (id === undefined || where === undefined || flags === undefined || epoch === undefined) continue;
    const roles = flags.split(',');
    const isSelf = roles.includes('myself');
    const address = addressOf(where, isSelf ? askedHost : undefined);
    if (address === undefined) continue;
    addresses.set(id, address);
    if (isSelf) self = address;
    const ranges: [number, number][] = [];
    for (const slot of slots) {
      const move = /^\[(\d+)-[<>]-(\w+)\]$/.exec(slot);
      if (move) moves.push([Number(move[1]), move[2]!]);
      else ranges.push(rangeOf(slot));
    }
    if (roles.includes('master') && ranges.length > 0)
      masters.push({ id, address, isSelf, epoch: Number(epoch), ranges });
  }
  const moving = new Map<number, string>();
  for (const [slot, id] of moves) {
    const other = addresses.get(id);
    if (other !== undefined) moving.set(slot, other);
  }
  const lines = masters.map(master => `${master.address} ${master.epoch} ${master.ranges.join(' ')}`).sort();
  return { self, masters, moving, signature: [self, ...lines, ...[...moving].join(' ')].join('\n') };
}

/**
 * One map from several views. A node that has given a slot away knows so first, and who has it now has the higher epoch; what
 * a node says of itself counts before what others say of it. One that has no slot any more is not asked again: what it last
 * said, that its slot is moving, would hold for ever.
 */
export function mergeViews(views: readonly ClusterView[]): ClusterMap {
  const owners = Array<string | undefined>(slotCount).fill(undefined);
  const ranks = new Float64Array(slotCount).fill(-1);
  const moving = new Map<number, readonly [string, string]>();
  for (const view of views) {
    for (const { address, epoch, isSelf, ranges } of view.masters) {
      const rank = 2 * epoch + (isSelf ? 1 : 0);
      for (const [from, to] of ranges) {
        for (let slot = from; slot <= to; slot += 1) {
          if (rank <= ranks[slot]!) continue;
          ranks[slot] = rank;
          owners[slot] = address;
        }
      }
    }
  }
  const masters = new Set(owners.filter(owner => owner !== undefined));
  for (const view of views) {
    if (!masters.has(view.self)) continue;
    for (const [slot, other] of view.moving) moving.set(slot, [view.self, other]);
  }
  return { owners, masters, moving, digest: digestOf(owners, moving) };
}

function digestOf(
  owners: readonly (string | undefined)[],
  moving: ReadonlyMap<number, readonly [string, string]>,
): string {
  const changes: string[] = [];
  owners.forEach((owner, slot) => {
    if (slot === 0 || owner !== owners[slot - 1]) changes.push(`${slot} ${owner ?? '-'}`);
  });
  const moves = [...moving].map(([slot, nodes]) => `${slot} ${[...nodes].sort().join(' ')}`).sort();
  return [...changes, ...moves].join('\n');
}

/** `ip:port@busPort[,hostname]`; undefined for a node without an address. */
function addressOf(text: string, ownHost: string | undefined): string | undefined {
  const at = /^(.*):(\d+)(@|$)/.exec(text.split(',')[0]!);
  if (!at || at[2] === '0') return undefined;
  const host = at[1] === '' ? ownHost : at[1];
  return host === undefined ? undefined : `${host}:${at[2]}`;
}

function rangeOf(text: string): [number, number] {
  const [from, to] = text.split('-');
  return [Number(from), Number(to ?? from)];
}
