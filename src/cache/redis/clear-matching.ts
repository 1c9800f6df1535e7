import type { ClearProgress, KeyMatcher } from '../core';
import type { RedisCommands } from './redis-commands';
import type { RedisKeys } from './redis-keys';
import { checkReply, isScanReply } from './reply';

const scanCount = 500;

/**
 * Removes the entries whose key matches, by SCAN. Leases first: a load that began before the clear could otherwise fill
 * after its data had been passed by (in the model, data first leaves stale entries, leases first leaves none).
 */
export async function clearMatching(
  redis: RedisCommands,
  keys: RedisKeys,
  matcher: KeyMatcher,
  options: { dryRun: boolean; signal?: AbortSignal; onProgress?: (progress: ClearProgress) => void },
  call: <T>(run: () => Promise<T>) => Promise<T>,
): Promise<ClearProgress> {
  const progress: ClearProgress = { scanned: 0, matched: 0, removed: 0, done: false };
  for (const kind of ['l', 'd', 'x', 'k'] as const) {
    const head = `${keys.prefix}${kind}:{`;
    let cursor = '0';
    do {
      if (options.signal?.aborted) return progress;
      const from = cursor;
      const [next, found] = await call(async () => {
        const page = await redis.scan(from, 'MATCH', head + matcher.scanPattern, 'COUNT', scanCount);
        checkReply('scan', isScanReply(page));
        return page;
      });
      cursor = next;
      const encoded = found.filter(key => key.endsWith('}')).map(key => key.slice(head.length, -1));
      const matching = [...new Set(encoded)].filter(key => matcher.matches(key));
      progress.scanned += found.length;
      // Leases and tokens are bookkeeping: what is counted is entries.
      const isData = kind === 'd' || kind === 'x';
      if (isData) progress.matched += matching.length;
      if (matching.length > 0 && !options.dryRun) {
        // Whole keys, as an invalidation does it, so that other instances hear of cold loads as well.
        const quads = matching.flatMap(key => keys.ofKey(key));
        await call(async () => {
          const done = await redis.cacheInv(quads.length, ...quads, matching.length);
          checkReply('inv', done === 1);
        });
        if (isData) progress.removed += matching.length;
      }
      options.onProgress?.({ ...progress });
    } while (cursor !== '0');
  }
  progress.done = true;
  return progress;
}
