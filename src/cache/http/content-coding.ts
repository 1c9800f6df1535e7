import { weightedItems } from './header-values';

/** Content codings that we make (RFC 9110 §8.4.1), the one that we would rather send first. */
export const contentCodings = ['br', 'gzip'] as const;
export type ContentCoding = (typeof contentCodings)[number];

/** A body of fewer bytes fits into one packet anyway. */
export const minEncodedBytes = 1_024;

const textual = /^(?:text\/|application\/(?:[\w.-]+\+)?(?:json|xml|javascript|yaml)\b|image\/svg\+xml)/i;

/** Whether bodies of a media type are worth compressing; images and archives are compressed already. */
export function isTextual(contentType: string | undefined): boolean {
  return contentType !== undefined && textual.test(contentType);
}

/**
 * The coding for an `Accept-Encoding` (§12.5.3); undefined for identity, which is always sent when nothing else is wanted. A
 * coding that is not named has the weight of `*`, and without that none.
 */
export function negotiatedCoding(accept: string | readonly string[] | undefined): ContentCoding | undefined {
  if (accept === undefined) return undefined;
  const text = typeof accept === 'string' ? accept : accept.join(',');
  const known = chosen.get(text);
  if (known !== undefined) return known === 'identity' ? undefined : known;
  const coding = choose(text);
  if (text.length <= maxRememberedLength) {
    if (chosen.size >= maxRemembered) chosen.clear();
    chosen.set(text, coding ?? 'identity');
  }
  return coding;
}

/** What was chosen for a text. Clients send few different ones; whoever sends many makes this start anew. */
const chosen = new Map<string, ContentCoding | 'identity'>();
const maxRemembered = 128;
const maxRememberedLength = 128;

function choose(accept: string): ContentCoding | undefined {
  const weights = new Map<string, number>();
  for (const { item, weight } of weightedItems(accept)) {
    const name = item === 'x-gzip' ? 'gzip' : item;
    if (!weights.has(name)) weights.set(name, weight);
  }
  let best: ContentCoding | undefined;
  let bestWeight = 0;
  for (const coding of contentCodings) {
    const weight = weights.get(coding) ?? weights.get('*') ?? 0;
    if (weight > bestWeight) [best, bestWeight] = [coding, weight];
  }
  return (weights.get('identity') ?? 0) > bestWeight ? undefined : best;
}

/** The strong tag of an encoded representation: it is not the identity one, byte by byte (§8.8.3.3). */
export function tagOfCoding(etag: string, coding: ContentCoding | undefined): string {
  return coding === undefined ? etag : `${etag.slice(0, -1)}-${coding}"`;
}

/** The tag of the identity representation, for a write that says with `If-Match` what it has read in some coding. */
export function identityTag(etag: string): string {
  return etag.replace(/-(?:br|gzip)"$/, '"');
}
