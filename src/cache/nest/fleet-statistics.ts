import { randomUUID } from 'node:crypto';
import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import {
  parseShare,
  statisticsOfShares,
  TieredCache,
  type CacheStatistics,
  type StatsShare,
  type StatsWindow,
} from '../core';

const board = 'statistics';
const everyMs = 5_000;
/** An instance that has said nothing for so long is gone: three times it could not. */
const goneAfterMs = 3 * everyMs + 1_000;

export interface FleetMember {
  readonly instance: string;
  /** Since it has told its counts. 0: the instance that answers, whose counts are those of this moment. */
  readonly ageMs: number;
}

export interface FleetStatistics {
  readonly statistics: CacheStatistics;
  readonly members: readonly FleetMember[];
  /** False when Redis could not be asked: then it is this instance alone. */
  readonly isComplete: boolean;
}

/**
 * Tells the other instances what this one has counted, and adds up what they tell. An instance that has left takes its
 * counts with it, at once when it closes, and after 16 seconds when it does not; what it has told is never added twice,
 * because its last words replace the ones before.
 */
@Injectable()
export class Fleet implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #instance = randomUUID();
  #telling: NodeJS.Timeout | undefined;
  #told: Promise<unknown> = Promise.resolve();

  constructor(private readonly cache: TieredCache) {}

  onApplicationBootstrap(): void {
    this.#telling = setInterval(() => void this.tell(), everyMs);
    this.#telling.unref();
    void this.tell();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.#telling);
    await this.#told;
    await this.cache.cluster.post(board, this.#instance, '', goneAfterMs);
  }

  /** Resolves when the others can know it, or when Redis could not be reached. */
  async tell(): Promise<void> {
    const telling = this.#told.then(() =>
      Promise.all([
        this.cache.cluster.post(board, this.#instance, JSON.stringify(this.cache.statsShare()), goneAfterMs),
        // Only so is it known of a missing entry that the server has dropped it.
        this.cache.remoteInfo(),
      ]),
    );
    this.#told = telling;
    await telling;
  }

  async statistics(window: StatsWindow): Promise<FleetStatistics> {
    const notices = await this.cache.cluster.notices(board, goneAfterMs);
    const shares: StatsShare[] = [this.cache.statsShare()];
    const members: FleetMember[] = [{ instance: this.#instance, ageMs: 0 }];
    for (const { instance, text, ageMs } of notices ?? []) {
      const share = instance === this.#instance ? undefined : parseShare(text);
      if (!share) continue;
      shares.push(share);
      members.push({ instance, ageMs });
    }
    return { statistics: statisticsOfShares(shares, window), members, isComplete: notices !== undefined };
  }
}
