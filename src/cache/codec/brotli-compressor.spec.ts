import { BrotliCompressor } from './brotli-compressor';

const compressor = new BrotliCompressor();

describe('brotli', () => {
  test('gives back what it was given, smaller', () => {
    const bytes = Buffer.from('{"name":"agent"},'.repeat(500));
    const compressed = compressor.compress(bytes);
    expect(compressed.length).toBeLessThan(bytes.length / 10);
    expect(Buffer.from(compressor.decompress(compressed, bytes.length)).equals(bytes)).toBe(true);
  });

  test('stops a bomb at the limit', () => {
    const bomb = compressor.compress(new Uint8Array(10_000_000));
    expect(bomb.length).toBeLessThan(10_000);
    expect(() => compressor.decompress(bomb, 1_000_000)).toThrow();
  });

  test('inflates exactly as much as allowed', () => {
    const compressed = compressor.compress(new Uint8Array(1_000));
    expect(compressor.decompress(compressed, 1_000).length).toBe(1_000);
    expect(() => compressor.decompress(compressed, 999)).toThrow();
  });

  test('refuses damage that it notices', () => {
    expect(() => compressor.decompress(Buffer.from('no brotli at all'), 1_000)).toThrow();
  });
});
