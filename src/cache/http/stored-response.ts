import { createHash } from 'node:crypto';
import type { ValueSerializer } from '../core';
import { replayedDirectives, type ReplayedDirective } from './cache-control';
import { isTextual, minEncodedBytes } from './content-coding';

/** Headers that are stored and replayed; everything else belongs to one request alone (RFC 9111 §3.1). */
export const storedHeaders: readonly string[] = Object.freeze([
  'content-type',
  'content-language',
  'content-disposition',
  'content-location',
  'last-modified',
  'link',
  'location',
  'deprecation',
  'sunset',
  'vary',
]);

export interface ResponseParts {
  readonly status: number;
  /** Lower-case names; those that are not in `storedHeaders` are left out. */
  readonly headers: Readonly<Record<string, number | string | readonly string[] | undefined>>;
  readonly body: Uint8Array;
  readonly limits?: ResponseLimits | undefined;
}

/** What a response itself says of how it may be kept, where that is less than its policy allows. */
export interface ResponseLimits {
  /** Fresh life, in milliseconds. */
  readonly freshMs?: number | undefined;
  /** Past its fresh life, in milliseconds. */
  readonly staleMs?: number | undefined;
  readonly directives?: readonly ReplayedDirective[] | undefined;
}

let lastSerial = 0;

/**
 * A response as it is kept: status, headers, body in identity encoding, and its strong entity tag (RFC 9110 §8.8.3),
 * worked out once. Immutable, so that all readers may share it; nobody is handed the bytes to change them.
 */
export class StoredResponse {
  readonly #serial = (lastSerial += 1);
  /** Whether it is sent compressed to clients that can read that. */
  readonly isEncodable: boolean;

  private constructor(
    readonly status: number,
    readonly headers: readonly (readonly [name: string, value: string])[],
    readonly etag: string,
    readonly body: Buffer,
    /** Fresh life where it is shorter than the policy's, in milliseconds. */
    readonly freshMs: number | undefined,
    /** Served so long past its fresh life at most, in milliseconds, where that is less than the policy's window. */
    readonly staleMs: number | undefined,
    readonly directives: readonly ReplayedDirective[],
  ) {
    this.isEncodable =
      body.length >= minEncodedBytes &&
      status !== 204 &&
      !directives.includes('no-transform') &&
      isTextual(headers.find(([name]) => name === 'content-type')?.[1]);
    Object.freeze(this);
  }

  /** Tells it from every other one of this process, without holding it. */
  get serial(): number {
    return this.#serial;
  }

  static of({
    status,
    headers,
    body,
    limits: { freshMs, staleMs, directives = [] } = {},
  }: ResponseParts): StoredResponse {
    const kept: (readonly [string, string])[] = [];
    for (const name of storedHeaders) {
      const value = headers[name];
      if (value !== undefined)
        kept.push([name, typeof value === 'object' ? value.join(', ') : String(value)]);
    }
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    const etag = strongTag(headers.etag) ?? tagOf(kept, bytes);
    return new StoredResponse(status, kept, etag, bytes, freshMs, staleMs, directives);
  }

  get lastModified(): string | undefined {
    return this.headers.find(([name]) => name === 'last-modified')?.[1];
  }

  /** Four bytes of length, the head as JSON, the body. */
  encode(): Uint8Array {
    const head = Buffer.from(
      JSON.stringify([
        this.status,
        this.headers,
        this.etag,
        this.freshMs ?? null,
        this.staleMs ?? null,
        this.directives,
      ]),
      'utf8',
    );
    const bytes = Buffer.allocUnsafe(4 + head.length + this.body.length);
    bytes.writeUInt32BE(head.length, 0);
    head.copy(bytes, 4);
    this.body.copy(bytes, 4 + head.length);
    return bytes;
  }

  /** @throws Error when the bytes are not what `encode` writes */
  static decode(bytes: Uint8Array): StoredResponse {
    // A copy: the bytes may be a view on a larger network buffer, and holding it would hold that too.
    const own = Buffer.from(bytes);
    if (own.length < 4) throw new Error('a stored response is at least four bytes');
    const bodyAt = 4 + own.readUInt32BE(0);
    if (bodyAt > own.length) throw new Error('the head of a stored response is longer than its bytes');
    const head: unknown = JSON.parse(own.toString('utf8', 4, bodyAt));
    if (!isHead(head)) throw new Error('the head of a stored response has another shape');
    const [status, headers, etag, freshMs, staleMs = null, directives = []] = head;
    return new StoredResponse(
      status,
      headers,
      etag,
      own.subarray(bodyAt),
      freshMs ?? undefined,
      staleMs ?? undefined,
      directives,
    );
  }
}

/** The last two came later: a head without them is read as one that says nothing there. */
type Head = [
  status: number,
  headers: [string, string][],
  etag: string,
  freshMs: number | null,
  staleMs?: number | null,
  directives?: ReplayedDirective[],
];

function isHead(head: unknown): head is Head {
  if (!Array.isArray(head) || (head.length !== 4 && head.length !== 6)) return false;
  const [status, headers, etag, freshMs, staleMs = null, directives = []] = head as unknown[];
  return (
    Number.isInteger(status) &&
    isListOf(headers, pair => isListOf(pair, text => typeof text === 'string') && pair.length === 2) &&
    typeof etag === 'string' &&
    isMsOrNull(freshMs) &&
    isMsOrNull(staleMs) &&
    isListOf(directives, name => (replayedDirectives as readonly unknown[]).includes(name))
  );
}

function isListOf(value: unknown, isItem: (item: unknown) => boolean): value is unknown[] {
  return Array.isArray(value) && value.every(isItem);
}

function isMsOrNull(value: unknown): boolean {
  return value === null || typeof value === 'number';
}

/** An entity tag that the handler gave, such as a version; a weak one is replaced by our own. */
function strongTag(given: number | string | readonly string[] | undefined): string | undefined {
  return typeof given === 'string' && /^"[\x21\x23-\x7e\x80-\xff]*"$/.test(given) ? given : undefined;
}

/** One tag a representation: other bytes or another media type or language have another. */
function tagOf(headers: readonly (readonly [string, string])[], body: Uint8Array): string {
  const hash = createHash('sha256');
  for (const [name, value] of headers) if (name.startsWith('content-')) hash.update(`${name}:${value}\n`);
  return `"${hash.update('\n').update(body).digest('base64url').slice(0, 27)}"`;
}

/** How stored responses become bytes in the cache. Nothing else may be stored under a policy of a route. */
export const storedResponseSerializer: ValueSerializer = Object.freeze({
  id: 3,
  isolation: 'share',
  encode(value: unknown): Uint8Array {
    if (!(value instanceof StoredResponse)) throw new TypeError('only a stored response can be stored here');
    return value.encode();
  },
  decode: (bytes: Uint8Array): StoredResponse => StoredResponse.decode(bytes),
});
