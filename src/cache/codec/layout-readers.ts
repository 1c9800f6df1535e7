import type { Unpackr } from 'msgpackr';

/** So many are kept; twice as many for a moment. */
const maxReaders = 256;
/** Layouts that are longer are hardly met twice: their names are data. */
const maxKeptBytes = 1_024;

interface Kept {
  readonly layouts: Buffer;
  readonly isFrozen: boolean;
  readonly reader: Unpackr;
}

/** Readers of messages by the layouts of their records, kept for the next message with the same. */
export class LayoutReaders {
  #last: Kept | undefined;
  #lately = new Map<string, Kept>();
  #before = new Map<string, Kept>();

  /** @param make a reader whose values are frozen, or not */
  constructor(private readonly make: (layouts: Uint8Array, isFrozen: boolean) => Unpackr) {}

  get size(): number {
    return this.#lately.size + this.#before.size;
  }

  of(message: Buffer, from: number, to: number, isFrozen: boolean): Unpackr {
    // Messages of one kind come in rows: comparing is less than looking up.
    const last = this.#last;
    if (last !== undefined && last.isFrozen === isFrozen && isSame(last.layouts, message, from, to))
      return last.reader;
    if (to - from > maxKeptBytes) return this.make(message.subarray(from, to), isFrozen);
    const name = `${isFrozen ? 'frozen' : 'open'} ${message.toString('latin1', from, to)}`;
    let kept = this.#lately.get(name);
    if (kept === undefined) {
      kept = this.#before.get(name) ?? this.#keep(Buffer.from(message.subarray(from, to)), isFrozen);
      if (this.#lately.size >= maxReaders) {
        this.#before = this.#lately;
        this.#lately = new Map();
      }
      this.#lately.set(name, kept);
    }
    this.#last = kept;
    return kept.reader;
  }

  #keep(layouts: Buffer, isFrozen: boolean): Kept {
    return { layouts, isFrozen, reader: this.make(layouts, isFrozen) };
  }
}

function isSame(layouts: Buffer, message: Buffer, from: number, to: number): boolean {
  if (layouts.length !== to - from) return false;
  for (let at = 0; at < layouts.length; at += 1) if (layouts[at] !== message[from + at]) return false;
  return true;
}
