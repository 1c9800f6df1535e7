import { CacheError, messageOf } from '../core';
import type { ObservedRead } from './read-observer';

export type WarmOutcome = { readonly kind: 'warmed' | 'skipped' } | WarmFailure;

export interface WarmFailure {
  readonly kind: 'failed';
  /** For the log. */
  readonly error: string;
  /** For answers, where `error` is in the words of somebody else; undefined where it is not. */
  readonly reason?: string;
  /** Loaded, but something else happened to the entry meanwhile, so that looking again may find it. */
  readonly overtaken?: boolean;
}

/**
 * What one piece of warming came to, from the reads that it made under a head of keys: the last of them is the outer
 * one, whose loader made the others. Without a head (a method that is not cached itself, but reads what is) all count.
 */
export async function warmOutcome(
  reads: readonly ObservedRead[],
  head: string | undefined,
): Promise<WarmOutcome> {
  if (head === undefined) {
    const outcomes = await Promise.all(reads.map(outcomeOf));
    if (outcomes.length === 0) return { kind: 'failed', error: 'nothing was read through the cache' };
    return (
      outcomes.find(({ kind }) => kind === 'failed') ??
      outcomes.find(({ kind }) => kind === 'warmed') ?? { kind: 'skipped' }
    );
  }
  const own = reads.findLast(({ event: { key } }) => key === head || key.startsWith(`${head}|`));
  return own ? outcomeOf(own) : { kind: 'failed', error: 'it was not read through the cache' };
}

async function outcomeOf({ event, refresh }: ObservedRead): Promise<WarmOutcome> {
  switch (event.outcome) {
    case 'l1_hit':
    case 'l2_hit':
    case 'negative_hit': {
      const renewed = await refresh;
      if (renewed?.kind === 'failed') return failureOf(renewed.error);
      return { kind: renewed?.kind === 'loaded' ? 'warmed' : 'skipped' };
    }
    case 'stale_hit': {
      const refreshed = await refresh;
      if (refreshed?.kind === 'loaded') return { kind: 'warmed' };
      return refreshed?.kind === 'failed'
        ? failureOf(refreshed.error)
        : { kind: 'failed', error: 'stale, and not refreshed in time' };
    }
    case 'coalesced':
      // Another caller's load: stored by him, or not at all.
      return event.stored
        ? { kind: 'skipped' }
        : { kind: 'failed', error: 'loaded by another caller, but not stored', overtaken: true };
    case 'miss':
      return event.stored
        ? { kind: 'warmed' }
        : {
            kind: 'failed',
            error: `loaded, but not stored (${event.cause ?? 'unknown cause'})`,
            overtaken: true,
          };
    case 'bypass':
    case 'error':
      return { kind: 'failed', error: 'the loader failed' };
  }
}

/** What a source, or the cache on its way there, has thrown: its words may name hosts and users, and stay in the log. */
export function failureOf(error: unknown): WarmFailure {
  const reason = error instanceof CacheError ? error.code : 'the source failed, the log says how';
  return { kind: 'failed', error: messageOf(error), reason };
}
