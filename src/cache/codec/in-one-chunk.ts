/** The smallest that zlib takes. */
const minChunkBytes = 64;

/** Room for output of so many bytes, so that zlib need not go round for more; with one to spare, or it asks whether that was all. */
export function inOneChunk(bytes: number): number {
  return Math.max(minChunkBytes, bytes + 1);
}
