import type { Eviction } from './eviction';
import { SlotQueue } from './slot-queue';
import type { Slots } from './slots';

/** Least recently used: one queue, and every use moves its entry to the head. */
export class Lru implements Eviction {
  readonly #queue: SlotQueue;

  constructor(slots: Slots<unknown>) {
    this.#queue = new SlotQueue(slots, 0);
  }

  add(slot: number): void {
    this.#queue.push(slot);
  }

  use(slot: number): void {
    if (this.#queue.head === slot) return;
    this.#queue.remove(slot);
    this.#queue.push(slot);
  }

  remove(slot: number): void {
    this.#queue.remove(slot);
  }

  restore(slot: number): void {
    this.#queue.push(slot);
  }

  evict(): number {
    const slot = this.#queue.tail;
    this.#queue.remove(slot);
    return slot;
  }

  clear(): void {
    this.#queue.clear();
  }
}
