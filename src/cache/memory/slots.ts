/** No slot: the end of a list. */
export const none = -1;

const firstSize = 256;

/**
 * The table of entries: a map from key to slot, and per slot a few numbers in typed arrays instead of an object, so that
 * an entry costs little memory and the garbage collector has nothing to walk. Slots are handed out again when freed. The
 * arrays grow by doubling, up to the number of entries that there may be.
 */
export class Slots<E> {
  readonly #slotOf = new Map<string, number>();
  #keys: (string | undefined)[];
  #entries: (E | undefined)[];
  #free = none;
  #used = 0;
  #size: number;
  /** Bytes accounted for. */
  bytes: Uint32Array;
  /** Links of the eviction queue that a slot stands in; of free slots, `next` alone. */
  prev: Int32Array;
  next: Int32Array;
  /** Which queue that is, and how often the entry was used lately: the eviction policy's own. */
  queue: Uint8Array;
  uses: Uint8Array;
  /** Links of the bucket of the expiry wheel, and the tick at which the entry is over; 0: in no bucket. */
  wheelPrev: Int32Array;
  wheelNext: Int32Array;
  tick: Uint32Array;

  constructor(readonly maxSlots: number) {
    this.#size = Math.min(firstSize, maxSlots);
    this.#keys = new Array<string | undefined>(this.#size);
    this.#entries = new Array<E | undefined>(this.#size);
    this.bytes = new Uint32Array(this.#size);
    this.prev = new Int32Array(this.#size);
    this.next = new Int32Array(this.#size);
    this.queue = new Uint8Array(this.#size);
    this.uses = new Uint8Array(this.#size);
    this.wheelPrev = new Int32Array(this.#size);
    this.wheelNext = new Int32Array(this.#size);
    this.tick = new Uint32Array(this.#size);
  }

  get count(): number {
    return this.#slotOf.size;
  }

  find(key: string): number | undefined {
    return this.#slotOf.get(key);
  }

  keyAt(slot: number): string {
    return this.#keys[slot]!;
  }

  entryAt(slot: number): E {
    return this.#entries[slot]!;
  }

  put(slot: number, entry: E): void {
    this.#entries[slot] = entry;
  }

  keys(): Iterable<string> {
    return this.#slotOf.keys();
  }

  /** @throws RangeError when all are taken: the store makes room first */
  take(key: string, entry: E): number {
    let slot = this.#free;
    if (slot !== none) this.#free = this.next[slot]!;
    else if (this.#used === this.maxSlots) throw new RangeError('no slot is free');
    else {
      slot = this.#used;
      this.#used += 1;
      if (this.#used > this.#size) this.#grow();
    }
    this.#slotOf.set(key, slot);
    this.#keys[slot] = key;
    this.#entries[slot] = entry;
    this.uses[slot] = 0;
    this.tick[slot] = 0;
    return slot;
  }

  release(slot: number): void {
    this.#slotOf.delete(this.#keys[slot]!);
    this.#keys[slot] = undefined;
    this.#entries[slot] = undefined;
    this.next[slot] = this.#free;
    this.#free = slot;
  }

  clear(): void {
    this.#slotOf.clear();
    this.#keys.fill(undefined, 0, this.#used);
    this.#entries.fill(undefined, 0, this.#used);
    this.#free = none;
    this.#used = 0;
  }

  #grow(): void {
    this.#size = Math.min(this.#size * 2, this.maxSlots);
    // By `push` they would grow half as large again as what there may ever be.
    this.#keys = listOf(this.#keys, this.#size);
    this.#entries = listOf(this.#entries, this.#size);
    this.bytes = grown(this.bytes, new Uint32Array(this.#size));
    this.prev = grown(this.prev, new Int32Array(this.#size));
    this.next = grown(this.next, new Int32Array(this.#size));
    this.queue = grown(this.queue, new Uint8Array(this.#size));
    this.uses = grown(this.uses, new Uint8Array(this.#size));
    this.wheelPrev = grown(this.wheelPrev, new Int32Array(this.#size));
    this.wheelNext = grown(this.wheelNext, new Int32Array(this.#size));
    this.tick = grown(this.tick, new Uint32Array(this.#size));
  }
}

function grown<T extends Uint8Array | Uint32Array | Int32Array>(from: T, into: T): T {
  into.set(from);
  return into;
}

/** The same list with room for so many. */
function listOf<T>(from: readonly T[], size: number): T[] {
  const into = new Array<T>(size);
  for (let at = 0; at < from.length; at += 1) into[at] = from[at]!;
  return into;
}
