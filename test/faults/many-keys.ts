import { cacheNode } from '../integration/cache-node';
import { Measures } from './measures';

const maxEntries = 5_000;

/** Far more keys than L1 may hold: what is held stays within its bounds, and so does everything that is kept beside it. */
export async function expectBoundedMemory(row: string, keys: number): Promise<void> {
  const cache = cacheNode(undefined, { maxEntries });
  const measures = new Measures(row);
  const batches = 10;
  const heapsMb: number[] = [];
  const batchesMs: number[] = [];
  measures.fault();
  for (let batch = 0; batch < batches; batch += 1) {
    const beganMs = performance.now();
    for (let n = 0; n < keys / batches; n += 1) {
      const id = `${batch}:${n}`;
      // Of both kinds: named by itself, and hashed because it is long.
      const key = n % 10 === 0 ? `${'long'.repeat(60)}${id}` : `user:${id}`;
      await cache.getOrSet(key, () => ({ id, text: 'x'.repeat(100) }), { tags: [`t${n % 20_000}`] });
    }
    batchesMs.push(performance.now() - beganMs);
    expect(cache.status().l1Entries).toBeLessThanOrEqual(maxEntries);
    expect(cache.status().l1Bytes).toBeLessThanOrEqual(64 * 1_048_576);
    heapsMb.push(measures.heapMb());
  }
  measures.print();
  process.stdout.write(
    `${row}: ${keys} keys, heap ${heapsMb.map(mb => mb.toFixed(0)).join(' ')} MB, ` +
      `${batchesMs.map(ms => ((ms * 1_000 * batches) / keys).toFixed(1)).join(' ')} µs a key\n`,
  );
  expect(cache.status().l1Entries).toBe(maxEntries);
  // Full after the first third: from then on nothing is held that was not held before.
  expect(Math.max(...heapsMb.slice(4)) - heapsMb[3]!).toBeLessThan(10);
  // A table that is walked for each eviction, or copied, would show by orders of magnitude.
  const median = [...batchesMs].sort((a, b) => a - b)[batches / 2]!;
  expect(median).toBeLessThan(20 * Math.min(...batchesMs));
  await cache.close();
}
