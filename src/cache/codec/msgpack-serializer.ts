import { Packr } from 'msgpackr';
import type { ValueSerializer } from '../core';

/**
 * MessagePack with extensions: keeps Date, Map, Set, BigInt, Buffer, typed arrays, RegExp and undefined inside objects.
 * No structures are shared between messages: every entry can be read by itself, by any version of any process.
 */
export class MsgpackSerializer implements ValueSerializer {
  readonly id = 1;
  readonly isolation = 'freeze' as const;
  readonly #packr = new Packr({ moreTypes: true, useBigIntExtension: true, copyBuffers: true });

  encode(value: unknown): Uint8Array {
    // The packer reuses its buffer; the result is a view on it.
    return Uint8Array.prototype.slice.call(this.#packr.pack(value));
  }

  decode(bytes: Uint8Array): unknown {
    return this.#packr.unpack(bytes) as unknown;
  }
}
