import type { Scheduler } from 'fast-check';
import { BrotliCompressor } from '../../src/cache/codec/brotli-compressor';
import { MsgpackSerializer } from '../../src/cache/codec/msgpack-serializer';
import {
  definePolicy,
  TieredCache,
  type LoadControl,
  type LoadScope,
  type NearEntry,
} from '../../src/cache/core';
import { MemoryStore } from '../../src/cache/memory/memory-store';
import { AsyncScopes } from '../../src/cache/node/async-scopes';
import { NodeHash } from '../../src/cache/node/node-hash';
import { FakeClock, settled } from '../fakes/fake-clock';
import { FakeRedis } from '../fakes/fake-redis';
import { FakeRedisTier } from '../fakes/fake-redis-tier';

/** Life is long and exact: in these tests entries end by invalidation alone. */
export const policy = definePolicy('exact', { ttlMs: 3_600_000, jitter: 0, refreshAheadFraction: 0 });

const maxL1StalenessMs = 2_000;
/** One for all: each costs something at every promise of the process, for good. */
const scopes = new AsyncScopes<LoadScope>();

export interface Instance {
  cache: TieredCache;
  tier: FakeRedisTier;
  store: MemoryStore<NearEntry>;
  /** Per key, the newest version whose invalidation this instance was told is done. */
  acked: Map<string, number>;
}

/**
 * Instances of the real cache on one fake Redis. Everything that travels between them waits until the scheduler lets it arrive; time passes
 * only when nothing else can happen.
 */
export class Cluster {
  readonly clock = new FakeClock();
  readonly redis = new FakeRedis(this.clock);
  readonly instances: Instance[] = [];
  /** The source: versions by key, which only grow. */
  readonly versions = new Map<string, number>();
  readonly loadsOf = new Map<string, number>();
  /** What went wrong, in the order in which it was noticed. */
  readonly wrong: string[] = [];

  constructor(
    private readonly scheduler: Scheduler,
    count: number,
  ) {
    const hash = new NodeHash();
    for (let index = 0; index < count; index += 1) {
      const tier = new FakeRedisTier({
        redis: this.redis,
        hash,
        name: `${'abc'[index]!}`,
        postman: (label, deliver) => void scheduler.schedule(Promise.resolve(), label).then(deliver),
      });
      const store = new MemoryStore<NearEntry>(this.clock);
      const cache = new TieredCache({
        clock: this.clock,
        hash,
        local: store,
        scopes,
        codec: { serializer: new MsgpackSerializer(), compressors: [new BrotliCompressor()] },
        remote: tier,
        random: () => 0,
      });
      this.instances.push({ cache, tier, store, acked: new Map() });
    }
  }

  version(key: string): number {
    return this.versions.get(key) ?? 1;
  }

  bump(key: string): number {
    const next = this.version(key) + 1;
    this.versions.set(key, next);
    return next;
  }

  /** Looks at the source at a moment of the scheduler's choice, and answers at another. */
  load(key: string): (control?: LoadControl) => Promise<number> {
    return async () => {
      this.loadsOf.set(key, (this.loadsOf.get(key) ?? 0) + 1);
      await this.scheduler.schedule(Promise.resolve(), `load ${key}`);
      const version = this.version(key);
      await this.scheduler.schedule(Promise.resolve(), `loaded ${key}@${version}`);
      return version;
    };
  }

  /** A read, and what it may not answer: less than this instance was told is gone, or what never was. */
  async check(instance: Instance, key: string, read: () => Promise<number | undefined>): Promise<void> {
    const floor = instance.acked.get(key) ?? 1;
    const version = await read();
    if (version === undefined) return;
    if (version < floor) this.wrong.push(`${key}@${version} was read after @${floor} had been acknowledged`);
    if (version > this.version(key)) this.wrong.push(`${key}@${version} was read and never was`);
  }

  /** Lets everything happen that can, in the scheduler's order; time passes only when nothing else can. */
  async run(work: Promise<unknown>): Promise<void> {
    let over = false;
    let failure: unknown;
    work.then(
      () => (over = true),
      (error: unknown) => {
        over = true;
        failure = error;
      },
    );
    for (let idle = 0; !over || this.scheduler.count() > 0;) {
      await settled();
      if (this.scheduler.count() > 0) {
        await this.scheduler.waitNext(1);
        idle = 0;
      } else if (!over) {
        // Somebody polls, or waits for a connection.
        if ((idle += 1) > 200) throw new Error('nothing can happen any more, and somebody still waits');
        await this.clock.advance(100);
      }
      await settled();
    }
    if (failure !== undefined) throw failure as Error;
  }

  /** After the faults have ended and everything has arrived: what each instance answers is what the source holds. */
  async expectQuiet(
    keys: readonly string[],
    read: (instance: Instance, key: string) => Promise<number>,
  ): Promise<void> {
    await this.run(
      (async () => {
        for (const { tier } of this.instances) await tier.connect();
      })(),
    );
    // A drain that failed is tried again after a moment.
    for (
      let round = 0;
      this.instances.some(({ cache }) => cache.status().pendingInvalidations > 0);
      round += 1
    ) {
      if (round > 20) throw new Error('an invalidation stays pending');
      await this.run(this.clock.advance(300));
    }
    // What was loaded while Redis was away is used again for a moment, at most Δ.
    await this.run(this.clock.advance(2 * maxL1StalenessMs));
    for (const instance of this.instances) {
      for (const key of keys) {
        let version: number | undefined;
        await this.run(read(instance, key).then(answer => (version = answer)));
        if (version !== this.version(key))
          this.wrong.push(`in the end ${key} is @${version}, and the source has @${this.version(key)}`);
      }
    }
    this.expectAtRest();
  }

  /** Nobody waits for anything: nothing may be left over, and L1 accounts for exactly what it holds. */
  expectAtRest(): void {
    for (const { cache, store } of this.instances) {
      const status = cache.status();
      if (status.loadsInFlight > 0) this.wrong.push(`${status.loadsInFlight} loads are left over`);
      let bytes = 0;
      let entries = 0;
      for (const name of store.keys()) {
        entries += 1;
        bytes += store.peek(name)!.held.size + name.length * 2 + 200;
      }
      if (status.l1Entries !== entries || status.l1Bytes !== bytes)
        this.wrong.push(
          `L1 says ${status.l1Entries} entries of ${status.l1Bytes} bytes, it holds ${entries} of ${bytes}`,
        );
    }
    // Leases of loads that are over are given back.
    const leases = this.redis.keys.filter(key => key.includes(':l:'));
    if (leases.length > 0) this.wrong.push(`left over: ${leases.join(', ')}`);
  }

  async close(): Promise<void> {
    await this.run(Promise.all(this.instances.map(({ cache }) => cache.close())));
    const timers = this.clock.pending;
    if (timers > 0) this.wrong.push(`${timers} timers are left over`);
  }
}
