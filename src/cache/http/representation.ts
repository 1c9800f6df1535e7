import { isNotModified, notModifiedHeaders, type ConditionalHeaders } from './conditional';
import { negotiatedCoding, tagOfCoding, type ContentCoding } from './content-coding';
import type { StoredResponse } from './stored-response';
import { mergedVary } from './vary';

export interface RepresentationRequest {
  readonly method?: string | undefined;
  readonly headers: ConditionalHeaders & {
    readonly 'accept-encoding'?: string | readonly string[] | undefined;
  };
}

/** What of a stored response goes out to one client. */
export interface Representation {
  readonly status: number;
  /** The client has it already (RFC 9110 §15.4.5). */
  readonly isNotModified: boolean;
  /** Undefined for identity. */
  readonly coding: ContentCoding | undefined;
  readonly etag: string;
}

/** Chooses the representation for a client, and then whether the client has that one: a tag in another coding is another tag. */
export function representationFor(
  { headers }: RepresentationRequest,
  stored: StoredResponse,
): Representation {
  const coding = stored.isEncodable ? negotiatedCoding(headers['accept-encoding']) : undefined;
  const etag = tagOfCoding(stored.etag, coding);
  const same = stored.status === 200 && isNotModified(headers, { etag, lastModified: stored.lastModified });
  return { status: same ? 304 : stored.status, isNotModified: same, coding, etag };
}

/** The fields that say how an answer came about. */
export interface AnswerFields {
  readonly cacheStatus: string;
  readonly cacheControl: string;
  /** Whole seconds in our cache; undefined for an answer that comes straight from the handler. */
  readonly age: number | undefined;
  /** Names of the request headers that the key declares. */
  readonly vary: readonly string[];
}

/**
 * The header fields of an answer from the store, names and values in turn: one function for every way out, so that they
 * cannot differ. A 304 has those of the 200 that it stands for, except what describes the content that it leaves out.
 *
 * @param vary what is on the response already, such as the `Origin` of CORS
 * @param body the bytes of the representation; for a 304 it does not matter
 */
export function headerFields(
  stored: StoredResponse,
  { isNotModified: same, coding, etag }: Representation,
  answer: AnswerFields,
  vary: number | string | readonly string[] | undefined,
  body: { readonly length: number } | undefined,
): string[] {
  const fields: string[] = [];
  for (const [name, value] of stored.headers) {
    if (!same || notModifiedHeaders.has(name)) fields.push(name, value);
  }
  fields.push('ETag', etag, 'Cache-Control', answer.cacheControl, 'Cache-Status', answer.cacheStatus);
  if (answer.age !== undefined) fields.push('Age', String(answer.age));
  const merged = varyOf(stored, answer.vary, vary);
  if (merged !== undefined) fields.push('Vary', merged);
  if (same || body === undefined) return fields;
  if (coding !== undefined) fields.push('Content-Encoding', coding);
  if (stored.status !== 204) fields.push('Content-Length', String(body.length));
  return fields;
}

/** What the answer depends on: the headers of the key, the coding, and what somebody else has said already. */
function varyOf(
  { isEncodable }: StoredResponse,
  keyed: readonly string[],
  vary: Parameters<typeof mergedVary>[0],
): string | undefined {
  if (!isEncodable) return keyed.length === 0 ? undefined : mergedVary(vary, keyed);
  return keyed.length === 0 && vary === undefined
    ? acceptEncoding
    : mergedVary(vary, [...keyed, acceptEncoding]);
}

const acceptEncoding = 'Accept-Encoding';
