import { Injectable } from '@nestjs/common';
import { and, asc, desc, eq, getTableColumns, inArray, notInArray, type SQL, sql } from 'drizzle-orm';
import { InvalidatesCache } from '../../cache';
import { Database } from '../../database/database';
import { hardwareTasks } from '../../database/schema';
import { tasksWrites } from './cache';
import { activeStatuses, leaseMs, type Task, type TaskKind, type TaskResult, type TaskStatus } from './task';

export type NewTask = Pick<Task, 'id' | 'kind' | 'host' | 'owner' | 'parameters'>;
/** A task, and whether its process has let the lease run out. */
export type SeenTask = Task & { isOverdue: boolean };
/** In lists there are no results: they can be long. */
export type ListedTask = Omit<SeenTask, 'result'>;

export interface TaskEnd {
  status: Exclude<TaskStatus, (typeof activeStatuses)[number]>;
  progress: number;
  result: TaskResult | null;
  error: string | null;
}

const columns = getTableColumns(hardwareTasks);
const isActive = inArray(hardwareTasks.status, [...activeStatuses]);
const isOverdue = sql<boolean>`(${hardwareTasks.status} IN ('queued', 'running') AND ${hardwareTasks.heartbeatAt} < now() - make_interval(secs => ${leaseMs / 1_000}::double precision))`;
/** More than were under way when their processes died there cannot be; a bound all the same, because tags of one call are. */
const maxInterrupted = 90;

/** The tasks in the database. Times are the database's own: no clock of an instance is compared with another one's. */
@Injectable()
export class TasksRepository {
  constructor(private readonly database: Database) {}

  /** The new task, queued, or null when its host has one under way: the index on the table lets no second one in. */
  @InvalidatesCache(tasksWrites.change)
  async insert(task: NewTask): Promise<Task | null> {
    const [row] = await this.database.orm
      .insert(hardwareTasks)
      .values({ ...task, status: 'queued' })
      .onConflictDoNothing()
      .returning();
    return row ?? null;
  }

  /** The task under way on a host, or null. */
  async activeOn(host: string): Promise<Task | null> {
    const [row] = await this.database.orm
      .select()
      .from(hardwareTasks)
      .where(and(eq(hardwareTasks.host, host), isActive));
    return row ?? null;
  }

  async one(kind: TaskKind, id: string): Promise<SeenTask | null> {
    const [row] = await this.database.orm
      .select({ ...columns, isOverdue })
      .from(hardwareTasks)
      .where(and(eq(hardwareTasks.id, id), eq(hardwareTasks.kind, kind)));
    return row ?? null;
  }

  /** The latest first. */
  async latest(kind: TaskKind, limit: number): Promise<ListedTask[]> {
    const { result: _, ...listed } = columns;
    return this.database.orm
      .select({ ...listed, isOverdue })
      .from(hardwareTasks)
      .where(eq(hardwareTasks.kind, kind))
      .orderBy(desc(hardwareTasks.createdAt), asc(hardwareTasks.id))
      .limit(limit);
  }

  /** Null when it is not this owner's any more, or nobody's. */
  @InvalidatesCache(tasksWrites.change)
  async begin(id: string, owner: string): Promise<Task | null> {
    const [row] = await this.database.orm
      .update(hardwareTasks)
      .set({ status: 'running', startedAt: sql`now()`, heartbeatAt: sql`now()` })
      .where(and(ownedBy(id, owner), eq(hardwareTasks.status, 'queued')))
      .returning();
    return row ?? null;
  }

  /** Renews the lease and writes the progress; null when the lease was lost. */
  async renew(
    id: string,
    owner: string,
    progress: number,
  ): Promise<{ readonly cancelRequested: boolean } | null> {
    const [row] = await this.database.orm
      .update(hardwareTasks)
      .set({ progress, heartbeatAt: sql`now()` })
      .where(and(ownedBy(id, owner), isActive))
      .returning({ cancelRequested: hardwareTasks.cancelRequested });
    return row ?? null;
  }

  /** Null when the task has been ended by somebody else. */
  @InvalidatesCache(tasksWrites.change)
  async finish(id: string, owner: string, end: TaskEnd): Promise<Task | null> {
    const [row] = await this.database.orm
      .update(hardwareTasks)
      .set({ ...end, finishedAt: sql`now()` })
      .where(and(ownedBy(id, owner), isActive))
      .returning();
    return row ?? null;
  }

  /** Asks the process of a task to stop; it hears it with its next heartbeat. */
  async requestCancel(id: string): Promise<void> {
    await this.database.orm
      .update(hardwareTasks)
      .set({ cancelRequested: true })
      .where(and(eq(hardwareTasks.id, id), isActive));
  }

  /** Ends what nobody runs any more: all whose lease has run out, or, with `isAlone`, all. Answers with those. */
  @InvalidatesCache(tasksWrites.change)
  async interrupt(isAlone = false): Promise<Pick<Task, 'id'>[]> {
    const overdue = this.database.orm
      .select({ id: hardwareTasks.id })
      .from(hardwareTasks)
      .where(isAlone ? isActive : isOverdue)
      .limit(maxInterrupted);
    return this.database.orm
      .update(hardwareTasks)
      .set({ status: 'interrupted', finishedAt: sql`now()`, error: 'The process that ran it has ended.' })
      .where(and(inArray(hardwareTasks.id, overdue), isAlone ? isActive : isOverdue))
      .returning({ id: hardwareTasks.id });
  }

  /** Drops all but the latest `kept` of a kind that have ended. */
  async prune(kind: TaskKind, kept: number): Promise<void> {
    const ended = and(eq(hardwareTasks.kind, kind), notInArray(hardwareTasks.status, [...activeStatuses]));
    const old = this.database.orm
      .select({ id: hardwareTasks.id })
      .from(hardwareTasks)
      .where(ended)
      .orderBy(desc(hardwareTasks.createdAt), asc(hardwareTasks.id))
      .offset(kept);
    await this.database.orm.delete(hardwareTasks).where(and(inArray(hardwareTasks.id, old), ended));
  }
}

function ownedBy(id: string, owner: string): SQL | undefined {
  return and(eq(hardwareTasks.id, id), eq(hardwareTasks.owner, owner));
}
