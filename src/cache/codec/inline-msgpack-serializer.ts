import type { ValueSerializer } from '../core';
import { msgpackOptions, writerOf } from './msgpack-options';

/**
 * MessagePack as earlier versions have written it: each record is defined in the message where it comes first. To read what they
 * have stored; `MsgpackSerializer` writes what is read faster.
 */
export class InlineMsgpackSerializer implements ValueSerializer {
  readonly id = 1;
  readonly isolation = 'freeze' as const;
  readonly readsBack = true;
  readonly #packr = writerOf(msgpackOptions);

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
