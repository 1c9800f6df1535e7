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
import { CacheOptionsError, messageOf } from '../core';
import { CACHE_MODULE_OPTIONS, type CacheModuleOptions } from '../nest/cache.module-definition';
import { schedulePeriodMs, scheduledTickMs } from './schedule-tick';
import { WarmLeader } from './warm-leader';
import { WarmJobUnknownError, WarmRuns, type WarmRun, type WarmTrigger } from './warm-run';
import { WarmRunner, type Scheduled } from './warm-runner';
import { hotJobName, WarmUpRegistry, type WarmJob } from './warm-up.registry';
import { warmingOptions } from './warming-options';

/** What to warm: by default everything. What is named in either list is warmed. */
export interface WarmSelection {
  readonly categories?: readonly string[] | undefined;
  readonly jobs?: readonly string[] | undefined;
}

/** What a run would load. */
export interface WarmPreview {
  readonly jobs: readonly { readonly job: string; readonly units: readonly string[] }[];
  readonly failures: readonly { readonly job: string; readonly error: string }[];
}

/**
 * Fills the cache before anybody asks: at the start, in the background; by schedule, on one instance; and on request.
 * Every job runs its real loader under its real key.
 */
@Injectable()
export class WarmingService implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #logger = new Logger('Warming');
  readonly #runs = new WarmRuns();
  readonly #going = new Map<string, { readonly run: WarmRun; readonly end: Promise<WarmRun> }>();
  readonly #background = new Set<Promise<void>>();
  readonly #abort = new AbortController();
  readonly #crons: string[] = [];
  readonly #options: ReturnType<typeof warmingOptions>;
  #jobs: readonly WarmJob[] = [];
  #ready = false;

  /** @throws CacheOptionsError naming the option and the value */
  constructor(
    private readonly registry: WarmUpRegistry,
    private readonly runner: WarmRunner,
    private readonly scheduler: SchedulerRegistry,
    private readonly leader: WarmLeader,
    @Inject(CACHE_MODULE_OPTIONS) options: CacheModuleOptions,
  ) {
    this.#options = warmingOptions(options.warming);
  }

  /** Whether the critical jobs of the start have ended, well or badly, or have had their time. */
  get isReady(): boolean {
    return this.#ready;
  }

  /** Finds the jobs, starts the schedules, and begins the first run without waiting for it. */
  onApplicationBootstrap(): void {
    this.#jobs = this.registry.find();
    if (!this.#options.enabled || this.#jobs.length === 0) {
      this.#ready = true;
      return;
    }
    if (this.#options.cron !== 'off') this.schedule('warm-up', this.#options.cron, this.#jobs);
    for (const job of this.#jobs)
      if (job.cron !== undefined) this.schedule(`warm-up ${job.name}`, job.cron, [job]);
    this.warmAtStart();
  }

  /** Gives up what is under way, and resolves when it has ended. */
  async onModuleDestroy(): Promise<void> {
    this.#abort.abort(new Error('the application is shutting down'));
    for (const name of this.#crons)
      if (this.scheduler.doesExist('cron', name)) this.scheduler.deleteCronJob(name);
    await Promise.all([...this.#background, ...[...this.#going.values()].map(({ end }) => end)]);
  }

  /** Every category that a job belongs to, sorted. */
  categories(): string[] {
    return [...new Set(this.#jobs.flatMap(job => job.categories))].sort();
  }

  /**
   * Warms some jobs, by default all, and resolves when the run has ended, well or badly.
   * @throws WarmJobUnknownError when there is no such job or category
   */
  async warm(selection: WarmSelection = {}): Promise<WarmRun> {
    return this.start(selection).end;
  }

  /**
   * As `warm`, without waiting: `run` is there at once and goes on, `end` resolves when it has ended. A run of the same jobs
   * that is under way is joined, unless the schedule has begun it.
   *
   * @throws WarmJobUnknownError when there is no such job or category
   */
  start(selection: WarmSelection = {}): { readonly run: WarmRun; readonly end: Promise<WarmRun> } {
    return this.runOnce('request', this.selected(selection));
  }

  /**
   * What `warm` would load, in its order. Nothing is loaded.
   *
   * @throws WarmJobUnknownError when there is no such job or category
   */
  preview(selection: WarmSelection = {}): Promise<WarmPreview> {
    return this.previewOf(this.selected(selection));
  }

  /** By job: how many of its entries no user is known to read. Nothing where nothing is known of what users read. */
  async unread(): Promise<{ job: string; count: number; of: number }[]> {
    const declared = this.#jobs.filter(({ name }) => name !== hotJobName);
    return this.runner.unread(declared);
  }

  private async previewOf(selected: readonly WarmJob[]): Promise<WarmPreview> {
    const failures: { job: string; error: string }[] = [];
    const { units } = await this.runner.plan(selected, (job, error) =>
      failures.push({ job: job.name, error: messageOf(error) }),
    );
    const byJob = new Map<string, string[]>();
    for (const { job, unit } of units) byJob.set(job.name, [...(byJob.get(job.name) ?? []), unit.name]);
    return { jobs: [...byJob].map(([job, names]) => ({ job, units: names })), failures };
  }

  /** One of the last 20 runs. */
  run(id: string): WarmRun | undefined {
    return this.#runs.find(id);
  }

  /** What runs have come to since the start. */
  get totals(): Pick<WarmRuns, 'ended' | 'entries' | 'lastDurationMs'> {
    return this.#runs;
  }

  /** The last 20 runs, the latest first. */
  runs(): readonly WarmRun[] {
    return this.#runs.list();
  }

  private selected({ categories = [], jobs = [] }: WarmSelection): readonly WarmJob[] {
    const known = [...this.categories(), ...this.#jobs.map(job => job.name)];
    const unknown = [...categories, ...jobs].filter(name => !known.includes(name));
    if (unknown.length > 0) throw new WarmJobUnknownError(unknown, [...new Set(known)].sort());
    if (categories.length + jobs.length === 0) return this.#jobs;
    return this.#jobs.filter(
      job => jobs.includes(job.name) || job.categories.some(name => categories.includes(name)),
    );
  }

  private warmAtStart(): void {
    const critical = new Set(this.#jobs.filter(job => job.critical));
    const settle = (job: WarmJob, left: number): void => {
      if (left === 0) critical.delete(job);
      this.#ready ||= critical.size === 0;
    };
    this.#ready = critical.size === 0;
    const deadline = setTimeout(() => {
      if (this.#ready) return;
      this.#logger.warn(
        `ready without ${[...critical].map(job => job.name).join(', ')}: not warmed within ${this.#options.readyDeadlineMs} ms`,
      );
      this.#ready = true;
    }, this.#options.readyDeadlineMs);
    deadline.unref();
    this.inBackground('at the start', async () => {
      try {
        return await this.runOnce('start', this.#jobs, undefined, settle).end;
      } finally {
        clearTimeout(deadline);
        this.#ready = true;
      }
    });
  }

  private runOnce(
    trigger: WarmTrigger,
    jobs: readonly WarmJob[],
    scheduled?: Scheduled,
    ended?: (job: WarmJob, left: number) => void,
  ): { readonly run: WarmRun; readonly end: Promise<WarmRun> } {
    // What a schedule leaves alone, because nobody reads it, is what somebody may have asked for; and what somebody has asked
    // for does not renew what is about to expire. Neither stands for the other.
    const name = [scheduled ? 'by schedule' : '', ...jobs.map(job => job.name)].join('\n');
    const same = this.#going.get(name);
    if (same) return same;
    const run: WarmRun = {
      id: randomUUID(),
      trigger,
      categories: [...new Set(jobs.flatMap(job => job.categories))].sort(),
      jobs: jobs.map(job => job.name),
      startedAt: new Date().toISOString(),
      durationMs: 0,
      total: undefined,
      warmed: 0,
      skipped: 0,
      unread: 0,
      resumed: 0,
      failed: 0,
      left: 0,
      failures: [],
      state: 'running',
    };
    this.#runs.add(run);
    const end = this.runner
      .perform(run, jobs, this.#abort.signal, scheduled, ended)
      .then(() => run)
      .finally(() => {
        this.#going.delete(name);
        this.#runs.end(run);
      });
    const going = { run, end };
    this.#going.set(name, going);
    return going;
  }

  private schedule(name: string, cron: string, jobs: readonly WarmJob[]): void {
    let job: CronJob;
    try {
      job = CronJob.from({
        cronTime: cron,
        onTick: () => this.inBackground('by schedule', () => this.lead(name, job, jobs)),
        unrefTimeout: true,
      });
    } catch (error) {
      throw new CacheOptionsError(`${name}: cron cannot be ${JSON.stringify(cron)}: ${messageOf(error)}`);
    }
    this.scheduler.addCronJob(name, job);
    this.#crons.push(name);
    job.start();
  }

  /** Runs a scheduled round if it falls to this instance. */
  private async lead(name: string, { cronTime }: CronJob, jobs: readonly WarmJob[]): Promise<WarmRun | void> {
    const round = scheduledTickMs(cronTime, Date.now());
    const { signal } = this.#abort;
    const lead = await this.leader.take(name, round, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    if (!lead) return;
    const { leaseMs } = this.leader;
    const { run, end } = this.runOnce('schedule', jobs, {
      lead,
      leaseMs,
      periodMs: schedulePeriodMs(cronTime, round),
    });
    await end;
    // What is left over is for the instance that comes after.
    await lead.end(run.state !== 'cut');
    return run;
  }

  private inBackground(when: string, work: () => Promise<WarmRun | void>): void {
    const done: Promise<void> = work()
      .then(run => {
        if (run) this.report(when, run);
      })
      .catch((error: unknown) => this.#logger.error(`warming ${when} did not run`, error))
      .finally(() => this.#background.delete(done));
    this.#background.add(done);
  }

  private report(when: string, run: WarmRun): void {
    const counts = [
      `${run.warmed} warmed`,
      `${run.skipped} fresh already`,
      run.unread > 0 && `${run.unread} read by nobody`,
      run.resumed > 0 && `${run.resumed} done before`,
      `${run.failed} failed`,
      run.left > 0 && `${run.left} left`,
    ];
    const text = `${when}: ${counts.filter(Boolean).join(', ')} in ${run.durationMs} ms`;
    if (run.state !== 'done' && !this.#abort.signal.aborted)
      this.#logger.warn(text, { failures: run.failures });
    else this.#logger.log(text);
  }
}
