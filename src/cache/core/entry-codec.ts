import type { Clock } from './clock';
import { CacheOptionsError, CacheValueError } from './errors';
import { Lane } from './lane';
import { checkDuration } from './policy';

import type { Compressor, ValueSerializer } from './ports';

/**
 * Values to payloads and back: serialise, compress where it pays, and give every reader a value that it cannot
 * change for the others.
 */
export interface CodecOptions {
  /** Serialiser of policies that name none. */
  serializer: ValueSerializer;
  /** Further serialisers whose entries can be read. */
  serializers?: readonly ValueSerializer[];
  /** Compressor of new entries; the first one writes, all of them read. */
  compressors?: readonly Compressor[];
  /** Payloads above this many bytes are compressed. From 0; default 4,096: below, inflating takes as long as all else that a read does (docs/decisions/0011). */
  compressAboveBytes?: number;
  /**
   * Values above this many bytes are compressed and inflated off the event loop, so that nobody else waits for it. From 0,
   * which means all that are compressed; default 102,400 (100 KiB).
   */
  asideAboveBytes?: number;
  /** A compressed form is kept only if it saves at least this share. From 0 to 1; default 0.1. */
  minSaving?: number;
  /** A serialised value may have so many bytes. From 1 to 268,435,456 (256 MiB); default 1,048,576. */
  maxValueBytes?: number;
}

export const codecDefaults = Object.freeze({
  compressAboveBytes: 4_096,
  asideAboveBytes: 102_400,
  minSaving: 0.1,
  maxValueBytes: 1_048_576,
});

/** So many are compressed or inflated aside at once: half of Node's default pool, which files and names need as well. */
const maxAside = 2;
/** Whoever has waited for that so long, in milliseconds, does it at once. */
const asidePatienceMs = 1_000;
/** So many wait for that; each holds its bytes, and a load its lease. */
const maxWaitingAside = 64;

export interface StoredPayload {
  payload: Uint8Array;
  serializerId: number;
  /** 0: it is not compressed. */
  compressorId: number;
  rawLength: number;
}

export interface EncodedValue extends StoredPayload {
  /** The value as readers get it. */
  held: HeldValue;
}

/**
 * A value ready to be read: one frozen object for all readers, or bytes that are decoded for each of them
 * (Date, Map, Set and Buffer cannot be frozen).
 */
export class HeldValue {
  /** What readers of a shared value await, made for the first of them: a hit then allocates nothing. */
  private promise: Promise<unknown> | undefined;

  private constructor(
    readonly shared: boolean,
    private readonly value: unknown,
    private readonly bytes: Uint8Array | undefined,
    private readonly serializer: ValueSerializer | undefined,
    /** Bytes to account for in L1. */
    readonly size: number,
  ) {}

  /** A value that is handed on as it is: it could not be stored, or there is nothing to protect. */
  static bare(value: unknown): HeldValue {
    return new HeldValue(true, value, undefined, undefined, 0);
  }

  static decode(bytes: Uint8Array, serializer: ValueSerializer): HeldValue {
    const value = serializer.decode(bytes);
    if (serializer.isolation === 'share' || serializer.isFrozen?.(bytes) === true || freezeIfPlain(value)) {
      return new HeldValue(true, value, undefined, undefined, bytes.length);
    }
    // The bytes may be a view on a larger network buffer; holding it would hold that too. A Buffer's own `slice` is no copy.
    const own = Uint8Array.prototype.slice.call(bytes) as Uint8Array;
    return new HeldValue(false, undefined, own, serializer, bytes.length);
  }

  read(): unknown {
    return this.shared ? this.value : this.serializer!.decode(this.bytes!);
  }

  /** `read` for a caller that awaits it. */
  readLater(): Promise<unknown> {
    if (!this.shared) return new Promise(resolve => resolve(this.read()));
    return (this.promise ??= Promise.resolve(this.value));
  }
}

export class EntryCodec {
  readonly #default: ValueSerializer;
  readonly #serializers: Map<number, ValueSerializer>;
  readonly #compressors: Map<number, Compressor>;
  readonly #compressor: Compressor | undefined;
  readonly #compressAboveBytes: number;
  readonly #asideAboveBytes: number;
  readonly #minSaving: number;
  readonly #aside = new Lane(maxAside);
  readonly maxValueBytes: number;
  compressions = 0;
  bytesIn = 0;
  bytesOut = 0;

