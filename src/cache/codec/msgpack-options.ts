import { Packr, type Options } from 'msgpackr';

/** Keeps Date, Map, Set, BigInt, Buffer, typed arrays, RegExp and undefined inside objects. Buffers are copies of their own. */
export const msgpackOptions: Options = Object.freeze({
  moreTypes: true,
  useBigIntExtension: true,
  copyBuffers: true,
});

/** The packer would write undefined for a function without a word: what the loader returned would not be what is read. */
export function writerOf(options: Options): Packr {
  return Object.assign(new Packr(options), {
    writeFunction: (): never => {
      throw new TypeError('a function cannot be serialised');
    },
  });
}
