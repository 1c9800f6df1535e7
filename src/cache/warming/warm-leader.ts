import { Injectable } from '@nestjs/common';
import { TieredCache } from '../core';

/** A claim outlives the spread of clocks between instances, and not by much. */
const claimMs = 120_000;

/**
 * Decides which instance warms at a tick of a schedule: the first that claims it in Redis. Alone, or while Redis is away,
 * every instance does its own: warming twice costs a read, warming not at all costs the users.
 */
@Injectable()
export class WarmLeader {
  constructor(private readonly cache: TieredCache) {}

  /** @param tick names the job and the scheduled moment, the same on every instance */
  claim(tick: string): Promise<boolean> {
    return this.cache.claim(tick, claimMs);
  }
}
