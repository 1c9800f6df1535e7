import type { TieredCache } from '../../../cache';

/** What V8 offers as `gc` when Node is started with `--expose-gc`. */
export type CollectGarbage = (options: { type: 'minor' | 'major' }) => void;

export interface MemoryFigures {
  rss_bytes: number;
  heap_used_bytes: number;
  external_bytes: number;
  /** Entries of the cache in this process, and their bytes. */
  cache_entries: number;
  cache_bytes: number;
}

export interface MemoryOptimization extends Record<string, unknown> {
  before: MemoryFigures;
  /** Null in a dry run. */
  after: MemoryFigures | null;
  /** Whether Node offers it to ask for a collection: it does with `--expose-gc`. */
  can_collect: boolean;
  collected: boolean;
  /** How long this process stood still for it; null when it did not. */
  pause_ms: number | null;
}

/** How a collection is asked for; undefined unless Node was started with `--expose-gc`. */
export function offeredCollection(): CollectGarbage | undefined {
  return (globalThis as { gc?: CollectGarbage }).gc;
}

/**
 * Has the garbage of this process collected, where Node offers that, and says what was in use before and after: little changes
 * as a rule, because V8 collects by itself and the cache drops what has expired each second. Only the young generation is
 * asked for: collecting everything would hold up requests for longer than anything here may.
 */
export function optimizeMemory(
  cache: Pick<TieredCache, 'status'>,
  isDryRun: boolean,
  collect: CollectGarbage | undefined,
): MemoryOptimization {
  const before = figures(cache);
  if (isDryRun || !collect)
    return {
      before,
      after: isDryRun ? null : figures(cache),
      can_collect: collect !== undefined,
      collected: false,
      pause_ms: null,
    };
  const startedAtMs = performance.now();
  collect({ type: 'minor' });
  const pauseMs = performance.now() - startedAtMs;
  return {
    before,
    after: figures(cache),
    can_collect: true,
    collected: true,
    pause_ms: Math.round(pauseMs * 100) / 100,
  };
}

function figures(cache: Pick<TieredCache, 'status'>): MemoryFigures {
  const { rss, heapUsed, external } = process.memoryUsage();
  const { l1Entries, l1Bytes } = cache.status();
  return {
    rss_bytes: rss,
    heap_used_bytes: heapUsed,
    external_bytes: external,
    cache_entries: l1Entries,
    cache_bytes: l1Bytes,
  };
}
