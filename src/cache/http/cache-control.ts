/** `Cache-Control`, read and written (RFC 9111 §5.2, RFC 5861). */

export const noStore = 'no-store';
/** For answers that depend on who asks: a cache in front of us must not keep them either. */
export const privateNoStore = 'private, no-store';

/** Durations are milliseconds; the header gets whole seconds, never more than there are. */
export interface Lifetimes {
  readonly ttlMs: number;
  readonly staleMs: number;
}

/**
 * What a client may do with a response: `max-age` is the whole fresh life, from which it takes `Age` off (§4.2);
 * the stale window is offered for revalidation and for errors (RFC 5861 §3, §4).
 */
export function cacheControl({ ttlMs, staleMs }: Lifetimes): string {
  const staleSeconds = Math.floor(staleMs / 1_000);
  const fresh = `public, max-age=${Math.floor(ttlMs / 1_000)}`;
  return staleSeconds === 0
    ? fresh
    : `${fresh}, stale-while-revalidate=${staleSeconds}, stale-if-error=${staleSeconds}`;
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
