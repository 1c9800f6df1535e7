import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { ContentCoding } from './content-coding';
import type { StoredResponse } from './stored-response';

const brotli = promisify(brotliCompress);
const zip = promisify(gzip);
/** Quick ones: a hot body is encoded once, but a cold one while somebody waits. */
const brotliQuality = 4;
const gzipLevel = 6;

/** Longer ones are left as they are: Node copies a string to the stack up to 16 KiB, and its head is in it. Bytes. */
const maxTextBytes = 12 * 1_024;

/** Bytes, or a string of them with one byte a character (`latin1`), which Node writes in one piece with the head. */
export type Payload = Buffer | string;

type Form = ContentCoding | 'identity';

interface Kept {
  readonly body: Payload;
  readonly bytes: number;
  isUsed: boolean;
}

/**
 * Bodies in the codings that clients asked for, and short ones as strings, which are quicker to send. One that is asked for
 * a second time is hot and is kept, so that each is encoded twice at most, in the thread pool; what is kept is bounded in
 * bytes, and what nobody used goes first. The stored response itself is the name: another one under the same key has other
 * bodies, so nothing here can be out of date.
 */
export class EncodedBodies {
  readonly #kept: Readonly<Record<Form, Map<StoredResponse, Kept>>> = {
    identity: new Map(),
    br: new Map(),
    gzip: new Map(),
  };
  readonly #asked: Readonly<Record<Form, WeakSet<StoredResponse>>> = {
    identity: new WeakSet(),
    br: new WeakSet(),
    gzip: new WeakSet(),
  };
  readonly #pending: Readonly<Record<ContentCoding, Map<StoredResponse, Promise<Payload>>>> = {
    br: new Map(),
    gzip: new Map(),
  };
  #bytes = 0;

  /** @param maxBytes kept at most, the stored responses that they belong to included; 0 keeps nothing */
  constructor(private readonly maxBytes: number) {}

  get bytes(): number {
    return this.#bytes;
  }

  /** The body as it is stored. */
  identity(stored: StoredResponse): Payload {
    const { length } = stored.body;
    if (length > maxTextBytes || 2 * length > this.maxBytes) return stored.body;
    const ready = this.ready(stored, 'identity');
    if (ready !== undefined) return ready;
    if (!this.#asked.identity.has(stored)) {
      this.#asked.identity.add(stored);
      return stored.body;
    }
    const body = payloadOf(stored.body);
    this.#keep(stored, 'identity', body);
    return body;
  }

  /** The body in a coding if it is at hand. */
  ready(stored: StoredResponse, coding: Form): Payload | undefined {
    const kept = this.#kept[coding].get(stored);
    if (kept === undefined) return undefined;
    kept.isUsed = true;
    return kept.body;
  }

  /** The body in a coding; callers at one time share the work. */
  async encode(stored: StoredResponse, coding: ContentCoding): Promise<Payload> {
    const ready = this.ready(stored, coding) ?? this.#pending[coding].get(stored);
    if (ready !== undefined) return ready;
    const isHot = this.#asked[coding].has(stored);
    this.#asked[coding].add(stored);
    const pending = compress(stored.body, coding).then(payloadOf);
    this.#pending[coding].set(stored, pending);
    try {
      const body = await pending;
      if (isHot) this.#keep(stored, coding, body);
      return body;
    } finally {
      this.#pending[coding].delete(stored);
    }
  }

  #keep(stored: StoredResponse, coding: Form, body: Payload): void {
    const bytes = body.length + stored.body.length;
    if (bytes > this.maxBytes) return;
    this.#kept[coding].set(stored, { body, bytes, isUsed: false });
    this.#bytes += bytes;
    while (this.#bytes > this.maxBytes) this.#makeRoom();
  }

  /** Second chance: the oldest goes, unless it was used since it was last looked at. */
  #makeRoom(): void {
    const [larger] = Object.values(this.#kept).sort((a, b) => b.size - a.size);
    for (const [stored, kept] of larger!) {
      larger!.delete(stored);
      if (kept.isUsed) {
        kept.isUsed = false;
        larger!.set(stored, kept);
      } else {
        this.#bytes -= kept.bytes;
      }
      return;
    }
  }
}

function payloadOf(body: Buffer): Payload {
  return body.length > maxTextBytes ? body : body.toString('latin1');
}

function compress(body: Buffer, coding: ContentCoding): Promise<Buffer> {
  if (coding === 'gzip') return zip(body, { level: gzipLevel });
  return brotli(body, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: brotliQuality,
      [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
    },
  });
}
