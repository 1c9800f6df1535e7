import type { TieredCache } from '../../../cache';
import type { TaskContext } from '../task';
import { cleanUp, type Cleanup, type CleanupOptions } from './clean-up';
import { type MemoryOptimization, offeredCollection, optimizeMemory } from './process-memory';

export const optimizeActions = ['memory', 'files'] as const;
export type OptimizeAction = (typeof optimizeActions)[number];

/** Actions that were not asked for, or not reached, are absent. */
export interface OptimizeResult extends Record<string, unknown> {
  dry_run: boolean;
  memory?: MemoryOptimization;
  files?: Cleanup;
}

/** Memory of this process first, then the files: that is what takes time. */
export async function runOptimization(
  actions: readonly OptimizeAction[],
  cleanup: CleanupOptions,
  cache: Pick<TieredCache, 'status'>,
  { signal, progress, keep }: TaskContext,
): Promise<OptimizeResult> {
  let result: OptimizeResult = { dry_run: cleanup.isDryRun };
  if (actions.includes('memory'))
    keep((result = { ...result, memory: optimizeMemory(cache, cleanup.isDryRun, offeredCollection()) }));
  if (!actions.includes('files')) return result;
  const files = await cleanUp(cleanup, signal, (soFar, share) => {
    keep({ ...result, files: soFar });
    progress(share);
  });
  return { ...result, files };
}
