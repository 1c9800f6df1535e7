import {
  maxNotices,
  type LeadResult,
  type Notice,
  type RankingBounds,
  type Score,
  type SharedLedger,
} from '../core';
import { hashTagIn, type RedisKeys } from './redis-keys';
import type { Topology } from './topology';

/** Epochs, progress and rounds are kept for so long after the last use: longer than any schedule leaves between two runs. */
const keepMs = 8 * 86_400_000;

/** The ledger on Redis: each job and each ranking in one slot, every change one script. */
export class RedisLedger implements SharedLedger {
  constructor(
    private readonly topology: Topology,
    private readonly keys: RedisKeys,
  ) {}

  async lead(job: string, round: number, leaseMs: number): Promise<LeadResult> {
    const keys = this.keys.lead(job);
    const [kind, epoch, progress] = await this.#at(keys[0], () =>
      this.topology.writes.cacheLead(...keys, round, leaseMs, keepMs),
    );
    if (kind === 2) return { kind: 'leads', epoch: epoch!, progress: progress ?? undefined };
    return { kind: kind === 1 ? 'busy' : 'over' };
  }

  async keepLead(job: string, epoch: number, leaseMs: number, progress: string): Promise<boolean> {
    const [lead, epochKey, progressKey] = this.keys.lead(job);
    const kept = await this.#at(lead, () =>
      this.topology.writes.cacheKeep(lead, epochKey, progressKey, epoch, leaseMs, progress, keepMs),
    );
    return kept === 1;
  }

  async endLead(job: string, epoch: number, roundOver: number | undefined): Promise<void> {
    const keys = this.keys.lead(job);
    await this.#at(keys[0], () => this.topology.writes.cacheQuit(...keys, epoch, roundOver ?? '', keepMs));
  }

  async addScores(
    ranking: string,
    scores: readonly Score[],
    { keep, halfLifeMs, ttlMs }: RankingBounds,
  ): Promise<void> {
    const keys = this.keys.ranking(ranking);
    await this.#at(keys[0], () =>
      this.topology.writes.cacheRank(...keys, keep, ttlMs, halfLifeMs, ...scores.flat()),
    );
  }

  async topScores(ranking: string, count: number): Promise<Score[]> {
    const [key] = this.keys.ranking(ranking);
    const flat = await this.#at(key, () => this.topology.writes.zrevrange(key, 0, count - 1, 'WITHSCORES'));
    return flat.flatMap((member, at): Score[] => (at % 2 === 0 ? [[member, Number(flat[at + 1])]] : []));
  }

  async post(board: string, instance: string, text: string, ttlMs: number): Promise<void> {
    const key = this.keys.board(board);
    await this.#at(key, () => this.topology.writes.cachePost(key, instance, text, ttlMs, maxNotices));
  }

  async notices(board: string, ttlMs: number): Promise<Notice[]> {
    const key = this.keys.board(board);
    const flat = await this.#at(key, () => this.topology.writes.cacheBoard(key, ttlMs));
    return flat.flatMap((instance, at): Notice[] =>
      at % 3 === 0
        ? [{ instance: String(instance), ageMs: Number(flat[at + 1]), text: String(flat[at + 2]) }]
        : [],
    );
  }

  #at<T>(key: string, run: () => Promise<T>): Promise<T> {
    return this.topology.nodeOf(this.topology.slotOf(hashTagIn(key))).call('ledger', run);
  }
}
