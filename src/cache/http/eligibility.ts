import { declaredFreshMs, parseCacheControl } from './cache-control';
import { isKeyValue } from './request-key';

/** Why a request is neither answered from the cache nor stored. Closed, for `Cache-Status` and logs. */
export const bypassReasons = ['method', 'body', 'authorization', 'cookie', 'query', 'params'] as const;
export type BypassReason = (typeof bypassReasons)[number];

/** Why a request may be answered from the cache, but its own answer is not stored. */
export const readOnlyReasons = ['head', 'range', 'no-store'] as const;
export type ReadOnlyReason = (typeof readOnlyReasons)[number];

/** Why a response is not stored. */
export const refusalReasons = [
  'status',
  'set-cookie',
  'no-store',
  'private',
  'no-cache',
  'vary',
  'encoded',
  'partial',
  'stream',
  'too-large',
  'sent',
] as const;
export type RefusalReason = (typeof refusalReasons)[number];

type Headers = Readonly<Record<string, number | string | readonly string[] | undefined>>;

export interface EligibleRequest {
  readonly method: string;
  readonly headers: Headers;
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
}

export type RequestVerdict =
  | { readonly use: 'store' }
  | { readonly use: 'read'; readonly reason: ReadOnlyReason }
  | { readonly use: 'bypass'; readonly reason: BypassReason };

const store: RequestVerdict = Object.freeze({ use: 'store' });

/**
 * What the cache may do for a request to a cached route. Default deny: whatever the key does not cover goes past it.
 * A request's `no-cache` and `max-age=0` are ignored: nobody gets to make us load (RFC 9111 §5.2.1 lets a cache decide).
 *
 * @param declaredQuery names of the query parameters that are in the key
 */
export function requestEligibility(
  request: EligibleRequest,
  declaredQuery: ReadonlySet<string>,
): RequestVerdict {
  const { headers } = request;
  if (request.method !== 'GET' && request.method !== 'HEAD') return bypass('method');
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0)
    return bypass('body');
  // RFC 9111 §3.5. Our own admin key is a credential as well.
  if (
    headers.authorization !== undefined ||
    headers['proxy-authorization'] !== undefined ||
    headers['x-api-key'] !== undefined
  ) {
    return bypass('authorization');
  }
  if (headers.cookie !== undefined) return bypass('cookie');
  for (const name of Object.keys(request.query)) {
    if (!declaredQuery.has(name) || !isKeyValue(request.query[name])) return bypass('query');
  }
  for (const name of Object.keys(request.params))
    if (!isKeyValue(request.params[name])) return bypass('params');
  // RFC 9110 §9.3.2: the answer to HEAD has no content that could be stored for a GET.
  if (request.method === 'HEAD') return { use: 'read', reason: 'head' };
  // RFC 9111 §3.3: answered from a complete response, never stored as one.
  if (headers.range !== undefined) return { use: 'read', reason: 'range' };
  if (parseCacheControl(textOf(headers['cache-control'])).has('no-store'))
    return { use: 'read', reason: 'no-store' };
  return store;
}

function bypass(reason: BypassReason): RequestVerdict {
  return { use: 'bypass', reason };
}

export interface EligibleResponse {
  readonly status: number;
  /** With lower-case names. */
  readonly headers: Headers;
  readonly bodyBytes: number;
}

export interface ResponseRules {
  /** Statuses that may be stored: 200, and those that the route opts into. */
  readonly statuses: ReadonlySet<number>;
  /** Names that `Vary` may contain: headers in the key, and those that were there before the handler ran. Lower case. */
  readonly vary: ReadonlySet<string>;
  readonly maxBodyBytes: number;
}

/** Statuses besides 200 that a route may opt into (RFC 9110 §15.1); the last two are negative answers. */
export const optionalStatuses: readonly number[] = Object.freeze([203, 204, 301, 308, 404, 410]);
/** A stored "not found" is believed for so long at most, in milliseconds. */
export const maxNegativeMs = 5_000;

/** Why a response must not be stored, or undefined (RFC 9111 §3). */
export function responseRefusal(response: EligibleResponse, rules: ResponseRules): RefusalReason | undefined {
  const { headers } = response;
  if (!rules.statuses.has(response.status))
    return headers['content-range'] === undefined ? 'status' : 'partial';
  if (headers['content-range'] !== undefined) return 'partial';
  if (headers['set-cookie'] !== undefined) return 'set-cookie';
  const directives = parseCacheControl(textOf(headers['cache-control']));
  if (directives.has('no-store')) return 'no-store';
  if (directives.has('private')) return 'private';
  // §5.2.2.4: usable only after revalidation, which needs an origin that answers it; ours is the handler itself.
  if (directives.has('no-cache') || declaredFreshMs(directives) === 0) return 'no-cache';
  // §5.4: Pragma counts where there is no Cache-Control.
  if (headers['cache-control'] === undefined && /no-cache/i.test(joined(headers.pragma))) return 'no-cache';
  for (const name of joined(headers.vary).toLowerCase().split(',')) {
    if (name.trim() !== '' && !rules.vary.has(name.trim())) return 'vary';
  }
  // Stored bodies are identity encoded; compression for the client comes after the cache.
  if (headers['content-encoding'] !== undefined && joined(headers['content-encoding']) !== 'identity')
    return 'encoded';
  if (response.bodyBytes > rules.maxBodyBytes) return 'too-large';
  return undefined;
}

function textOf(
  value: number | string | readonly string[] | undefined,
): string | readonly string[] | undefined {
  return typeof value === 'number' ? String(value) : value;
}

function joined(value: number | string | readonly string[] | undefined): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : value.join(',');
}
