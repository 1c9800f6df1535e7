import { none, type Slots } from './slots';

/** A queue of slots, linked through the slots themselves: in at the head, out at the tail, out of the middle at no cost. */
export class SlotQueue {
  #head = none;
  #tail = none;
  length = 0;
  bytes = 0;

  constructor(
    private readonly slots: Slots<unknown>,
    /** Written into `queue` of each slot in it. */
    readonly id: number,
  ) {}

  get tail(): number {
    return this.#tail;
  }

  get head(): number {
    return this.#head;
  }

  push(slot: number): void {
    const { slots } = this;
    slots.queue[slot] = this.id;
    slots.prev[slot] = none;
    slots.next[slot] = this.#head;
    if (this.#head === none) this.#tail = slot;
    else slots.prev[this.#head] = slot;
    this.#head = slot;
    this.length += 1;
    this.bytes += slots.bytes[slot]!;
  }

  remove(slot: number): void {
    const { slots } = this;
    const prev = slots.prev[slot]!;
    const next = slots.next[slot]!;
    if (prev === none) this.#head = next;
    else slots.next[prev] = next;
    if (next === none) this.#tail = prev;
    else slots.prev[next] = prev;
    this.length -= 1;
    this.bytes -= slots.bytes[slot]!;
  }

  clear(): void {
    this.#head = none;
    this.#tail = none;
    this.length = 0;
    this.bytes = 0;
  }
}
