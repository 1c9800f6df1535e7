import { createHash } from 'node:crypto';
import type { WarmJob, WarmUnit } from './warm-up.registry';

/** A unit and the job that it belongs to. */
export interface PlannedUnit {
  readonly unit: WarmUnit;
  readonly job: WarmJob;
}

/** Critical jobs first, then those of higher priority, then in the order in which they were found. */
export function inOrder(jobs: readonly WarmJob[]): WarmJob[] {
  const weight = ({ critical, priority }: WarmJob): number => (critical ? Infinity : priority);
  return jobs
    .map((job, at) => ({ job, at }))
    .sort((a, b) => weight(b.job) - weight(a.job) || a.at - b.at)
    .map(({ job }) => job);
}

/** What is to be loaded, in order; what two jobs want is loaded once. */
export class WarmPlan {
  readonly units: readonly PlannedUnit[];
  /** Differs when the units do: how far another instance has come says nothing about another plan. */
  readonly digest: string;

  constructor(units: readonly PlannedUnit[]) {
    const seen = new Set<string>();
    this.units = units.filter(({ unit: { member } }) => {
      if (member === undefined) return true;
      if (seen.has(member)) return false;
      seen.add(member);
      return true;
    });
    const hash = createHash('sha256');
    for (const { unit, job } of this.units) hash.update(`${job.name}\n${unit.name}\n${unit.member ?? ''}\n`);
    this.digest = hash.digest('base64url').slice(0, 16);
  }

  /** How many units at the beginning another instance has done, by its progress. */
  doneBefore(progress: string | undefined): number {
    const [digest, done] = (progress ?? '').split(' ');
    const count = Number(done);
    return digest === this.digest && Number.isInteger(count) && count > 0
      ? Math.min(count, this.units.length)
      : 0;
  }

  /** @param done units at the beginning that are done, all of them */
  progressAt(done: number): string {
    return `${this.digest} ${done}`;
  }
}

/** Counts how many at the beginning are done, where several are under way and end in any order. */
export class DonePrefix {
  readonly #done = new Set<number>();

  constructor(public count: number) {}

  end(at: number): void {
    this.#done.add(at);
    while (this.#done.delete(this.count)) this.count += 1;
  }
}
