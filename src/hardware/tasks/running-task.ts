import { Logger } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../../database/database-errors';
import {
  heartbeatMs,
  leaseMs,
  type Task,
  TaskError,
  type TaskContext,
  type TaskResult,
  type TaskWork,
} from './task';
import type { TaskEnd, TasksRepository } from './tasks.repository';

export type StopReason = 'cancel' | 'shutdown' | 'lease';

const maxRetryMs = 5_000;
/** How long an end that the database does not take is held when the application stops, in milliseconds. */
const finishLimitAtShutdownMs = 1_500;

/** Periods and limits of a task, in milliseconds. */
export interface TaskTimes {
  readonly heartbeatMs: number;
  readonly leaseMs: number;
  /** How long an end that the database does not take is held. */
  readonly finishLimitMs: number;
  /** Before it is told once more; doubled each time, up to five seconds. */
  readonly firstRetryMs: number;
}

/**
 * One task on its way: does the work, and beside it renews the lease, writes the progress and hears whether somebody wants
 * it stopped, all in one statement every half second. How often the work tells its progress makes no difference.
 *
 * Without a renewal for as long as the lease lasts the work is given up: others may count it as dead by then.
 */
export class RunningTask {
  /** Resolves to its end when the work has stopped and that is written, or cannot be. Never rejects. */
  readonly ended: Promise<TaskEnd>;
  readonly #log = new Logger('HardwareTasks');
  readonly #stop = new AbortController();
  readonly #over = new AbortController();
  /** The application stops; `#stop` may have been aborted before, for another reason. */
  readonly #closing = new AbortController();
  #closingAtMs = Infinity;
  #progress = 0;
  #kept: TaskResult | null = null;
  #renewedAtMs = performance.now();
  #isAway = false;

  constructor(
    private readonly task: Task,
    private readonly repository: Pick<TasksRepository, 'begin' | 'renew' | 'finish'>,
    work: TaskWork,
    private readonly times: TaskTimes = { heartbeatMs, leaseMs, finishLimitMs: 60_000, firstRetryMs: 250 },
  ) {
    this.ended = this.#run(work);
  }

  get id(): string {
    return this.task.id;
  }

  /** Stops the work; `ended` tells when it has stopped. */
  stop(reason: StopReason): void {
    if (reason === 'shutdown' && !this.#closing.signal.aborted) {
      this.#closingAtMs = performance.now();
      this.#closing.abort();
    }
    this.#stop.abort(reason);
  }

  async #run(work: TaskWork): Promise<TaskEnd> {
    const heartbeats = this.#keepLease();
    const end = await this.#work(work);
    this.#over.abort();
    await heartbeats;
    await this.#write(end);
    return end;
  }

  async #work(work: TaskWork): Promise<TaskEnd> {
    const { signal } = this.#stop;
    const context: TaskContext = {
      signal,
      progress: share => void (this.#progress = Math.min(1, Math.max(this.#progress, share))),
      keep: result => void (this.#kept = result),
    };
    try {
      await this.#begin();
      signal.throwIfAborted();
      const result = await work(context);
      return { status: 'done', progress: 1, result, error: null };
    } catch (error) {
      return { ...this.#endOf(error), progress: this.#progress, result: this.#kept };
    }
  }

  async #begin(): Promise<void> {
    try {
      if (!(await this.repository.begin(this.task.id, this.task.owner))) this.stop('lease');
    } catch (error) {
      this.#report(error);
      this.stop('lease');
    }
  }

  #endOf(error: unknown): Pick<TaskEnd, 'status' | 'error'> {
    const { signal } = this.#stop;
    if (signal.aborted) {
      switch (signal.reason as StopReason) {
        case 'cancel':
          return { status: 'cancelled', error: null };
        case 'shutdown':
          return { status: 'cancelled', error: 'The instance that ran it was stopped.' };
        case 'lease':
          return { status: 'interrupted', error: 'The database was away.' };
      }
    }
    if (error instanceof TaskError) return { status: 'failed', error: error.message };
    this.#log.error(`task ${this.task.id} failed`, error);
    return { status: 'failed', error: 'Something went wrong here; the log tells what.' };
  }

  async #keepLease(): Promise<void> {
    while (await pause(this.times.heartbeatMs, this.#over.signal)) {
      try {
        const lease = await this.repository.renew(this.task.id, this.task.owner, this.#progress);
        this.#report(undefined);
        this.#renewedAtMs = performance.now();
        if (!lease) this.stop('lease');
        else if (lease.cancelRequested) this.stop('cancel');
      } catch (error) {
        this.#report(error);
        if (performance.now() - this.#renewedAtMs >= this.times.leaseMs) this.stop('lease');
      }
    }
  }

  /** Tries again while the database is away: for a minute, and for a moment from when the application stops. */
  async #write(end: TaskEnd): Promise<void> {
    const startedAtMs = performance.now();
    const untilMs = (): number =>
      Math.min(
        startedAtMs + this.times.finishLimitMs,
        Math.max(startedAtMs, this.#closingAtMs) + finishLimitAtShutdownMs,
      );
    const { id, owner, kind } = this.task;
    for (let delayMs = this.times.firstRetryMs; ;) {
      try {
        const task = await this.repository.finish(id, owner, end);
        this.#report(undefined);
        if (task) this.#log.log(`${kind} ${id}: ${end.status}`);
        else this.#log.warn(`${kind} ${id} counts as interrupted; its end (${end.status}) came too late`);
        return;
      } catch (error) {
        this.#report(error);
        if (performance.now() + delayMs > untilMs()) {
          this.#log.warn(`${kind} ${id} has ended (${end.status}), which the database was not told`);
          return;
        }
        const isUndisturbed = await this.#waitToWrite(delayMs);
        delayMs = isUndisturbed ? Math.min(2 * delayMs, maxRetryMs) : this.times.firstRetryMs;
      }
    }
  }

  /** Waits; false when the application began to stop meanwhile, which leaves no time for long waits. */
  async #waitToWrite(ms: number): Promise<boolean> {
    const { signal } = this.#closing;
    return signal.aborted ? sleep(ms, true, { ref: false }) : pause(ms, signal);
  }

  /** One line for each change of state. */
  #report(error: unknown): void {
    const isAway = error !== undefined;
    if (isAway === this.#isAway) return;
    this.#isAway = isAway;
    if (isAway) this.#log.warn(`task ${this.task.id} cannot be written down: ${reasonOf(error)}`);
    else this.#log.log(`task ${this.task.id} is written down again`);
  }
}

/** Waits; false when it was ended before. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  return sleep(ms, true, { signal, ref: false }).catch((error: Error) => {
    if (error.name !== 'AbortError') throw error;
    return false;
  });
}
