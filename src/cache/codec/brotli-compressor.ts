import {
  brotliCompress,
  brotliCompressSync,
  brotliDecompress,
  brotliDecompressSync,
  constants,
  type BrotliOptions,
} from 'node:zlib';
import { promisify } from 'node:util';
import type { Compressor } from '../core';
import { inOneChunk } from './in-one-chunk';

const compress = promisify<Uint8Array, BrotliOptions, Buffer>(brotliCompress);
const decompress = promisify<Uint8Array, BrotliOptions, Buffer>(brotliDecompress);

/** Brotli at its fastest level. It does not notice flipped bytes; the checksum of the entry does. */
export class BrotliCompressor implements Compressor {
  readonly id = 1;

  compress(bytes: Uint8Array): Uint8Array {
    return brotliCompressSync(bytes, fastest(bytes));
  }

  decompress(bytes: Uint8Array, maxBytes: number): Uint8Array {
    return brotliDecompressSync(bytes, within(maxBytes));
  }

  compressAside(bytes: Uint8Array): Promise<Uint8Array> {
    return compress(bytes, fastest(bytes));
  }

  decompressAside(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
    return decompress(bytes, within(maxBytes));
  }
}

function fastest({ length }: Uint8Array): BrotliOptions {
  return {
    params: { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_SIZE_HINT]: length },
    chunkSize: inOneChunk(length),
  };
}

function within(maxBytes: number): BrotliOptions {
  return { maxOutputLength: Math.max(1, maxBytes), chunkSize: inOneChunk(maxBytes) };
}
