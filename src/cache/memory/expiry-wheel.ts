import { none, type Slots } from './slots';

const buckets = 1_024;

/**
 * Finds entries whose life is over without looking at the others: a wheel of buckets, one a tick; an entry stands in the bucket of
 * the tick at which it ends. One that ends further off than the wheel is round stays where it is and is met once a turn. Links
 * run through the slots: putting in and taking out cost the same however many there are.
 */
export class ExpiryWheel {
  readonly #heads = new Int32Array(buckets).fill(none);
  readonly #originMs: number;
  /** Ticks up to this one have been looked at. */
  #sweptTick = 0;
  /** Entries in the wheel. */
  count = 0;

  constructor(
    private readonly slots: Slots<unknown>,
    readonly tickMs: number,
    nowMs: number,
  ) {
    this.#originMs = nowMs;
  }

  add(slot: number, untilMs: number): void {
    const { slots } = this;
    const tick = Math.ceil((untilMs - this.#originMs) / this.tickMs);
    // What is over already ends with the next tick; what outlives the numbering is never met, and only the bounds remove it.
    const kept = Math.min(Math.max(tick, this.#sweptTick + 1), 0xffff_ffff);
    const bucket = kept % buckets;
    const head = this.#heads[bucket]!;
    slots.tick[slot] = kept;
    slots.wheelPrev[slot] = none;
    slots.wheelNext[slot] = head;
    if (head !== none) slots.wheelPrev[head] = slot;
    this.#heads[bucket] = slot;
    this.count += 1;
  }

  remove(slot: number): void {
    const { slots } = this;
    const tick = slots.tick[slot]!;
    if (tick === 0) return;
    const prev = slots.wheelPrev[slot]!;
    const next = slots.wheelNext[slot]!;
    if (prev === none) this.#heads[tick % buckets] = next;
    else slots.wheelNext[prev] = next;
    if (next !== none) slots.wheelPrev[next] = prev;
    slots.tick[slot] = 0;
    this.count -= 1;
  }

  /**
   * Hands every slot whose entry is over to `expire`, which must remove it from the wheel.
   * @param goOn asked between buckets: false ends the slice, and the next one continues there
   * @returns whether all that is over has been met
   */
  sweep(nowMs: number, expire: (slot: number) => void, goOn: () => boolean): boolean {
    const nowTick = Math.floor((nowMs - this.#originMs) / this.tickMs);
    // After a long pause one turn meets every bucket.
    this.#sweptTick = Math.max(this.#sweptTick, nowTick - buckets);
    while (this.#sweptTick < nowTick) {
      this.#sweptTick += 1;
      let slot = this.#heads[this.#sweptTick % buckets]!;
      while (slot !== none) {
        const next = this.slots.wheelNext[slot]!;
        if (this.slots.tick[slot]! <= nowTick) expire(slot);
        slot = next;
      }
      if (!goOn()) break;
    }
    return this.#sweptTick >= nowTick;
  }

  clear(): void {
    this.#heads.fill(none);
    this.count = 0;
  }
}
