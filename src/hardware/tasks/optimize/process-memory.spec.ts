import v8 from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type CollectGarbage, optimizeMemory } from './process-memory';

const cache = { status: () => ({ l1Entries: 3, l1Bytes: 300 }) } as Parameters<typeof optimizeMemory>[0];

describe('the memory of this process', () => {
  it('is measured before and after a collection that V8 really makes', () => {
    v8.setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as CollectGarbage;
    v8.setFlagsFromString('--no-expose-gc');
    let garbage: unknown[] = [];
    for (let index = 0; index < 50_000; index += 1) garbage.push({ index });
    garbage = [];
    const result = optimizeMemory(cache, false, collect);
    expect(result).toMatchObject({
      can_collect: true,
      collected: true,
      before: { cache_entries: 3, cache_bytes: 300 },
    });
    expect(result.after!.heap_used_bytes).toBeLessThan(result.before.heap_used_bytes);
    expect(result.pause_ms).toBeGreaterThan(0);
    expect(garbage).toEqual([]);
  });

  it('is asked for in no dry run', () => {
    const collect = jest.fn();
    expect(optimizeMemory(cache, true, collect)).toMatchObject({
      can_collect: true,
      collected: false,
      after: null,
    });
    expect(collect).not.toHaveBeenCalled();
  });

  it('is not said to be collected where Node does not offer it', () => {
    expect(optimizeMemory(cache, false, undefined)).toMatchObject({
      can_collect: false,
      collected: false,
      pause_ms: null,
    });
  });
});
