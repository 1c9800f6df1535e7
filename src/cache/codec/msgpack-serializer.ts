import { Packr } from 'msgpackr';
import type { ValueSerializer } from '../core';

/**
 * MessagePack with extensions: keeps Date, Map, Set, BigInt, Buffer, typed arrays, RegExp and undefined inside objects.
 * No structures are shared between messages: every entry can be read by itself, by any version of any process.
 */
export class MsgpackSerializer implements ValueSerializer {
  readonly id = 1;
  readonly isolation = 'freeze' as const;
  // The packer would write undefined for a function without a word: what the loader returned would not be what is read.
  readonly #packr = Object.assign(
    new Packr({ moreTypes: true, useBigIntExtension: true, copyBuffers: true }),
    {
      writeFunction: (): never => {
        throw new TypeError('a function cannot be serialised');
      },
    },
  );

  encode(value: unknown): Uint8Array {
    // The packer reuses its buffer; the result is a view on it.
    return Uint8Array.prototype.slice.call(this.#packr.pack(value));
  }

  decode(bytes: Uint8Array): unknown {
    // From a plain byte array the packer would make byte arrays of the Buffers in it.
    const buffer = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return this.#packr.unpack(buffer) as unknown;
  }
}
