import { randomUUID } from 'node:crypto';
import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { CronJob } from 'cron';
import { CacheOptionsError, TieredCache } from '../core';
import {
  CACHE_MODULE_OPTIONS,
  cacheModuleDefaults,
  type CacheModuleOptions,
} from '../nest/cache.module-definition';
import { scheduledTickMs } from './schedule-tick';
import { messageOf, type WarmOutcome } from './warm-outcome';
import { WarmLeader } from './warm-leader';
import { WarmJobUnknownError, WarmRuns, type WarmRun } from './warm-run';
import { WarmUpRegistry, type WarmJob, type WarmUnit } from './warm-up.registry';

/** Reasons of failures that a run keeps; the others are counted. */
const maxFailuresKept = 50;
const maxConcurrency = 64;
/** At the start the shared tier is waited for so long. */
const startPatienceMs = 2_000;

/**
 * Fills the cache before anybody asks: at the start, in the background; by schedule, on one instance; and on request.
 * Every job runs its real loader under its real key. One failure does not stop the rest.
 */
@Injectable()
export class WarmingService implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #logger = new Logger('Warming');
  readonly #runs = new WarmRuns();
  readonly #going = new Map<string, Promise<WarmRun>>();
  readonly #background = new Set<Promise<void>>();
  readonly #abort = new AbortController();
  readonly #crons: string[] = [];
  readonly #options: Readonly<Required<NonNullable<CacheModuleOptions['warming']>>>;
  #jobs: readonly WarmJob[] = [];

  /** @throws CacheOptionsError naming the option and the value */
  constructor(
    private readonly cache: TieredCache,
    private readonly registry: WarmUpRegistry,
    private readonly scheduler: SchedulerRegistry,
    private readonly leader: WarmLeader,
    @Inject(CACHE_MODULE_OPTIONS) options: CacheModuleOptions,
  ) {
    this.#options = { ...cacheModuleDefaults.warming, ...options.warming };
    const { concurrency } = this.#options;
    if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > maxConcurrency) {
      throw new CacheOptionsError(
        `warming: concurrency must be a whole number from 1 to ${maxConcurrency}, not ${String(concurrency)}`,
      );
    }
  }

  /** Finds the jobs, starts the schedules, and begins the first run without waiting for it. */
  onApplicationBootstrap(): void {
    this.#jobs = this.registry.find();
    if (!this.#options.enabled) return;
    if (this.#options.cron !== 'off') this.schedule('warm-up', this.#options.cron, this.#jobs);
    for (const job of this.#jobs)
      if (job.cron !== undefined) this.schedule(`warm-up ${job.name}`, job.cron, [job]);
    if (this.#jobs.length > 0)
      this.inBackground('at the start', () => this.runOnce(this.categories(), this.#jobs));
  }

  /** Gives up what is under way, and resolves when it has ended. */
  async onModuleDestroy(): Promise<void> {
    this.#abort.abort(new Error('the application is shutting down'));
    for (const name of this.#crons)
      if (this.scheduler.doesExist('cron', name)) this.scheduler.deleteCronJob(name);
    await Promise.all([...this.#background, ...this.#going.values()]);
  }

  /** Every category that a job belongs to, sorted. */
  categories(): string[] {
    return [...new Set(this.#jobs.flatMap(job => job.categories))].sort();
  }

  /**
   * Warms the jobs of some categories, by default of all. A run of the same categories that is under way is joined.
   * The run ends as `failed` when anything in it failed; the promise resolves all the same.
   *
   * @throws WarmJobUnknownError when nothing belongs to one of the categories
   */
  async warm(categories: readonly string[] = this.categories()): Promise<WarmRun> {
    const known = this.categories();
    const unknown = categories.filter(name => !known.includes(name));
    if (unknown.length > 0) throw new WarmJobUnknownError(unknown, known);
    return this.runOnce(
      [...new Set(categories)].sort(),
      this.#jobs.filter(job => job.categories.some(name => categories.includes(name))),
    );
  }

  /** One of the last 20 runs. */
  run(id: string): WarmRun | undefined {
    return this.#runs.find(id);
  }

  /** The last 20 runs, the latest first. */
  runs(): readonly WarmRun[] {
    return this.#runs.list();
  }

  private runOnce(categories: readonly string[], jobs: readonly WarmJob[]): Promise<WarmRun> {
    const name = jobs.map(job => job.name).join('\n');
    let going = this.#going.get(name);
    if (!going) {
      going = this.perform(categories, jobs).finally(() => this.#going.delete(name));
      this.#going.set(name, going);
    }
    return going;
  }

  private async perform(categories: readonly string[], jobs: readonly WarmJob[]): Promise<WarmRun> {
    const run: WarmRun = {
      id: randomUUID(),
      categories,
      startedAt: new Date().toISOString(),
      durationMs: 0,
      warmed: 0,
      skipped: 0,
      failed: 0,
      failures: [],
      state: 'running',
    };
    this.#runs.add(run);
    const startedAtMs = performance.now();
    await this.cache.ready(startPatienceMs);
    const units = await this.unitsOf(jobs, run);
    const queue = units.values();
    const worker = async (): Promise<void> => {
      for (const unit of queue) note(run, unit.name, await this.runUnit(unit));
    };
    await Promise.all(Array.from({ length: this.#options.concurrency }, worker));
    run.durationMs = Math.round(performance.now() - startedAtMs);
    run.state = run.failed > 0 ? 'failed' : 'done';
    return run;
  }

  private async unitsOf(jobs: readonly WarmJob[], run: WarmRun): Promise<WarmUnit[]> {
    const units: WarmUnit[] = [];
    for (const job of jobs) {
      try {
        units.push(...(await job.units()));
      } catch (error) {
        note(run, job.name, { kind: 'failed', error: messageOf(error) });
      }
    }
    return units;
  }

  private async runUnit(unit: WarmUnit): Promise<WarmOutcome> {
    const { signal } = this.#abort;
    if (signal.aborted) return { kind: 'failed', error: messageOf(signal.reason) };
    let giveUp!: () => void;
    const givenUp = new Promise<WarmOutcome>(resolve => {
      giveUp = () => resolve({ kind: 'failed', error: messageOf(signal.reason) });
    });
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      return await Promise.race([unit.run(signal), givenUp]);
    } catch (error) {
      return { kind: 'failed', error: messageOf(error) };
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  private schedule(name: string, cron: string, jobs: readonly WarmJob[]): void {
    let job: CronJob;
    try {
      job = CronJob.from({
        cronTime: cron,
        onTick: () =>
          this.inBackground('by schedule', async () => {
            const tick = scheduledTickMs(job.cronTime, Date.now());
            if (await this.leader.claim(`${name}:${tick}`))
              await this.runOnce([...new Set(jobs.flatMap(each => each.categories))].sort(), jobs);
          }),
        unrefTimeout: true,
      });
    } catch (error) {
      throw new CacheOptionsError(`${name}: cron cannot be ${JSON.stringify(cron)}: ${messageOf(error)}`);
    }
    this.scheduler.addCronJob(name, job);
    this.#crons.push(name);
    job.start();
  }

  private inBackground(when: string, work: () => Promise<WarmRun | void>): void {
    const done: Promise<void> = work()
      .then(run => {
        if (!run) return;
        const counts = `${run.warmed} warmed, ${run.skipped} fresh already, ${run.failed} failed in ${run.durationMs} ms`;
        if (run.state === 'failed' && !this.#abort.signal.aborted)
          this.#logger.warn(`${when}: ${counts}`, { failures: run.failures });
        else this.#logger.log(`${when}: ${counts}`);
      })
      .catch((error: unknown) => this.#logger.error(`warming ${when} did not run`, error))
      .finally(() => this.#background.delete(done));
    this.#background.add(done);
  }
}

function note(run: WarmRun, job: string, outcome: WarmOutcome): void {
  run[outcome.kind] += 1;
  if (outcome.kind === 'failed' && run.failures.length < maxFailuresKept)
    run.failures.push({ job, error: outcome.error });
}
