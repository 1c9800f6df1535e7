/** Conditional requests (RFC 9110 §13) against a stored representation. */

export interface Validators {
  readonly etag: string;
  /** An HTTP date, where it is known. */
  readonly lastModified: string | undefined;
}

export interface ConditionalHeaders {
  readonly 'if-none-match'?: string | readonly string[] | undefined;
  readonly 'if-modified-since'?: string | readonly string[] | undefined;
}

const entityTag = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g;

/**
 * Whether the client already has this representation. `If-None-Match` decides alone when it is there (§13.1.2, §13.2.2);
 * `If-Modified-Since` counts only with a known modification date (§13.1.3).
 */
export function isNotModified(headers: ConditionalHeaders, validators: Validators): boolean {
  const noneMatch = headers['if-none-match'];
  if (noneMatch !== undefined) {
    const list = typeof noneMatch === 'string' ? noneMatch : noneMatch.join(',');
    // What nearly every client sends: the one tag that it has.
    if (list === validators.etag || list.trim() === '*') return true;
    // A list that is none matches nothing: the client then gets the whole, which is never wrong.
    if (!/^[\s,]*$/.test(list.replace(entityTag, ''))) return false;
    return (list.match(entityTag) ?? []).some(tag => weakly(tag) === weakly(validators.etag));
  }
  const since = headers['if-modified-since'];
  if (typeof since !== 'string' || validators.lastModified === undefined) return false;
  const modifiedMs = parseHttpDate(validators.lastModified);
  const sinceMs = parseHttpDate(since);
  return modifiedMs !== undefined && sinceMs !== undefined && modifiedMs <= sinceMs;
}

/** Weak comparison (§8.8.3.2): the opaque parts are equal. */
function weakly(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag;
}

const imfFixdate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
const rfc850 = /^[A-Z][a-z]+, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/;
const asctime = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/;

/** The three forms of §5.6.7, in milliseconds; undefined for anything else, which is then ignored. */
export function parseHttpDate(text: string): number | undefined {
  let ms = Number.NaN;
  if (imfFixdate.test(text) || rfc850.test(text)) ms = Date.parse(text);
  else if (asctime.test(text)) ms = Date.parse(`${text} GMT`);
  return Number.isNaN(ms) ? undefined : ms;
}

/** Of the headers of a 200, those that its 304 carries as well (§15.4.5). Names in lower case. */
export const notModifiedHeaders: ReadonlySet<string> = new Set([
  'content-location',
  'etag',
  'last-modified',
  'link',
]);
