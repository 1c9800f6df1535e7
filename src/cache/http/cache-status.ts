import type { AnswerSource, Outcome } from '../core';
import type { BypassReason, ReadOnlyReason, RefusalReason } from './eligibility';

/** Our name in `Cache-Status` (RFC 9211 §2). The key is never shown: it may hold what somebody asked for. */
const cacheName = 'sutazai';

/** What of an answer the header tells. */
export interface AnswerStatus {
  readonly outcome: Outcome;
  readonly source: AnswerSource | undefined;
  /** Fresh life left, in milliseconds; negative when stale. */
  readonly freshMs: number;
  readonly stored: boolean;
}

/** `Cache-Status` of an answer that came through the cache; `refusal` says why a loaded one was not stored. */
export function cacheStatus(answer: AnswerStatus, refusal?: RefusalReason | ReadOnlyReason): string {
  switch (answer.outcome) {
    case 'l1_hit':
    case 'l2_hit':
    case 'negative_hit':
      return `${cacheName}; hit; ttl=${seconds(answer.freshMs)}; detail=${answer.source === 'l2' ? 'l2' : 'l1'}`;
    case 'stale_hit':
      return `${cacheName}; hit; ttl=${seconds(answer.freshMs)}; detail=stale`;
    case 'coalesced':
      return `${cacheName}; fwd=uri-miss; collapsed`;
    case 'miss':
    case 'error':
      if (answer.stored) return `${cacheName}; fwd=uri-miss; stored`;
      return refusal ? `${cacheName}; fwd=uri-miss; detail=${refusal}` : `${cacheName}; fwd=uri-miss`;
    case 'bypass':
      return `${cacheName}; fwd=bypass`;
  }
}

/** Reasons of the interceptor itself: the route cannot be cached as it is written, or its tags could not be worked out. */
export type RouteBypass = 'route' | 'tags' | 'foreign-entry';

/** `Cache-Status` of a request that went past the cache. */
export function bypassStatus(reason: BypassReason | RouteBypass): string {
  return `${cacheName}; fwd=${reason === 'method' ? 'method' : 'bypass'}; detail=${reason}`;
}

/** `Cache-Status` where the stored response is past what it allows of itself: the handler has answered (RFC 9211 §2.2). */
export const revalidatedStatus = `${cacheName}; fwd=stale`;

function seconds(ms: number): number {
  return Math.floor(ms / 1_000);
}
