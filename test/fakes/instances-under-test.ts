import { BrotliCompressor } from '../../src/cache/codec/brotli-compressor';
import { MsgpackSerializer } from '../../src/cache/codec/msgpack-serializer';
import {
  TieredCache,
  type Compressor,
  type LoadScope,
  type NearEntry,
  type TieredCacheOptions,
} from '../../src/cache/core';
import { MemoryStore } from '../../src/cache/memory/memory-store';
import { AsyncScopes } from '../../src/cache/node/async-scopes';
import { NodeHash } from '../../src/cache/node/node-hash';
import { FakeClock, settled } from './fake-clock';
import { FakeRedis } from './fake-redis';
import { FakeRedisTier } from './fake-redis-tier';
import { Structures } from './structures';
import { atOnce, type Postman } from './wire';

/** Bytes that L1 accounts for an entry besides its value and its name. */
const entryOverheadBytes = 200;
/** One for all: each costs something at every promise of the process, for good. */
const scopes = new AsyncScopes<LoadScope>();
const hash = new NodeHash();
const structures = Structures.watch();

/** A cache with a way to a fake Redis, and what can be done to that way. */
export interface InstanceUnderTest {
  readonly cache: TieredCache;
  readonly tier: FakeRedisTier;
  readonly store: MemoryStore<NearEntry>;
}

/** Instances of the cache on one fake Redis and one clock that is advanced by hand. */
export class InstancesUnderTest {
  readonly clock = new FakeClock();
  readonly redis = new FakeRedis(this.clock);
  readonly all: InstanceUnderTest[] = [];

  constructor(
    private readonly postman: Postman = atOnce,
    private readonly options: TieredCacheOptions = {},
    private readonly compressor: Compressor = new BrotliCompressor(),
  ) {
    structures.forget();
  }

  add(): InstanceUnderTest {
    const name = 'abcdefgh'[this.all.length]!;
    const tier = new FakeRedisTier({
      redis: this.redis,
      hash,
      name,
      postman: this.postman,
      maxL1StalenessMs: this.options.maxL1StalenessMs,
    });
    const store = new MemoryStore<NearEntry>(this.clock);
    const cache = new TieredCache(
      {
        clock: this.clock,
        hash,
        local: store,
        scopes,
        codec: { serializer: new MsgpackSerializer(), compressors: [this.compressor] },
        remote: tier,
        random: () => 0,
      },
      this.options,
    );
    const instance = { cache, tier, store };
    this.all.push(instance);
    return instance;
  }

  /**
   * What is wrong although nobody waits for anything, in words: a load, a flight, a waiter, a lease or a timer left over, or
   * an L1 that accounts for something else than it holds. Each instance keeps one timer, its heartbeat, until it is closed.
   */
  leftOver({ closed = false } = {}): string[] {
    const wrong = structures.leftOver();
    for (const { cache, store } of this.all) {
      const status = cache.status();
      if (status.loadsInFlight > 0) wrong.push(`${status.loadsInFlight} loads left over`);
      const names = [...store.keys()];
      const bytes = names.reduce(
        (sum, name) => sum + store.peek(name)!.held.size + name.length * 2 + entryOverheadBytes,
        0,
      );
      if (status.l1Entries !== names.length || status.l1Bytes !== bytes)
        wrong.push(
          `L1 says ${status.l1Entries} entries of ${status.l1Bytes} bytes, not ${names.length} of ${bytes}`,
        );
    }
    const leases = this.redis.keys.filter(key => key.includes(':l:'));
    if (leases.length > 0) wrong.push(`leases left over: ${leases.join(', ')}`);
    const sweeps = this.all.filter(({ store }) => store.sweeping).length;
    const timers = this.clock.pending - sweeps - (closed ? 0 : this.all.length);
    if (timers !== 0) wrong.push(`${timers} timers left over`);
    return wrong;
  }

  /** Closes every instance and looks once more. */
  async expectAtRest(): Promise<void> {
    await settled();
    expect(this.leftOver()).toEqual([]);
    await Promise.all(this.all.map(({ cache }) => cache.close()));
    expect(this.leftOver({ closed: true })).toEqual([]);
    expect(this.all.map(({ store }) => store.entries)).toEqual(this.all.map(() => 0));
  }
}

/** Makes instances on a fake Redis of their own for each test, and looks at all of them after it. */
export function instancesUnderTest(): (
  count: number,
  postman?: Postman,
  compressor?: Compressor,
) => Promise<InstancesUnderTest> {
  const made: InstancesUnderTest[] = [];
  afterEach(async () => {
    for (const one of made.splice(0)) await one.expectAtRest();
  });
  return async (count, postman, compressor) => {
    const instances = new InstancesUnderTest(postman, {}, compressor);
    made.push(instances);
    for (let index = 0; index < count; index += 1) await instances.add().cache.ready();
    await settled();
    return instances;
  };
}
