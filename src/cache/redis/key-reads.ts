import { RemoteUnavailableError, type EntryReceiver } from '../core';
import { isOfOtherType, isUnsettled } from './breaker';
import { bySlot } from './slots';
import type { Topology } from './topology';
import { TurnBatch } from './turn-batch';

interface KeyToRead {
  slot: number;
  redisKey: string;
}

/** Reads of keys, wherever they are: those of one slot and one turn of the event loop share an MGET, one alone is a GET; the slots go out at once. */
export class KeyReads {
  readonly #batches = new Map<number, TurnBatch<Buffer | null>>();

  constructor(private readonly topology: Topology) {}

  /** One of them alone, of which nobody else asks in this turn. */
  look(slot: number, redisKey: string, receiver: EntryReceiver): void {
    this.#batchOf(slot).askOne(redisKey, receiver);
  }

  async read(keys: readonly KeyToRead[]): Promise<(Buffer | undefined)[]> {
    const values = new Map<string, Buffer | undefined>();
    const read = async ([slot, ofSlot]: readonly [number, KeyToRead[]]): Promise<void> => {
      const found = await this.#batchOf(slot).ask(ofSlot.map(key => key.redisKey));
      ofSlot.forEach((key, at) => values.set(key.redisKey, found[at] ?? undefined));
    };
    await Promise.all([...bySlot(keys, key => key.slot)].map(read));
    return keys.map(key => values.get(key.redisKey));
  }

  #batchOf(slot: number): TurnBatch<Buffer | null> {
    let batch = this.#batches.get(slot);
    if (!batch) this.#batches.set(slot, (batch = new TurnBatch(keys => this.#read(slot, keys))));
    return batch;
  }

  async #read(slot: number, keys: string[]): Promise<(Buffer | null)[]> {
    if (keys.length === 1) return [await this.#get(slot, keys[0]!)];
    const { topology } = this;
    try {
      return await topology.nodeOf(slot).call('read', () => topology.reads.mgetBuffer(...keys));
    } catch (error) {
      // The slot is moving and the keys stand on two nodes: each alone is found.
      if (!(error instanceof RemoteUnavailableError) || !isUnsettled(error.cause)) throw error;
      return Promise.all(keys.map(key => this.#get(slot, key)));
    }
  }

  async #get(slot: number, key: string): Promise<Buffer | null> {
    const { topology } = this;
    try {
      return await topology.nodeOf(slot).call('read', () => topology.reads.getBuffer(key));
    } catch (error) {
      // Something other than a string: MGET, too, finds nothing there.
      if (error instanceof RemoteUnavailableError && isOfOtherType(error.cause)) return null;
      throw error;
    }
  }
}
