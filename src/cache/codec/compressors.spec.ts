import { BrotliCompressor } from './brotli-compressor';
import { DeflateCompressor } from './deflate-compressor';

describe.each([
  ['brotli', new BrotliCompressor()],
  ['deflate', new DeflateCompressor()],
])('%s', (_name, compressor) => {
  test('gives back what it was given, smaller', () => {
    const bytes = Buffer.from('{"name":"agent"},'.repeat(500));
    const compressed = compressor.compress(bytes);
    expect(compressed.length).toBeLessThan(bytes.length / 10);
    expect(Buffer.from(compressor.decompress(compressed, bytes.length)).equals(bytes)).toBe(true);
  });

  test('does the same aside, in the same form', async () => {
    const bytes = Buffer.from('{"name":"agent"},'.repeat(20_000));
    const compressed = await compressor.compressAside(bytes);
    expect(compressed).toEqual(compressor.compress(bytes));
    expect(await compressor.decompressAside(compressed, bytes.length)).toEqual(bytes);
  });

  test.each([0, 1, 63, 64])('gives back %i bytes', length => {
    const bytes = new Uint8Array(length).fill(7);
    expect(compressor.decompress(compressor.compress(bytes), length)).toEqual(Buffer.from(bytes));
  });

  test('stops a bomb at the limit', async () => {
    const bomb = compressor.compress(new Uint8Array(10_000_000));
    expect(bomb.length).toBeLessThan(50_000);
    expect(() => compressor.decompress(bomb, 1_000_000)).toThrow();
    await expect(compressor.decompressAside(bomb, 1_000_000)).rejects.toThrow();
  });

  test('inflates exactly as much as allowed', () => {
    const compressed = compressor.compress(new Uint8Array(1_000));
    expect(compressor.decompress(compressed, 1_000).length).toBe(1_000);
    expect(() => compressor.decompress(compressed, 999)).toThrow();
  });

  test('refuses damage that it notices', async () => {
    const damaged = Buffer.from('nothing of the kind at all');
    expect(() => compressor.decompress(damaged, 1_000)).toThrow();
    await expect(compressor.decompressAside(damaged, 1_000)).rejects.toThrow();
  });
});
