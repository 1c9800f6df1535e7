import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Actor } from '../../auth/actor.decorator';
import { type AuditEntry, AuditLog, type AuditResult } from '../../auth/audit-log';
import { AppConfig } from '../../config/app-config';
import { Database } from '../../database/database';
import { ProblemException } from '../../http/problem.exception';
import { RunningTask } from './running-task';
import { isActive, type Task, taskIdPattern, type TaskKind, type TaskWork } from './task';
import { type ListedTask, type TaskEnd, TasksRepository } from './tasks.repository';

/** What a task was begun with; kept with it, and written into the audit log. */
export type TaskParameters = Readonly<Record<string, number | boolean | readonly string[]>>;

/** Tasks in a list at most. */
export const maxListed = 50;
/** How long a cancellation waits for the end of the task, in milliseconds, and how often it looks where another instance runs it. */
const cancelWaitMs = 3_000;
const cancelLookMs = 100;
/** Between a refused insert and the look at what is in its way, that may have ended. */
const startAttempts = 3;

/**
 * Begins, shows and cancels tasks. There is one at a time on a host, whatever its kind: a benchmark beside an optimisation
 * would measure the optimisation. All instances on one database see the tasks of all, and cancel them.
 */
@Injectable()
export class TasksService implements OnModuleInit, OnModuleDestroy {
  private readonly log = new Logger('HardwareTasks');
  /** A new one for each start: what an earlier process of this instance left behind is not ours. */
  private readonly owner = randomUUID();
  private readonly running = new Set<RunningTask>();
  private isClosing = false;

  constructor(
    private readonly config: AppConfig,
    private readonly database: Database,
    private readonly repository: TasksRepository,
    private readonly audit: AuditLog,
  ) {}

  async onModuleInit(): Promise<void> {
    // The embedded database serves one process: whatever is under way there was begun by one that is gone.
    await this.database.onReady(async () => {
      const interrupted = await this.repository.interrupt(this.database.mode === 'embedded');
      for (const { id } of interrupted) this.log.warn(`task ${id} was interrupted: its process has ended`);
    });
  }

  /** Cancels what runs and waits for it. */
  async onModuleDestroy(): Promise<void> {
    this.isClosing = true;
    for (const task of this.running) task.stop('shutdown');
    await Promise.all([...this.running].map(({ ended }) => ended));
  }

  /**
   * Begins a task, which goes on behind the answer.
   * @throws ProblemException 409 when this host has one under way, 503 when the application stops
   */
  async start(kind: TaskKind, parameters: TaskParameters, work: TaskWork, by: Actor): Promise<Task> {
    await this.repository.interrupt();
    // Before it begins: a failure after that would refuse a task that runs.
    await this.repository.prune(kind, this.config.tasks.kept);
    for (let attempt = 0; attempt < startAttempts; attempt += 1) {
      this.refuseWhileClosing();
      const { owner, config } = this;
      const host = config.hardware.hostId;
      const task = await this.repository.insert({ id: randomUUID(), kind, host, owner, parameters });
      if (task) {
        this.log.log(`${kind} ${task.id} was begun by ${by.id}`);
        this.record(by, task, parameters, 'job');
        this.run(task, work, end => this.record(by, task, parameters, auditResultOf(end)));
        return task;
      }
      const other = await this.repository.activeOn(host);
      if (other) throw alreadyRunning(other);
    }
    throw new ProblemException(503, 'SERVICE_UNAVAILABLE', 'Too busy', 'Tasks come and go too fast here.');
  }

  /** @throws ProblemException 404 */
  async one(kind: TaskKind, id: string): Promise<Task> {
    const task = taskIdPattern.test(id) ? await this.repository.one(kind, id) : null;
    if (!task) throw taskNotFound();
    if (!task.isOverdue) return task;
    await this.repository.interrupt();
    return this.one(kind, id);
  }

  /** The latest first, without their results. */
  async latest(kind: TaskKind): Promise<ListedTask[]> {
    const tasks = await this.repository.latest(kind, maxListed);
    if (!tasks.some(({ isOverdue }) => isOverdue)) return tasks;
    await this.repository.interrupt();
    return this.repository.latest(kind, maxListed);
  }

  /**
   * Stops a task, wherever it runs, and waits three seconds for its end; one that has ended stays as it is. The answer is
   * the task as it is then.
   * @throws ProblemException 404
   */
  async cancel(kind: TaskKind, id: string, by: Actor): Promise<Task> {
    let task = await this.one(kind, id);
    if (!isActive(task)) return task;
    this.log.log(`${kind} ${id} is cancelled by ${by.id}`);
    this.audit.record(by, {
      action: 'task_cancel',
      target: { kind },
      count: 1,
      result: 'applied',
      jobId: id,
    });
    const here = [...this.running].find(running => running.id === id);
    if (here) {
      here.stop('cancel');
      await Promise.race([here.ended, sleep(cancelWaitMs, undefined, { ref: false })]);
      return this.one(kind, id);
    }
    await this.repository.requestCancel(id);
    const untilMs = performance.now() + cancelWaitMs;
    for (task = await this.one(kind, id); isActive(task) && performance.now() < untilMs;) {
      await sleep(cancelLookMs, undefined, { ref: false });
      task = await this.one(kind, id);
    }
    return task;
  }

  private run(task: Task, work: TaskWork, onEnd: (end: TaskEnd) => void): void {
    const running = new RunningTask(task, this.repository, work);
    this.running.add(running);
    if (this.isClosing) running.stop('shutdown');
    void running.ended.then(end => {
      this.running.delete(running);
      onEnd(end);
    });
  }

  private record(by: Actor, { kind, id }: Task, parameters: TaskParameters, result: AuditResult): void {
    const target: AuditEntry['target'] = Object.fromEntries(
      Object.entries(parameters).map(([name, value]) => [
        name,
        typeof value === 'number' ? String(value) : value,
      ]),
    );
    this.audit.record(by, { action: kind, target, count: null, result, jobId: id });
  }

  private refuseWhileClosing(): void {
    if (this.isClosing)
      throw new ProblemException(
        503,
        'SERVICE_UNAVAILABLE',
        'Shutting down',
        'This instance is shutting down.',
      );
  }
}

function auditResultOf({ status }: TaskEnd): AuditResult {
  return status === 'interrupted' ? 'failed' : status;
}

function taskNotFound(): ProblemException {
  return new ProblemException(404, 'TASK_NOT_FOUND', 'Task not found', 'There is no task of this id.');
}

function alreadyRunning({ kind, id, host }: Task): ProblemException {
  return new ProblemException(
    409,
    'TASK_RUNNING',
    'A task is running',
    `${host} runs one task at a time, and ${kind} ${id} is under way.`,
    [{ path: '$', code: 'TASK_RUNNING', message: id }],
    { Location: `/api/v1/hardware/${kind}/${id}` },
  );
}
