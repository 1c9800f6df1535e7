import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import type { Compressor } from '../core';

/** Brotli at its fastest level. It does not notice flipped bytes; the checksum of the entry does. */
export class BrotliCompressor implements Compressor {
  readonly id = 1;

  compress(bytes: Uint8Array): Uint8Array {
    return brotliCompressSync(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    });
  }

  decompress(bytes: Uint8Array, maxBytes: number): Uint8Array {
    return brotliDecompressSync(bytes, { maxOutputLength: Math.max(1, maxBytes) });
  }
}
