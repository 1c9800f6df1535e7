import type { Eviction } from './eviction';
import { fingerprintOf, Ghost } from './ghost';
import { SlotQueue } from './slot-queue';
import { none, type Slots } from './slots';

const small = 0;
const main = 1;
const smallShare = 0.1;
const maxUses = 3;

/**
 * S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP '23). New entries enter a small queue, a tenth
 * of the room. One that leaves it without having been used goes, and only its fingerprint is remembered; one that was used,
 * or that comes back while it is remembered, enters the main queue. There an entry that was used goes round again. Most keys
 * of real traces are asked for once: they pass through the small queue and push out nothing that matters. A use only counts
 * up to three: no list is touched by a hit.
 */
export class S3Fifo implements Eviction {
  readonly #small: SlotQueue;
  readonly #main: SlotQueue;
  readonly #ghost: Ghost;
  readonly #maxMain: number;
  readonly #maxMainBytes: number;

  constructor(
    private readonly slots: Slots<unknown>,
    maxEntries: number,
    maxBytes: number,
  ) {
    this.#small = new SlotQueue(slots, small);
    this.#main = new SlotQueue(slots, main);
    this.#ghost = new Ghost(maxEntries);
    this.#maxMain = maxEntries - Math.max(1, Math.floor(maxEntries * smallShare));
    this.#maxMainBytes = maxBytes * (1 - smallShare);
  }

  add(slot: number): void {
    const isBack = this.#ghost.recall(fingerprintOf(this.slots.keyAt(slot)));
    (isBack ? this.#main : this.#small).push(slot);
  }

  use(slot: number): void {
    const { uses } = this.slots;
    if (uses[slot]! < maxUses) uses[slot]! += 1;
  }

  remove(slot: number): void {
    this.#queueOf(slot).remove(slot);
  }

  restore(slot: number): void {
    this.#queueOf(slot).push(slot);
  }

  evict(): number {
    for (;;) {
      const mainIsFull = this.#main.length > this.#maxMain || this.#main.bytes > this.#maxMainBytes;
      const slot = mainIsFull || this.#small.length === 0 ? this.#evictFromMain() : this.#evictFromSmall();
      if (slot !== none) return slot;
    }
  }

  clear(): void {
    this.#small.clear();
    this.#main.clear();
    this.#ghost.clear();
  }

  /** `none` when all that was there has moved on to the main queue. */
  #evictFromSmall(): number {
    const { uses } = this.slots;
    for (let slot = this.#small.tail; slot !== none; slot = this.#small.tail) {
      this.#small.remove(slot);
      if (uses[slot] === 0) {
        this.#ghost.remember(fingerprintOf(this.slots.keyAt(slot)));
        return slot;
      }
      uses[slot] = 0;
      this.#main.push(slot);
    }
    return none;
  }

  /** Each round takes one from the uses of an entry, so that it ends. */
  #evictFromMain(): number {
    const { uses } = this.slots;
    for (;;) {
      const slot = this.#main.tail;
      this.#main.remove(slot);
      if (uses[slot] === 0) return slot;
      uses[slot]! -= 1;
      this.#main.push(slot);
    }
  }

  #queueOf(slot: number): SlotQueue {
    return this.slots.queue[slot] === small ? this.#small : this.#main;
  }
}
