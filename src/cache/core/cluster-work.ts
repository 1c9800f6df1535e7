import { RemoteUnavailableError } from './errors';
import type { Notice, RankingBounds, Score, SharedLedger } from './ports';

/** The lead in a piece of work. Alone there is no epoch: nobody can take over. */
export interface Lead {
  /** How far a leader before this one has come with the same work. */
  readonly progress: string | undefined;
  /** Keeps the lead and notes how far the work has come; false when another instance leads by now. */
  keep(progress: string): Promise<boolean>;
  /** Gives it up; `done` when the round is over for everybody. */
  end(done: boolean): Promise<void>;
}

/**
 * Work that one instance does for all. Alone, or while the shared tier is away, each instance does its own: work that is
 * done twice costs a read, work that is not done at all costs the users (protocol 1.8).
 */
export class ClusterWork {
  /** @param ledger undefined while there is none to be used */
  constructor(private readonly ledger: () => SharedLedger | undefined) {}

  /** @param round a number that grows with every round of the job, the same on every instance, such as the time of a tick */
  async lead(job: string, round: number, leaseMs: number): Promise<Lead | 'busy' | 'over'> {
    const result = await this.#ask(ledger => ledger.lead(job, round, leaseMs), undefined);
    if (result === undefined) return alone;
    if (result.kind !== 'leads') return result.kind;
    const { epoch, progress } = result;
    return {
      progress,
      keep: cursor => this.#ask(ledger => ledger.keepLead(job, epoch, leaseMs, cursor), true),
      end: done => this.#ask(ledger => ledger.endLead(job, epoch, done ? round : undefined), undefined),
    };
  }

  /** False when it could not be added. */
  addScores(ranking: string, scores: readonly Score[], bounds: RankingBounds): Promise<boolean> {
    return this.#ask(async ledger => {
      await ledger.addScores(ranking, scores, bounds);
      return true;
    }, false);
  }

  topScores(ranking: string, count: number): Promise<Score[]> {
    return this.#ask(ledger => ledger.topScores(ranking, count), []);
  }

  /** Tells the others; '' takes back what was told. False when it could not be told. */
  post(board: string, instance: string, text: string, ttlMs: number): Promise<boolean> {
    return this.#ask(async ledger => {
      await ledger.post(board, instance, text, ttlMs);
      return true;
    }, false);
  }

  /** What the instances have told; undefined when they cannot be asked. */
  notices(board: string, ttlMs: number): Promise<Notice[] | undefined> {
    return this.#ask<Notice[] | undefined>(ledger => ledger.notices(board, ttlMs), undefined);
  }

  async #ask<T>(run: (ledger: SharedLedger) => Promise<T>, otherwise: T): Promise<T> {
    const ledger = this.ledger();
    if (!ledger) return otherwise;
    try {
      return await run(ledger);
    } catch (error) {
      if (error instanceof RemoteUnavailableError) return otherwise;
      throw error;
    }
  }
}

const alone: Lead = Object.freeze({
  progress: undefined,
  keep: () => Promise.resolve(true),
  end: () => Promise.resolve(),
});
