import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Hash } from '../core';

const tokenBytes = 12;
const poolTokens = 512;

/** Checksums, digests and random tokens of Node. Random bytes are drawn in bulk: one system call for many tokens. */
export class NodeHash implements Hash {
  #pool = Buffer.alloc(0);
  #used = 0;

  crc32(bytes: Uint8Array, seed = 0): number {
    return crc32(bytes, seed);
  }

  sha256(text: string): string {
    return createHash('sha256').update(text).digest('base64url');
  }

  randomToken(): string {
    if (this.#used + tokenBytes > this.#pool.length) {
      this.#pool = randomBytes(tokenBytes * poolTokens);
      this.#used = 0;
    }
    const token = this.#pool.toString('base64url', this.#used, this.#used + tokenBytes);
    this.#used += tokenBytes;
    return token;
  }
}
