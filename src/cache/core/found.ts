import type { Call } from './call';
import type { NearEntry } from './near-cache';
import type { TokenName } from './ports';
import type { FoundEntry } from './single-flight';

/** A stale entry answers whoever can refresh it; a plain read wants a fresh one. */
export function isUsable(
  call: Call,
  entry: { staleAtMs: number; expiresAtMs: number },
  nowMs: number,
): boolean {
  return nowMs < entry.staleAtMs || (call.loader !== undefined && nowMs < entry.expiresAtMs);
}

/** A near entry as an answer, or another load, needs it. */
export function foundOf(entry: NearEntry): FoundEntry {
  return {
    held: entry.held,
    negative: entry.negative,
    bornAtMs: entry.bornAtMs,
    staleAtMs: entry.staleAtMs,
    expiresAtMs: entry.expiresAtMs,
    tokens: tokensOf(entry),
    elsewhere: false,
  };
}

/** The tokens that a near entry depends on, as it has copied them. */
export function tokensOf(entry: NearEntry): (readonly [TokenName, string])[] {
  return entry.records.map((record, index) => [record.name, entry.tokens[index]!] as const);
}
