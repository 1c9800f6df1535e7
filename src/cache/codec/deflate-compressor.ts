import { deflateRaw, deflateRawSync, inflateRaw, inflateRawSync, type ZlibOptions } from 'node:zlib';
import { promisify } from 'node:util';
import type { Compressor } from '../core';
import { inOneChunk } from './in-one-chunk';

const compress = promisify<Uint8Array, ZlibOptions, Buffer>(deflateRaw);
const decompress = promisify<Uint8Array, ZlibOptions, Buffer>(inflateRaw);

/**
 * Raw deflate at its fastest level: of what Node 20 brings, the one that inflates fastest, and an entry is read more often than
 * it is written (`bench/results/codec.md`). Without a checksum of its own; the entry has one.
 */
export class DeflateCompressor implements Compressor {
  readonly id = 2;

  compress(bytes: Uint8Array): Uint8Array {
    return deflateRawSync(bytes, fastest(bytes));
  }

  decompress(bytes: Uint8Array, maxBytes: number): Uint8Array {
    return inflateRawSync(bytes, within(maxBytes));
  }

  compressAside(bytes: Uint8Array): Promise<Uint8Array> {
    return compress(bytes, fastest(bytes));
  }

  decompressAside(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
    return decompress(bytes, within(maxBytes));
  }
}

function fastest({ length }: Uint8Array): ZlibOptions {
  return { level: 1, chunkSize: inOneChunk(length) };
}

function within(maxBytes: number): ZlibOptions {
  return { maxOutputLength: Math.max(1, maxBytes), chunkSize: inOneChunk(maxBytes) };
}
