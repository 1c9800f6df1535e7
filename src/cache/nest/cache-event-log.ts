import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { messageOf, TieredCache, type CacheEventMap } from '../core';

/** Turns events of the cache into lines of the log: one for each change of state, not one for each request that felt it. */
@Injectable()
export class CacheEventLog implements OnApplicationShutdown {
  readonly #logger = new Logger('Cache');
  readonly #stop: (() => void)[];
  #remote: string | undefined;
  #queueing = false;

  constructor(cache: TieredCache) {
    this.#stop = [
      cache.events.on('remote', status => this.remoteChanged(status)),
      cache.events.on('flush', ({ reason }) =>
        this.#logger.debug(`the copies in memory are dropped: ${reason}`),
      ),
      cache.events.on('tracking', ({ reason }) => this.trackingChanged(reason)),
      cache.events.on('corrupt', ({ reason }) =>
        this.#logger.warn(`an entry in Redis could not be read: ${reason}`),
      ),
      cache.events.on('invalidate', ({ queued }) => this.invalidated(queued)),
      cache.events.on('load', ({ policy, refresh, error }) => {
        if (refresh && error !== undefined)
          this.#logger.warn(`a refresh under the policy ${policy} failed: ${messageOf(error)}`);
      }),
    ];
  }

  onApplicationShutdown(): void {
    for (const stop of this.#stop) stop();
  }

  private remoteChanged({ state, breaker, reason }: CacheEventMap['remote']): void {
    const now = `${state}, breaker ${breaker}`;
    const news = state === 'up' ? `${now} ${reason ?? ''}` : now;
    if (news === this.#remote) return;
    this.#remote = news;
    if (state === 'up' && reason !== undefined)
      this.#logger.warn(`Redis is there in part, ${reason}; what stands there comes from the source`);
    else if (state === 'up' && breaker === 'closed') this.#logger.log('Redis is there');
    else
      this.#logger.warn(
        `Redis is ${now}${reason === undefined ? '' : `: ${reason}`}; answers come from the source`,
      );
  }

  /** An error, not a warning: Redis looks healthy, and without this line nobody would know why nothing is kept in memory. */
  private trackingChanged(reason: string | undefined): void {
    if (reason === undefined)
      this.#logger.log('changes in Redis are heard again: copies in memory are served');
    else
      this.#logger.error(
        `changes in Redis are not heard: ${reason}; the cache runs without copies in memory until they are`,
      );
  }

  private invalidated(queued: boolean): void {
    if (queued && !this.#queueing)
      this.#logger.warn('Redis is away: invalidations are queued until it is back');
    this.#queueing = queued;
  }
}