  /** @throws CacheOptionsError naming the option and the value */
  constructor(
    options: CodecOptions,
    private readonly clock: Clock,
  ) {
    checkCodecOptions(options);
    this.#default = options.serializer;
    this.#serializers = new Map([options.serializer, ...(options.serializers ?? [])].map(s => [s.id, s]));
    this.#compressors = new Map((options.compressors ?? []).map(c => [c.id, c]));
    this.#compressor = options.compressors?.[0];
    this.#compressAboveBytes = options.compressAboveBytes ?? codecDefaults.compressAboveBytes;
    this.#asideAboveBytes = options.asideAboveBytes ?? codecDefaults.asideAboveBytes;
    this.#minSaving = options.minSaving ?? codecDefaults.minSaving;
    this.maxValueBytes = options.maxValueBytes ?? codecDefaults.maxValueBytes;
  }

  /**
   * The value as bytes and as readers get it, not yet compressed: what stays in this process never is.
   * @throws CacheValueError when the value cannot be serialised or is larger than `maxValueBytes`
   */
  encode(value: unknown, serializer: ValueSerializer = this.#default): EncodedValue {
    const stored = this.#serialise(value, serializer);
    // A reader of this instance gets what a reader of another one would: the decoded copy, not the loader's object.
    return { ...stored, held: readBack(stored.payload, serializer) };
  }

  /** The same for a value that nobody here is to read. It is read back all the same where its serialiser does not vouch for it. */
  encodeForOthers(value: unknown, serializer: ValueSerializer = this.#default): StoredPayload {
    const stored = this.#serialise(value, serializer);
    if (!serializer.readsBack) readBack(stored.payload, serializer);
    return stored;
  }

  #serialise(value: unknown, serializer: ValueSerializer): StoredPayload {
    const raw = serialise(value, serializer);
    if (raw.length > this.maxValueBytes) {
      throw new CacheValueError(
        `a value of ${raw.length} bytes is over the limit of ${this.maxValueBytes}`,
        'VALUE_TOO_LARGE',
      );
    }
    this.#serializers.set(serializer.id, serializer);
    return { payload: raw, serializerId: serializer.id, compressorId: 0, rawLength: raw.length };
  }

  /** The same value as it is stored elsewhere: compressed where that pays. At once, unless it is large and few others are. */
  compress(encoded: EncodedValue): EncodedValue | Promise<EncodedValue> {
    const compressor = this.#compressor;
    const { payload } = encoded;
    if (!compressor || !this.#goesAside(payload.length)) return this.compressNow(encoded);
    return this.#beside(
      () => compressor.compressAside(payload),
      () => compressor.compress(payload),
    ).then(compressed => this.#smaller(encoded, compressor, compressed));
  }

  /** The same at once, however large: for writes, which must leave in the order of their calls. */
  compressNow<P extends StoredPayload>(encoded: P): P {
    const compressor = this.#compressor;
    const { payload } = encoded;
    if (!compressor || payload.length <= this.#compressAboveBytes) return encoded;
    return this.#smaller(encoded, compressor, compressor.compress(payload));
  }

  /** Large values that wait to be compressed or inflated. */
  get waitingAside(): number {
    return this.#aside.waiting;
  }

  /** With many in line the event loop does the work, as it does for what is small: the line has an end, and who reads slows down. */
  #goesAside(bytes: number): boolean {
    return bytes > this.#asideAboveBytes && this.#aside.waiting < maxWaitingAside;
  }

  /**
   * At once, unless the value is large. Whoever wants it meanwhile waits for the same reading.
   * @throws when the payload is not what its header says
   */
  decode(entry: StoredPayload): HeldValue | Promise<HeldValue> {
    const { payload, compressorId, rawLength } = entry;
    const serializer = this.#serializers.get(entry.serializerId);
    if (!serializer) throw new Error(`no serialiser ${entry.serializerId}`);
    if (compressorId === 0) return HeldValue.decode(payload, serializer);
    const compressor = this.#compressors.get(compressorId);
    if (!compressor) throw new Error(`no compressor ${compressorId}`);
    const maxBytes = Math.min(rawLength, this.maxValueBytes);
    const read = (raw: Uint8Array): HeldValue => {
      if (raw.length !== rawLength) throw new Error('the inflated length differs from the header');
      return HeldValue.decode(raw, serializer);
    };
    if (!this.#goesAside(rawLength)) return read(compressor.decompress(payload, maxBytes));
    return this.#beside(
      () => compressor.decompressAside(payload, maxBytes),
      () => compressor.decompress(payload, maxBytes),
    ).then(read);
  }

  /** Off the event loop, unless that takes too long: its threads may be held up by names that nobody resolves. */
  #beside(aside: () => Promise<Uint8Array>, here: () => Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const timer = this.clock.schedule(asidePatienceMs, () => resolve(Promise.resolve().then(here)));
      this.#aside.run(aside).then(
        bytes => {
          timer.cancel();
          resolve(bytes);
        },
        (error: Error) => {
          timer.cancel();
          reject(error);
        },
      );
    });
  }

  #smaller<P extends StoredPayload>(encoded: P, { id }: Compressor, compressed: Uint8Array): P {
    const { rawLength } = encoded;
    if (compressed.length > rawLength * (1 - this.#minSaving)) return encoded;
    this.compressions += 1;
    this.bytesIn += rawLength;
    this.bytesOut += compressed.length;
    return { ...encoded, payload: compressed, compressorId: id };
  }
}

