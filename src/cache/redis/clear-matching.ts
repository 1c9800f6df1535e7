import { clearOrder, type ClearProgress, type KeyMatcher } from '../core';
import type { Invalidations } from './invalidations';
import type { RedisKeys } from './redis-keys';
import type { RedisNode } from './redis-node';
import type { Topology } from './topology';

const scanCount = 500;
/** Keys that move from node to node can slip past a scan; after so many passes somebody moves them for good. */
const maxPasses = 10;

interface ClearOptions {
  dryRun: boolean;
  signal?: AbortSignal;
  onProgress?: (progress: ClearProgress) => void;
}

/**
 * Removes the entries whose key matches, by SCAN on each node. Leases first: a load that began before the clear could
 * otherwise fill after its data had been passed by (in the model, data first leaves stale entries, leases first leaves
 * none). When slots were moving meanwhile, a key may have left the one node before it was passed by and come to the
 * other one after: then everything is gone through once more.
 */
export async function clearMatching(
  topology: Topology,
  invalidations: Invalidations,
  keys: RedisKeys,
  matcher: KeyMatcher,
  options: ClearOptions,
): Promise<ClearProgress> {
  const progress: ClearProgress = { scanned: 0, matched: 0, removed: 0, done: false, passes: 0 };
  for (let pass = 1; pass <= maxPasses; pass += 1) {
    progress.passes = pass;
    const before = await topology.look();
    for (const node of topology.nodes()) {
      if (!(await clearNode(node, invalidations, keys, matcher, options, progress))) return progress;
    }
    const after = await topology.look();
    const isSettled = before.settled && after.settled && before.version === after.version;
    // To count once more would count twice.
    if (isSettled || options.dryRun) break;
  }
  progress.done = true;
  return progress;
}

/** False when it was cancelled. */
async function clearNode(
  node: RedisNode,
  invalidations: Invalidations,
  keys: RedisKeys,
  matcher: KeyMatcher,
  options: ClearOptions,
  progress: ClearProgress,
): Promise<boolean> {
  for (const kind of clearOrder) {
    const head = `${keys.prefix}${kind}:{`;
    let cursor = '0';
    do {
      if (options.signal?.aborted) return false;
      const from = cursor;
      const [next, found] = await node.call('clear', () =>
        node.reads.scan(from, 'MATCH', head + matcher.scanPattern, 'COUNT', scanCount),
      );
      cursor = next;
      const encoded = found.filter(key => key.endsWith('}')).map(key => key.slice(head.length, -1));
      const matching = [...new Set(encoded)].filter(key => matcher.matches(key));
      progress.scanned += found.length;
      // Leases and tokens are bookkeeping: what is counted is entries.
      const isData = kind === 'd' || kind === 'x';
      if (isData) progress.matched += matching.length;
      if (matching.length > 0 && !options.dryRun) {
        // Whole keys, as an invalidation does it, so that other instances hear of cold loads as well.
        await invalidations.makeEncoded(matching);
        if (isData) progress.removed += matching.length;
      }
      options.onProgress?.({ ...progress });
    } while (cursor !== '0');
  }
  return true;
}
