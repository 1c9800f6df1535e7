/** `Cache-Control`, read and written (RFC 9111 §5.2, RFC 5861). */

export const noStore = 'no-store';
/** For answers that depend on who asks: a cache in front of us must not keep them either. */
export const privateNoStore = 'private, no-store';

/** What of a response a client may keep, and for how long. Durations are milliseconds. */
export interface ClientCaching {
  readonly ttlMs: number;
  readonly staleMs: number;
  /** The answer is for one principal: caches that others share must not keep it (§5.2.2.7). */
  readonly isPrivate: boolean;
  /** What the handler asked for and caches after us must obey as well. */
  readonly directives: readonly ReplayedDirective[];
}

/** Directives of a handler that are stored with its response and sent along: never stale (§5.2.2.2), never re-encoded (§5.2.2.6). */
export const replayedDirectives = ['must-revalidate', 'no-transform'] as const;
export type ReplayedDirective = (typeof replayedDirectives)[number];

/**
 * What a client may do with a response: `max-age` is the whole fresh life, from which it takes `Age` off (§4.2);
 * the stale window is offered for revalidation and for errors (RFC 5861 §3, §4). Whole seconds, never more than there are.
 */
export function cacheControl({ ttlMs, staleMs, isPrivate, directives }: ClientCaching): string {
  const staleSeconds = Math.floor(staleMs / 1_000);
  let value = `${isPrivate ? 'private' : 'public'}, max-age=${Math.floor(ttlMs / 1_000)}`;
  if (staleSeconds > 0) value += `, stale-while-revalidate=${staleSeconds}, stale-if-error=${staleSeconds}`;
  for (const directive of directives) value += `, ${directive}`;
  return value;
}

const directive = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]+)))?/g;

/** Directives by lower-case name; the first of a repeated one counts. */
export function parseCacheControl(
  header: string | readonly string[] | undefined,
): ReadonlyMap<string, string | undefined> {
  const directives = new Map<string, string | undefined>();
  if (header === undefined) return directives;
  for (const [, name, quoted, token] of (typeof header === 'string' ? header : header.join(',')).matchAll(
    directive,
  )) {
    const key = name!.toLowerCase();
    if (!directives.has(key)) directives.set(key, quoted ?? token);
  }
  return directives;
}

/** The fresh life that a response claims for shared caches, in milliseconds; undefined when it claims none (§4.2.1). */
export function declaredFreshMs(directives: ReadonlyMap<string, string | undefined>): number | undefined {
  const seconds = directives.get('s-maxage') ?? directives.get('max-age');
  return seconds !== undefined && /^\d{1,10}$/.test(seconds) ? Number(seconds) * 1_000 : undefined;
}

/**
 * How long past its fresh life a response may be served, in milliseconds, where it says so itself; undefined when it leaves
 * that to the policy. Never where it must be revalidated (RFC 9111 §4.2.4), which `s-maxage` asks of a cache like ours too
 * (§5.2.2.10); otherwise the shorter of the two windows of RFC 5861, because ours serves both.
 */
export function declaredStaleMs(directives: ReadonlyMap<string, string | undefined>): number | undefined {
  if (['must-revalidate', 'proxy-revalidate', 's-maxage'].some(name => directives.has(name))) return 0;
  const windows = ['stale-while-revalidate', 'stale-if-error'].flatMap(name => {
    const seconds = directives.get(name);
    return seconds !== undefined && /^\d{1,10}$/.test(seconds) ? [Number(seconds) * 1_000] : [];
  });
  return windows.length === 0 ? undefined : Math.min(...windows);
}
