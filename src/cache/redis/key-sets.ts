import { RemoteUnavailableError, type RemoteEntry, type SetResult } from '../core';
import { hashTagOf, type RedisKeys } from './redis-keys';
import { bySlot } from './slots';
import type { Topology } from './topology';

/** One command stores so much at most: the server does nothing else meanwhile, and works on it while the next is being sent. */
const entriesPerCommand = 32;
const bytesPerCommand = 256 * 1_024;

const results: Readonly<Record<number, SetResult>> = { 1: 'stored', [-1]: 'late', [-2]: 'older' };

/** Stores entries that are set and not loaded: those of one slot in few commands, each of which does for every key what it would for one. */
export class KeySets {
  constructor(
    private readonly topology: Topology,
    private readonly keys: RedisKeys,
    private readonly commandTimeoutMs: number,
  ) {}

  /** What became of each. @throws RemoteUnavailableError when none of the commands could be made */
  async make(entries: readonly RemoteEntry[], version: number): Promise<SetResult[]> {
    const outcomes = new Map<RemoteEntry, SetResult>();
    let failure: RemoteUnavailableError | undefined;
    const make = async (slot: number, part: readonly RemoteEntry[]): Promise<void> => {
      try {
        const replies = await this.#send(slot, part, version);
        part.forEach((entry, at) => outcomes.set(entry, results[replies[at]!]!));
      } catch (error) {
        if (!(error instanceof RemoteUnavailableError)) throw error;
        failure = error;
      }
    };
    const slotOf = ({ key }: RemoteEntry): number => this.topology.slotOf(hashTagOf(key.encoded));
    const bySlots = [...bySlot(entries, slotOf)];
    await Promise.all(bySlots.flatMap(([slot, some]) => partsOf(some).map(part => make(slot, part))));
    if (failure !== undefined && outcomes.size === 0) throw failure;
    return entries.map(entry => outcomes.get(entry) ?? 'unknown');
  }

  async #send(slot: number, part: readonly RemoteEntry[], version: number): Promise<number[]> {
    const node = this.topology.nodeOf(slot);
    const deadlineMs = Math.floor(node.time.earliestMs() + this.commandTimeoutMs);
    const names: string[] = [];
    const args: (string | number | Buffer)[] = [deadlineMs, version];
    for (const { key, entry, ttlMs } of part) {
      names.push(...this.keys.ofKey(key.encoded));
      args.push(key.tracked ? 1 : 2, bufferOf(entry.head), bufferOf(entry.tail), ttlMs);
    }
    return node.call('set', () => this.topology.writes.cacheSetd(names.length, ...names, ...args));
  }
}

/** In the order given, none of them with more entries, or with more bytes unless it is of one, than a command takes. */
function partsOf(entries: readonly RemoteEntry[]): RemoteEntry[][] {
  const parts: RemoteEntry[][] = [];
  let bytes = Infinity;
  for (const one of entries) {
    const size = one.entry.head.length + one.entry.tail.length;
    const last = parts.at(-1);
    if (last && last.length < entriesPerCommand && bytes + size <= bytesPerCommand) last.push(one);
    else {
      parts.push([one]);
      bytes = 0;
    }
    bytes += size;
  }
  return parts;
}

export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
