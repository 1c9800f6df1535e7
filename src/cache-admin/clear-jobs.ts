import { randomUUID } from 'node:crypto';
import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { messageOf, TieredCache, type ClearProgress } from '../cache';

/** A clear by pattern, while it goes on and afterwards. */
export interface ClearJob {
  readonly id: string;
  readonly pattern: string;
  readonly dryRun: boolean;
  readonly startedAt: string;
  endedAt: string | null;
  status: 'running' | 'done' | 'cancelled' | 'failed';
  progress: ClearProgress;
}

const maxJobsKept = 50;
export const maxJobsRunning = 4;

/** Clears by pattern in the background: they scan the namespace, and that takes as long as it is large. */
@Injectable()
export class ClearJobs implements OnModuleDestroy {
  readonly #logger = new Logger('CacheAdmin');
  readonly #jobs = new Map<string, ClearJob>();
  readonly #running = new Map<ClearJob, { abort: AbortController; ended: Promise<void> }>();

  constructor(private readonly cache: TieredCache) {}

  /** Begins a clear, or joins the same one under way; undefined when too many are. `onEnd` is told of the end of one that began. */
  start(
    pattern: string,
    dryRun: boolean,
    onEnd: (job: ClearJob) => void = () => undefined,
  ): ClearJob | undefined {
    for (const job of this.#running.keys()) if (job.pattern === pattern && job.dryRun === dryRun) return job;
    if (this.#running.size >= maxJobsRunning) return undefined;
    const job: ClearJob = {
      id: randomUUID(),
      pattern,
      dryRun,
      startedAt: new Date().toISOString(),
      endedAt: null,
      status: 'running',
      progress: { scanned: 0, matched: 0, removed: 0, done: false },
    };
    this.#remember(job);
    const abort = new AbortController();
    this.#running.set(job, { abort, ended: this.#run(job, abort.signal, onEnd) });
    return job;
  }

  find(id: string): ClearJob | undefined {
    return this.#jobs.get(id);
  }

  /** Stops a clear; what it has removed stays removed. */
  async cancel(job: ClearJob): Promise<void> {
    const running = this.#running.get(job);
    running?.abort.abort();
    await running?.ended;
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all([...this.#running.keys()].map(job => this.cancel(job)));
  }

  async #run(job: ClearJob, signal: AbortSignal, onEnd: (job: ClearJob) => void): Promise<void> {
    try {
      const onProgress = (progress: ClearProgress): void => void (job.progress = progress);
      job.progress = await this.cache.clearMatching(job.pattern, { dryRun: job.dryRun, signal, onProgress });
      job.status = job.progress.done ? 'done' : 'cancelled';
    } catch (error) {
      job.status = 'failed';
      this.#logger.warn({
        msg: 'a clear by pattern failed',
        job: job.id,
        error: messageOf(error),
      });
    } finally {
      job.endedAt = new Date().toISOString();
      this.#running.delete(job);
      onEnd(job);
    }
  }

  #remember(job: ClearJob): void {
    this.#jobs.set(job.id, job);
    for (const [id, old] of this.#jobs) {
      if (this.#jobs.size <= maxJobsKept) return;
      if (!this.#running.has(old)) this.#jobs.delete(id);
    }
  }
}
