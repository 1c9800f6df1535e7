import { Packr, Unpackr, type Options } from 'msgpackr';
import type { ValueSerializer } from '../core';
import { LayoutReaders } from './layout-readers';
import { isPlainData } from './plain-data';
import { msgpackOptions, writerOf } from './msgpack-options';

/** Names of the fields of records, as the packer numbers them. */
type Structures = string[][] & { sharedLength?: number };

/** Flags, and the bytes of the layouts (big-endian). */
const headBytes = 3;
const plainFlag = 1;
const maxLayoutBytes = 0xffff;

/** Its records are defined where they come first; read by any reader. */
const noLayouts = Buffer.alloc(0);

/**
 * MessagePack with the layouts of its records in front:
 *
 *     0  1  flags; 1: plain data, which is read frozen        3     layouts: a list of lists of names, as MessagePack
 *     1  2  bytes of the layouts                                    the value; its records name layouts by number
 *
 * A message explains itself, as one that defines each record where it comes first; but as its layouts stand together, a process
 * that has met them before has their reader ready, and reads in half of the time (`npm run bench -- codec`). Nothing has to be
 * shared between processes or versions.
 */
export class MsgpackSerializer implements ValueSerializer {
  readonly id = 4;
  readonly isolation = 'freeze' as const;
  readonly readsBack = true;
  readonly #packr = writerOf({ ...msgpackOptions, structures: [] }) as Packr & { structures: Structures };
  readonly #inline = writerOf(msgpackOptions);
  readonly #layouts = new Packr({ useRecords: false });
  readonly #readers = new LayoutReaders((layouts, isFrozen) => this.#reader(layouts, isFrozen));
  /** Where the value begins. One for all: nothing is awaited between writing and reading it. */
  readonly #from = { start: 0 };
  #isPacking = false;

  encode(value: unknown): Uint8Array {
    // A getter or `toJSON` of the value has something encoded itself: the layouts of the value around it must stay as they are.
    if (this.#isPacking) return new MsgpackSerializer().encode(value);
    this.#isPacking = true;
    try {
      return this.#encode(value);
    } finally {
      this.#isPacking = false;
    }
  }

  #encode(value: unknown): Uint8Array {
    // Each message has its own.
    this.#packr.structures = [];
    let packed: Uint8Array = this.#packr.pack(value);
    let layouts = this.#layoutsOf(this.#packr.structures);
    if (layouts.length > maxLayoutBytes) {
      layouts = noLayouts;
      packed = this.#inline.pack(value);
    }
    // The packers reuse their buffers; this is a copy.
    const bytes = new Uint8Array(headBytes + layouts.length + packed.length);
    bytes[0] = isPlainData(value) ? plainFlag : 0;
    bytes[1] = layouts.length >> 8;
    bytes[2] = layouts.length & 0xff;
    bytes.set(layouts, headBytes);
    bytes.set(packed, headBytes + layouts.length);
    return bytes;
  }

  decode(bytes: Uint8Array): unknown {
    if (bytes.length <= headBytes) throw new Error('a message is longer than its head');
    // From a plain byte array the packer would make byte arrays of the Buffers in it.
    const buffer = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const start = headBytes + (buffer[1]! << 8) + buffer[2]!;
    if (start >= buffer.length) throw new Error('the layouts of a message are longer than its bytes');
    this.#from.start = start;
    return this.#readers
      .of(buffer, headBytes, start, this.isFrozen(buffer))
      .unpack(buffer, this.#from) as unknown;
  }

  isFrozen(bytes: Uint8Array): boolean {
    return (bytes[0]! & plainFlag) !== 0;
  }

  #layoutsOf(structures: Structures): Uint8Array {
    const { sharedLength = 0 } = structures;
    if (sharedLength === 0) return noLayouts;
    return this.#layouts.pack(structures.slice(0, sharedLength).map(names => [...names]));
  }

  #reader(layouts: Uint8Array, freezeData: boolean): Unpackr {
    const structures: unknown = layouts.length === 0 ? [] : this.#layouts.unpack(layouts);
    if (!areLayouts(structures)) throw new Error('the layouts of a message have another shape');
    // The reader is kept: what a message defines in the place of one of them must be undone when it has been read.
    for (const names of structures) Object.assign(names, { isShared: true });
    // `freezeData` is an option that the package's types do not know yet.
    const options: Options & { freezeData: boolean } = { ...msgpackOptions, structures, freezeData };
    return new Unpackr(options);
  }
}

function areLayouts(given: unknown): given is string[][] {
  return (
    Array.isArray(given) &&
    given.every(names => Array.isArray(names) && names.every(name => typeof name === 'string'))
  );
}
