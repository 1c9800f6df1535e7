import { RemoteUnavailableError, type RemoteEntry, type SetResult } from '../core';
import { hashTagOf, type RedisKeys } from './redis-keys';
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

  /** What became of each, in their order. @throws RemoteUnavailableError when none of the commands could be made */
  async make(entries: Iterable<RemoteEntry>, version: number): Promise<SetResult[]> {
    const outcomes: SetResult[] = [];
    let failure: RemoteUnavailableError | undefined;
    let made = 0;
    const make = async ({ slot, entries: some, from }: Part): Promise<void> => {
      try {
        const replies = await this.#send(slot, some, version);
        made += 1;
        replies.forEach((reply, at) => (outcomes[from[at]!] = results[reply]!));
      } catch (error) {
        if (!(error instanceof RemoteUnavailableError)) throw error;
        failure = error;
      }
    };
    const sent: Promise<void>[] = [];
    const filling = new Map<number, Part>();
    for (const one of entries) {
      const slot = this.topology.slotOf(hashTagOf(one.key.encoded));
      let part = filling.get(slot);
      if (part && !hasRoom(part, one)) sent.push(make(part));
      if (!part || !hasRoom(part, one)) filling.set(slot, (part = { slot, entries: [], from: [], bytes: 0 }));
      part.entries.push(one);
      part.bytes += one.entry.length;
      part.from.push(outcomes.push('unknown') - 1);
    }
    for (const part of filling.values()) sent.push(make(part));
    await Promise.all(sent);
    if (failure !== undefined && made === 0) throw failure;
    return outcomes;
  }

  async #send(slot: number, part: readonly RemoteEntry[], version: number): Promise<number[]> {
    const node = this.topology.nodeOf(slot);
    const deadlineMs = Math.floor(node.time.earliestMs() + this.commandTimeoutMs);
    const names: string[] = [];
    const args: (string | number | Buffer)[] = [deadlineMs, version];
    for (const { key, entry, ttlMs } of part) {
      names.push(...this.keys.ofKey(key.encoded));
      args.push(key.tracked ? 1 : 2, bufferOf(entry), ttlMs);
    }
    return node.call('set', () => this.topology.writes.cacheSetd(names.length, ...names, ...args));
  }
}

/** Entries of one slot that share a command, and where each stands among all. */
interface Part {
  readonly slot: number;
  readonly entries: RemoteEntry[];
  readonly from: number[];
  bytes: number;
}

function hasRoom({ entries, bytes }: Part, { entry }: RemoteEntry): boolean {
  return entries.length < entriesPerCommand && bytes + entry.length <= bytesPerCommand;
}

export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
