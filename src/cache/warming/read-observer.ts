import { Injectable } from '@nestjs/common';
import { TieredCache, type CacheEventMap } from '../core';
import { ContextStorage } from '../node/context-storage';

export type ReadEvent = CacheEventMap['read'];

/** What became of the refresh behind a stale answer; `unheard` when it runs elsewhere or takes too long. */
export type RefreshOutcome = { kind: 'loaded' } | { kind: 'failed'; error: unknown } | { kind: 'unheard' };

/** A read, and the refresh behind it, where its answer was stale or soon will be. */
export interface ObservedRead {
  readonly event: ReadEvent;
  readonly refresh: Promise<RefreshOutcome> | undefined;
}

/** So long is a refresh waited for, in milliseconds. */
const refreshPatienceMs = 5_000;

/**
 * Sees which reads a piece of code makes, through the async context: several pieces run at once. It listens only while it
 * is used, because a cache that nobody listens to does not build its events.
 */
@Injectable()
export class ReadObserver {
  readonly #observed = new ContextStorage<ObservedRead[]>();
  readonly #refreshes = new Map<string, Set<(outcome: RefreshOutcome) => void>>();
  #users = 0;
  #stopListening: (() => void)[] = [];

  constructor(private readonly cache: TieredCache) {}

  /** Runs `run`; its reads are added to `reads` as they happen. */
  async observe<T>(reads: ObservedRead[], run: () => Promise<T>): Promise<T> {
    this.enter();
    try {
      return await this.#observed.run(reads, run);
    } finally {
      this.leave();
    }
  }

  private enter(): void {
    this.#users += 1;
    if (this.#users > 1) return;
    this.#stopListening = [
      this.cache.events.on('read', event => this.saw(event)),
      this.cache.events.on('load', ({ key, error }) => {
        const outcome: RefreshOutcome = error === undefined ? { kind: 'loaded' } : { kind: 'failed', error };
        for (const tell of [...(this.#refreshes.get(key) ?? [])]) tell(outcome);
      }),
    ];
  }

  private leave(): void {
    this.#users -= 1;
    if (this.#users > 0) return;
    for (const stop of this.#stopListening) stop();
    this.#stopListening = [];
    this.#observed.rest();
  }

  private saw(event: ReadEvent): void {
    const reads = this.#observed.current();
    const isRefreshed = event.refreshing || event.outcome === 'stale_hit';
    reads?.push({ event, refresh: isRefreshed ? this.refreshOf(event.key) : undefined });
  }

  private refreshOf(key: string): Promise<RefreshOutcome> {
    this.enter();
    return new Promise(resolve => {
      const waiting = this.#refreshes.get(key) ?? new Set();
      this.#refreshes.set(key, waiting);
      const tell = (outcome: RefreshOutcome): void => {
        clearTimeout(timer);
        waiting.delete(tell);
        if (waiting.size === 0 && this.#refreshes.get(key) === waiting) this.#refreshes.delete(key);
        this.leave();
        resolve(outcome);
      };
      const timer = setTimeout(() => tell({ kind: 'unheard' }), refreshPatienceMs);
      timer.unref();
      waiting.add(tell);
    });
  }
}
