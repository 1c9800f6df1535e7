import type { Copied } from './protocol';
import type { Flight } from './single-flight';

/** On whose behalf a read happens. Only `request` counts in the statistics. */
export type Purpose = 'request' | 'warm-up' | 'admin' | 'refresh';

/**
 * The async context of a loader, or of a purpose. A read that finds itself inside a loader becomes part of what that
 * loader's entry depends on, and may not be older than it: it trusts neither L1 nor the token table, joins only loads
 * that began after the outer capture, and hands its tokens to the outer entry (protocol 1.0, 3).
 */
export interface LoadScope {
  readonly purpose: Purpose;
  readonly load: OuterLoad | undefined;
  /** A refresh that nobody's read has begun, but warming or administration. */
  readonly uncounted?: boolean;
  /** Reads here refresh what would expire within so long, in milliseconds. */
  readonly refreshWithinMs?: number | undefined;
}

/** Whether what is loaded and stored there is counted: like its reads, what warming and administration do is nobody's. */
export function isCounted(scope: LoadScope | undefined): boolean {
  if (scope === undefined || scope.purpose === 'request') return true;
  return scope.purpose === 'refresh' && scope.uncounted !== true;
}

export interface OuterLoad {
  /** Names of the keys being loaded, outermost first: a loader that asks for one of them waits for itself. */
  readonly chain: readonly string[];
  /** The flight whose loader this is. */
  readonly flight: Flight;
  /** Flights with a higher number began after the tokens of this load had been captured. */
  readonly capturedAt: number;
  /** The entry that is being loaded takes these tokens of an inner entry along. */
  inherit(tokens: Copied): void;
}
