import { BrotliCompressor } from '../../src/cache/codec/brotli-compressor';
import { MsgpackSerializer } from '../../src/cache/codec/msgpack-serializer';
import {
  definePolicy,
  TieredCache,
  type CachePolicy,
  type CodecOptions,
  type LoadScope,
  type NearEntry,
  type TieredCacheOptions,
  type Tracer,
} from '../../src/cache/core';
import { MemoryStore, type MemoryStoreOptions } from '../../src/cache/memory/memory-store';
import { AsyncScopes } from '../../src/cache/node/async-scopes';
import { NodeHash } from '../../src/cache/node/node-hash';
import { FakeClock, settled } from './fake-clock';

export interface CacheUnderTestOptions extends TieredCacheOptions {
  codec?: Partial<CodecOptions>;
  local?: MemoryStoreOptions;
  tracer?: Tracer;
  /** For jitter. Default: 0, no jitter at all. */
  random?: () => number;
}

/** One for all: each costs something at every promise of the process. */
const scopes = new AsyncScopes<LoadScope>();

/** Bytes that L1 accounts for an entry besides its value and its name. */
const entryOverheadBytes = 200;

/** A cache without a shared tier on a clock that is advanced by hand. */
export class CacheUnderTest {
  readonly clock = new FakeClock();
  readonly store: MemoryStore<NearEntry>;
  readonly cache: TieredCache;

  constructor(options: CacheUnderTestOptions = {}) {
    const { codec, local, tracer, random = () => 0, ...cacheOptions } = options;
    this.store = new MemoryStore<NearEntry>(this.clock, local);
    this.cache = new TieredCache(
      {
        clock: this.clock,
        hash: new NodeHash(),
        local: this.store,
        scopes,
        tracer,
        codec: { serializer: new MsgpackSerializer(), compressors: [new BrotliCompressor()], ...codec },
        random,
      },
      cacheOptions,
    );
  }

  /**
   * What must hold whenever nobody is waiting for anything: no load and no timer is left over (but L1's sweep, while it holds
   * something), and L1 accounts for exactly what it holds. Closes the cache and looks once more.
   */
  async expectAtRest(): Promise<void> {
    await settled();
    expect({ loads: this.cache.status().loadsInFlight, timers: this.clock.pending }).toEqual({
      loads: 0,
      timers: this.store.sweeping ? 1 : 0,
    });
    const names = [...this.store.keys()];
    const bytes = names.reduce(
      (sum, name) => sum + this.store.get(name)!.held.size + name.length * 2 + entryOverheadBytes,
      0,
    );
    expect(this.cache.status()).toMatchObject({ l1Entries: names.length, l1Bytes: bytes });
    await this.cache.close();
    expect({ entries: this.store.entries, bytes: this.store.bytes, timers: this.clock.pending }).toEqual({
      entries: 0,
      bytes: 0,
      timers: 0,
    });
  }
}

/** Makes caches and looks at each of them after its test. */
export function cachesUnderTest(): (options?: CacheUnderTestOptions) => CacheUnderTest {
  const made: CacheUnderTest[] = [];
  afterEach(async () => {
    for (const one of made.splice(0)) await one.expectAtRest();
  });
  return options => {
    const one = new CacheUnderTest(options);
    made.push(one);
    return one;
  };
}

/** A policy whose times are exact. */
export function exactPolicy(options: Parameters<typeof definePolicy>[1] = {}): CachePolicy {
  return definePolicy('exact', { ttlMs: 1_000, jitter: 0, refreshAheadFraction: 0, ...options });
}

/** A loader that counts its runs and is held until it is released or failed by hand, run by run. */
export class HeldLoader<T> {
  readonly #runs: { release(value: T): void; fail(error: unknown): void }[] = [];
  readonly signals: AbortSignal[] = [];

  get runs(): number {
    return this.#runs.length;
  }

  readonly load = ({ signal }: { signal: AbortSignal }): Promise<T> => {
    this.signals.push(signal);
    return new Promise<T>((release, fail) => this.#runs.push({ release, fail }));
  };

  /** Settles one run, the first one by default. */
  release(value: T, run = 0): void {
    this.#runs[run]!.release(value);
  }

  fail(error: unknown, run = 0): void {
    this.#runs[run]!.fail(error);
  }
}