const largestValueBytes = 268_435_456;

function checkCodecOptions(options: CodecOptions): void {
  const { compressAboveBytes, asideAboveBytes, minSaving, maxValueBytes } = options;
  if (compressAboveBytes !== undefined)
    checkDuration('codec', 'compressAboveBytes', compressAboveBytes, 0, largestValueBytes);
  if (asideAboveBytes !== undefined)
    checkDuration('codec', 'asideAboveBytes', asideAboveBytes, 0, largestValueBytes);
  if (maxValueBytes !== undefined)
    checkDuration('codec', 'maxValueBytes', maxValueBytes, 1, largestValueBytes);
  if (minSaving !== undefined && !(minSaving >= 0 && minSaving <= 1)) {
    throw new CacheOptionsError(`codec: minSaving must be a number from 0 to 1, not ${String(minSaving)}`);
  }
  // One byte of the entry holds the serialiser, four bits the compressor.
  checkIds('serialiser', [options.serializer, ...(options.serializers ?? [])], 0, 255);
  checkIds('compressor', options.compressors ?? [], 1, 15);
}

function checkIds(what: string, all: readonly { id: number }[], min: number, max: number): void {
  const ids = new Set<number>();
  for (const { id } of all) {
    checkDuration('codec', `id of a ${what}`, id, min, max);
    if (ids.has(id)) throw new CacheOptionsError(`codec: two ${what}s have the id ${id}`);
    ids.add(id);
  }
}

function serialise(value: unknown, serializer: ValueSerializer): Uint8Array {
  try {
    return serializer.encode(value);
  } catch (cause) {
    throw new CacheValueError('the value cannot be serialised', 'VALUE_NOT_SERIALISABLE', { cause });
  }
}

function readBack(raw: Uint8Array, serializer: ValueSerializer): HeldValue {
  try {
    return HeldValue.decode(raw, serializer);
  } catch (cause) {
    throw new CacheValueError('the value cannot be read back', 'VALUE_NOT_SERIALISABLE', { cause });
  }
}

const maxDepth = 512;

/**
 * Deep-freezes plain data (objects, arrays, primitives) and says so; false as soon as there is anything else in it. What was
 * frozen by then is of no use to anybody: the value has just been decoded.
 */
function freezeIfPlain(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return typeof value !== 'function';
  if (depth > maxDepth) return false;
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at += 1) if (!freezeIfPlain(value[at], depth + 1)) return false;
  } else {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) return false;
    for (const name in value) {
      if (!freezeIfPlain((value as Record<string, unknown>)[name], depth + 1)) return false;
    }
  }
  Object.freeze(value);
  return true;
}
