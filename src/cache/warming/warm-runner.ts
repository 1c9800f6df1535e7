import { setTimeout as wait } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { type Lead, messageOf, TieredCache } from '../core';
import { CACHE_MODULE_OPTIONS, type CacheModuleOptions } from '../nest/cache.module-definition';
import { HotKeys } from './hot-keys';
import { Pacer } from './pacer';
import { failureOf, type WarmOutcome } from './warm-outcome';
import { DonePrefix, inOrder, WarmPlan, type PlannedUnit } from './warm-plan';
import type { WarmRun } from './warm-run';
import type { WarmJob, WarmUnit } from './warm-up.registry';
import { warmingOptions } from './warming-options';

/** Reasons of failures that a run keeps; the others are counted. */
const maxFailuresKept = 50;
/** Before the first load the shared tier is waited for so long. */
const startPatienceMs = 2_000;

/** What a scheduled run does besides: it follows a lead, and renews what users still read before it expires. */
export interface Scheduled {
  readonly lead: Lead;
  readonly leaseMs: number;
  /** Until the next run of the schedule. */
  readonly periodMs: number;
}

/** The budget of a run is spent, or somebody else does it: what has not begun is left. */
class CutError extends Error {}

/** Does one run: job by job in order, several units at once, within the budget. One failure does not stop the rest. */
@Injectable()
export class WarmRunner {
  readonly #options: ReturnType<typeof warmingOptions>;

  /** @throws CacheOptionsError naming the option and the value */
  constructor(
    private readonly cache: TieredCache,
    private readonly hot: HotKeys,
    @Inject(CACHE_MODULE_OPTIONS) options: CacheModuleOptions,
  ) {
    this.#options = warmingOptions(options.warming);
  }

  /** What a run of these jobs would load, in order. What cannot be told is a failure of its job. */
  async plan(jobs: readonly WarmJob[], onFailure: (job: WarmJob, error: unknown) => void): Promise<WarmPlan> {
    const units: PlannedUnit[] = [];
    for (const job of inOrder(jobs)) {
      try {
        for (const unit of await job.units()) units.push({ unit, job });
      } catch (error) {
        onFailure(job, error);
      }
    }
    return new WarmPlan(units);
  }

  /** By job: how many of its entries no user is known to read. Nothing where nothing is known of what users read. */
  async unread(jobs: readonly WarmJob[]): Promise<{ job: string; count: number; of: number }[]> {
    if (!this.hot.isOn) return [];
    const { units } = await this.plan(jobs, () => undefined);
    const known = await this.hot.known([...new Set(jobs.flatMap(job => job.policies))]);
    return jobs.flatMap(job => {
      const members = units.flatMap(({ unit, job: of }) =>
        of === job && unit.member !== undefined ? [unit.member] : [],
      );
      const count = members.filter(member => !known.has(member)).length;
      return count === 0 ? [] : [{ job: job.name, count, of: members.length }];
    });
  }

  /**
   * @param ended called with each unit of which the outcome is known, and with its job
   * @param end aborts when the application ends
   */
  async perform(
    run: WarmRun,
    jobs: readonly WarmJob[],
    end: AbortSignal,
    scheduled?: Scheduled,
    ended: (job: WarmJob, left: number) => void = () => undefined,
  ): Promise<void> {
    const startedAtMs = performance.now();
    const cut = new AbortController();
    const signal = AbortSignal.any([end, cut.signal]);
    const deadline = setTimeout(
      () => cut.abort(new CutError('its deadline is over')),
      this.#options.deadlineMs,
    );
    deadline.unref();
    const prefix = new DonePrefix(0);
    const heart = new AbortController();
    let beat: Promise<void> = Promise.resolve();
    try {
      await this.cache.ready(startPatienceMs);
      const plan = await this.plan(jobs, (job, error) => note(run, job.name, failureOf(error)));
      run.total = plan.units.length + run.failed;
      const left = new Map<WarmJob, number>(jobs.map(job => [job, 0]));
      for (const { job } of plan.units) left.set(job, left.get(job)! + 1);
      for (const [job, count] of left) if (count === 0) ended(job, 0);
      if (scheduled) {
        prefix.count = plan.doneBefore(scheduled.lead.progress);
        run.resumed = prefix.count;
        beat = this.beat(scheduled, () => plan.progressAt(prefix.count), cut, heart.signal);
      }
      const readByUsers = scheduled ? await this.readByUsers(jobs, plan) : undefined;
      const pacer = new Pacer(this.#options.loadsPerSecond);
      const queue = [...plan.units.entries()].slice(prefix.count).values();
      const worker = async (): Promise<void> => {
        for (const [at, { unit, job }] of queue) {
          if (unit.member !== undefined && readByUsers?.has(unit.member) === false) run.unread += 1;
          else {
            await pacer.turn(signal);
            if (signal.aborted) {
              run.left += 1;
              continue;
            }
            const outcome = await this.runUnit(unit, signal, scheduled?.periodMs);
            if (outcome === undefined) {
              run.left += 1;
              continue;
            }
            if (outcome.kind !== 'skipped') pacer.loaded();
            note(run, unit.name, outcome);
          }
          prefix.end(at);
          left.set(job, left.get(job)! - 1);
          ended(job, left.get(job)!);
        }
      };
      await Promise.all(Array.from({ length: this.#options.concurrency }, worker));
    } finally {
      clearTimeout(deadline);
      heart.abort();
      await beat;
      run.durationMs = Math.round(performance.now() - startedAtMs);
      run.state = run.left > 0 ? 'cut' : run.failed > 0 ? 'failed' : 'done';
      if (signal.aborted && run.left > 0)
        note(run, 'the run', { kind: 'failed', error: messageOf(signal.reason) }, false);
    }
  }

  /** Keeps the lead while the work goes on; ends the run when another instance has taken it. */
  private async beat(
    { lead, leaseMs }: Scheduled,
    progress: () => string,
    cut: AbortController,
    stop: AbortSignal,
  ): Promise<void> {
    while (!stop.aborted) {
      const kept = await lead.keep(progress());
      if (!kept) return cut.abort(new CutError('another instance has taken the lead'));
      // An abort is the end of the run: the loop looks at it.
      await wait(leaseMs / 3, undefined, { signal: stop, ref: false }).catch(() => undefined);
    }
  }

  /** Where nothing is known of what users read, everything counts as read. */
  private async readByUsers(
    jobs: readonly WarmJob[],
    plan: WarmPlan,
  ): Promise<ReadonlySet<string> | undefined> {
    if (!this.hot.isOn || !plan.units.some(({ unit }) => unit.member !== undefined)) return undefined;
    return this.hot.known([...new Set(jobs.flatMap(job => job.policies))]);
  }

  /** Undefined for one that was given up. */
  private async runUnit(
    unit: WarmUnit,
    signal: AbortSignal,
    refreshWithinMs: number | undefined,
  ): Promise<WarmOutcome | undefined> {
    let giveUp!: () => void;
    const givenUp = new Promise<undefined>(resolve => (giveUp = () => resolve(undefined)));
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      return await Promise.race([unit.run(signal, refreshWithinMs), givenUp]);
    } catch (error) {
      return failureOf(error);
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }
}

function note(run: WarmRun, job: string, outcome: WarmOutcome, counted = true): void {
  if (counted) run[outcome.kind] += 1;
  if (outcome.kind === 'failed' && run.failures.length < maxFailuresKept)
    run.failures.push({ job, error: outcome.error, reason: outcome.reason ?? outcome.error });
}
