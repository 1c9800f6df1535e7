import { setTimeout as wait } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { TieredCache, type Lead } from '../core';
import { CACHE_MODULE_OPTIONS, type CacheModuleOptions } from '../nest/cache.module-definition';
import { warmingOptions } from './warming-options';

/**
 * Decides which instance does a scheduled run: the first that takes the lead in Redis. The others wait until the round is
 * over, and one of them goes on where a leader was that is gone. Alone, or while Redis is away, every instance does its own.
 */
@Injectable()
export class WarmLeader {
  readonly leaseMs: number;
  /** Rounds that somebody here waits for, by job: a newer one takes the place of an older one. */
  readonly #waiting = new Map<string, number>();

  constructor(
    private readonly cache: TieredCache,
    @Inject(CACHE_MODULE_OPTIONS) options: CacheModuleOptions,
  ) {
    this.leaseMs = warmingOptions(options.warming).leaseMs;
  }

  /**
   * Resolves to the lead, or to undefined when the round is over, or is waited for already.
   * @param round the scheduled moment, the same on every instance
   * @throws the reason of `signal` when it is aborted
   */
  async take(job: string, round: number, signal: AbortSignal): Promise<Lead | undefined> {
    if (this.#waiting.has(job)) {
      this.#waiting.set(job, round);
      return undefined;
    }
    this.#waiting.set(job, round);
    try {
      for (;;) {
        const lead = await this.cache.cluster.lead(job, this.#waiting.get(job)!, this.leaseMs);
        if (lead === 'over') return undefined;
        if (lead !== 'busy') return lead;
        await wait(this.leaseMs / 2, undefined, { signal, ref: false });
      }
    } finally {
      this.#waiting.delete(job);
    }
  }
}
