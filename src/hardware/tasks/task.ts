import type { hardwareTasks } from '../../database/schema';

export const taskKinds = ['benchmark', 'optimize'] as const;
export type TaskKind = (typeof taskKinds)[number];

/**
 * `queued` and `running` are under way; the others are ends. `interrupted`: its process died or lost the database, and its
 * lease ran out.
 */
export const taskStatuses = ['queued', 'running', 'done', 'failed', 'cancelled', 'interrupted'] as const;
export type TaskStatus = (typeof taskStatuses)[number];
export const activeStatuses = ['queued', 'running'] as const satisfies readonly TaskStatus[];

export type Task = typeof hardwareTasks.$inferSelect;
export type TaskResult = Record<string, unknown>;

/** How often a process says that its task goes on, in milliseconds; then it hears that another instance wants it stopped. */
export const heartbeatMs = 500;
/** A task whose process has said nothing for so long, in milliseconds of the database's clock, is interrupted. */
export const leaseMs = 5_000;

export const taskIdPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** What the work of a task is given. */
export interface TaskContext {
  /** Aborted when the task is cancelled, the application stops or its lease is lost. */
  readonly signal: AbortSignal;
  /** Says how far it is, from 0 to 1; may be called often. */
  readonly progress: (share: number) => void;
  /** Keeps what there is of the result, for the case that the task does not come to its end. */
  readonly keep: (result: TaskResult) => void;
}

/** Does the task; resolves to its result. An `AbortSignal` that is aborted ends it with a rejection. */
export type TaskWork = (context: TaskContext) => Promise<TaskResult>;

/** Why a task could not be done, in words that its reader may see. */
export class TaskError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'TaskError';
  }
}

export function isActive({ status }: Pick<Task, 'status'>): boolean {
  return (activeStatuses as readonly TaskStatus[]).includes(status);
}
