import type { TokenName } from './ports';
import { anyToken, type Copied } from './tokens';

export type { Copied };

/**
 * The decisions of the protocol, as pure functions: the cache takes them here, and `test/model` explores every interleaving of
 * processes that take the very same ones. What they decide about is worked out elsewhere.
 */

/** An entry is valid while every token that it copied is there and equal. One that is missing makes it invalid. */
export function isValid(copied: Copied, current: (name: TokenName) => string | undefined): boolean {
  return copied.every(([name, token]) => current(name) === token);
}

/** What is captured before the loader runs: everything that the entry will depend on, and `!any` if the loader may add tags. */
export function toCapture(tokens: readonly TokenName[], dynamicTags: boolean): readonly TokenName[] {
  return dynamicTags ? [anyToken, ...tokens] : tokens;
}

/** What an invalidation of tags removes, in this order: loads that choose their tags at the end hold on to `!any`. */
export function toRemove(tags: readonly TokenName[]): TokenName[] {
  return tags.length === 0 ? [] : [anyToken, ...tags];
}

/**
 * Whether tokens that were read only after the loader may be copied: every invalidation of a tag removes `!any` before it removes
 * the tag's token, so if `!any` is still what it was before the loader, none of them was removed meanwhile.
 */
export function lateTokensHold(anyBefore: string | undefined, anyAfter: string | undefined): boolean {
  return anyBefore !== undefined && anyBefore === anyAfter;
}

/** What an entry copies: all that was captured but `!any`, which only guards the load. */
export function toCopy(captured: ReadonlyMap<TokenName, string>): Copied {
  return [...captured].filter(([name]) => name !== anyToken);
}

/**
 * The tokens of an inner entry, taken along by the outer one. False when the outer load has met another value of one of them: the
 * token changed between two of its reads. Of reads that run side by side the older one may end last, so whichever value it copied
 * would be wrong for one of them, and nobody may store what it brings.
 */
export function inherit(captured: Map<TokenName, string>, inner: Copied): boolean {
  let agrees = true;
  for (const [name, token] of inner) {
    if (!captured.has(name)) captured.set(name, token);
    else if (captured.get(name) !== token) agrees = false;
  }
  return agrees;
}

/** What decides whether a caller may share a load that is under way. Times are local monotonic milliseconds. */
export interface Joinable {
  /** A change of the key, or of a token, has been heard since it began. */
  detached: boolean;
  /** Position in the order of beginnings. */
  number: number;
  /** It runs under tokens of this process alone. */
  alone: boolean;
}

/**
 * Whether a loader may share a load: under tokens of this process alone nothing can have been missed; else only one that began
 * after its own capture, for an older one may bring what was invalidated before it.
 */
export function mayJoinInside(flight: Joinable, capturedAt: number): boolean {
  return !flight.detached && (flight.alone || flight.number > capturedAt);
}

/** A shared entry with less life than this is not worth a copy in L1, in milliseconds. */
const minCopyLifeMs = 50;

/** A read may be copied into L1 if no change was heard while it was on its way, and enough of its life is left to be worth it. */
export function mayCopy(tainted: boolean, leftMs: number): boolean {
  return !tainted && leftMs >= minCopyLifeMs;
}

/** Kinds of keys that a clear by pattern goes through, in this order: leases before data, or a load fills behind its back. */
export const clearOrder = ['l', 'd', 'x', 'k'] as const;
