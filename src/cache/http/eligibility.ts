import { declaredFreshMs, parseCacheControl } from './cache-control';
import { isKeyValue } from './request-key';
import type { PrincipalScope } from './principal';
import { varyNames } from './vary';

/** Why a request is neither answered from the cache nor stored. Closed, for `Cache-Status` and logs. */
export const bypassReasons = [
  'method',
  'body',
  'authorization',
  'certificate',
  'cookie',
  'principal',
  'query',
  'params',
] as const;
export type BypassReason = (typeof bypassReasons)[number];

/** Why a request may be answered from the cache, but its own answer is not stored. */
export const readOnlyReasons = ['only-if-cached', 'head', 'range', 'no-store'] as const;
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
  'nonce',
  'sent',
] as const;
export type RefusalReason = (typeof refusalReasons)[number];

type Headers = Readonly<Record<string, number | string | readonly string[] | undefined>>;

export interface RequestHead {
  readonly method: string;
  readonly headers: Headers;
  /** The client has shown a certificate that was accepted. Default false. */
  readonly hasClientCertificate?: boolean;
}

export interface EligibleRequest extends RequestHead {
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
}

export interface RequestRules {
  /** Names of the query parameters that are in the key. */
  readonly declaredQuery: ReadonlySet<string>;
  readonly principal: PrincipalScope;
}

export type RequestVerdict =
  | { readonly use: 'store' }
  | { readonly use: 'read'; readonly reason: ReadOnlyReason }
  | { readonly use: 'bypass'; readonly reason: BypassReason };

const store: RequestVerdict = Object.freeze({ use: 'store' });

/**
 * What the cache may do for a request to a cached route. Default deny: whatever the key does not cover goes past it.
 * A request's `no-cache` and `max-age=0` are ignored: nobody gets to make us load (RFC 9111 §5.2.1 lets a cache decide).
 */
export function requestEligibility(
  request: EligibleRequest,
  { declaredQuery, principal }: RequestRules,
): RequestVerdict {
  const reason = headBypass(request, principal) ?? partsBypass(request, declaredQuery);
  if (reason !== undefined) return { use: 'bypass', reason };
  const { method, headers } = request;
  const directives =
    headers['cache-control'] === undefined ? undefined : parseCacheControl(textOf(headers['cache-control']));
  // §5.2.1.7: answered from the store or not at all.
  if (directives?.has('only-if-cached')) return { use: 'read', reason: 'only-if-cached' };
  // RFC 9110 §9.3.2: the answer to HEAD has no content that could be stored for a GET.
  if (method === 'HEAD') return { use: 'read', reason: 'head' };
  // RFC 9111 §3.3: answered from a complete response, never stored as one.
  if (headers.range !== undefined) return { use: 'read', reason: 'range' };
  if (directives?.has('no-store')) return { use: 'read', reason: 'no-store' };
  return store;
}

/** Why a request goes past the cache, as far as its method and headers say; undefined when they do not stand in the way. */
export function headBypass(request: RequestHead, principal: PrincipalScope): BypassReason | undefined {
  const { method, headers } = request;
  if (method !== 'GET' && method !== 'HEAD') return 'method';
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0)
    return 'body';
  return principal === 'none' ? credentialsOf(request) : undefined;
}

/** What a request proves somebody's identity with (RFC 9111 §3.5); undefined for an anonymous one. */
export function credentialsOf({ headers, hasClientCertificate }: RequestHead): BypassReason | undefined {
  if (
    headers.authorization !== undefined ||
    headers['proxy-authorization'] !== undefined ||
    // Our own admin key is a credential as well.
    headers['x-api-key'] !== undefined
  )
    return 'authorization';
  if (headers.cookie !== undefined) return 'cookie';
  return hasClientCertificate === true ? 'certificate' : undefined;
}

function partsBypass(
  { params, query }: EligibleRequest,
  declaredQuery: ReadonlySet<string>,
): BypassReason | undefined {
  for (const name of Object.keys(query)) {
    if (!declaredQuery.has(name) || !isKeyValue(query[name])) return 'query';
  }
  for (const name of Object.keys(params)) if (!isKeyValue(params[name])) return 'params';
  return undefined;
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
  readonly principal: PrincipalScope;
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
  // §5.2.2.7: for one user; a tenant is several.
  if (directives.has('private') && rules.principal !== 'user') return 'private';
  // §5.2.2.4: usable only after revalidation, which needs an origin that answers it; ours is the handler itself.
  if (directives.has('no-cache') || declaredFreshMs(directives) === 0) return 'no-cache';
  // §5.4: Pragma counts where there is no Cache-Control.
  if (headers['cache-control'] === undefined && /no-cache/i.test(joined(headers.pragma))) return 'no-cache';
  if (varyNames(headers.vary).some(name => !rules.vary.has(name))) return 'vary';
  // A nonce that is used twice is none.
  if (hasNonce(headers['content-security-policy'])) return 'nonce';
  // Stored bodies are identity encoded; compression for the client comes after the cache.
  if (headers['content-encoding'] !== undefined && joined(headers['content-encoding']) !== 'identity')
    return 'encoded';
  if (response.bodyBytes > rules.maxBodyBytes) return 'too-large';
  return undefined;
}

/** Whether a content security policy holds a nonce, which is good for one answer. */
export function hasNonce(policy: number | string | readonly string[] | undefined): boolean {
  return /'nonce-/i.test(joined(policy));
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
