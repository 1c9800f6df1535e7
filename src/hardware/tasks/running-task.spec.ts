import { Logger } from '@nestjs/common';
import { eventually } from '../../../test/e2e/harness/eventually';
import { DatabaseUnavailableError } from '../../database/database-errors';
import { RunningTask } from './running-task';
import { type Task, TaskError, type TaskContext, type TaskWork } from './task';
import type { TaskEnd } from './tasks.repository';

const task = { id: 'id', owner: 'owner', kind: 'benchmark' } as Task;

/** A table of one row that can be away and that others can change. */
class OneRow {
  isAway = false;
  isTaken = false;
  isToBeCancelled = false;
  end: TaskEnd | undefined;
  refusals = 0;
  readonly progress: number[] = [];

  begin(): Promise<Task | null> {
    return this.answer(() => (this.isTaken ? null : task));
  }
  renew(_id: string, _owner: string, progress: number): Promise<{ cancelRequested: boolean } | null> {
    return this.answer(() => {
      this.progress.push(progress);
      return this.isTaken ? null : { cancelRequested: this.isToBeCancelled };
    });
  }
  finish(_id: string, _owner: string, end: TaskEnd): Promise<Task | null> {
    return this.answer(() => {
      if (this.isTaken) return null;
      this.end = end;
      return task;
    });
  }
  private async answer<T>(read: () => T): Promise<T> {
    if (this.isAway) {
      this.refusals += 1;
      throw new DatabaseUnavailableError();
    }
    return read();
  }
}

/** Work that goes on until it is stopped; `release` ends it well. */
function held(): { work: TaskWork; release: () => void; begun: Promise<TaskContext> } {
  let release = (): void => undefined;
  let begin: (context: TaskContext) => void = () => undefined;
  const begun = new Promise<TaskContext>(resolve => (begin = resolve));
  const work: TaskWork = context =>
    new Promise((resolve, reject) => {
      release = () => resolve({ well: true });
      context.signal.addEventListener('abort', () => reject(context.signal.reason as Error));
      begin(context);
    });
  return { work, release: () => release(), begun };
}

describe('a running task', () => {
  beforeAll(() => Logger.overrideLogger(false)); // failures are what this is about
  let row: OneRow;
  beforeEach(() => (row = new OneRow()));
  const start = (work: TaskWork, leaseMs = 60_000, firstRetryMs = 250): RunningTask =>
    new RunningTask(task, row, work, { heartbeatMs: 5, leaseMs, finishLimitMs: 60_000, firstRetryMs });

  it('writes the progress with its heartbeats alone, however often it is told, and never backwards', async () => {
    const { work, begun, release } = held();
    const running = start(work);
    const { progress } = await begun;
    const before = row.progress.length;
    for (let index = 0; index <= 50_000; index += 1) progress(index / 100_000);
    progress(0.1);
    expect(row.progress.length).toBe(before); // the heartbeats have had no turn yet
    await eventually(() => expect(row.progress.at(-1)).toBe(0.5));
    release();
    await running.ended;
    expect(row.end).toEqual({ status: 'done', progress: 1, result: { well: true }, error: null });
  });

  it('is stopped by a flag that another instance sets, and keeps what it had', async () => {
    const { work, begun } = held();
    const running = start(work);
    const { keep, progress } = await begun;
    keep({ half: 1 });
    progress(0.5);
    row.isToBeCancelled = true;
    await running.ended;
    expect(row.end).toEqual({ status: 'cancelled', progress: 0.5, result: { half: 1 }, error: null });
  });

  it('is given up when somebody else has ended it', async () => {
    const { work, begun } = held();
    const running = start(work);
    const { signal } = await begun;
    row.isTaken = true;
    await running.ended;
    expect(signal.reason).toBe('lease');
    expect(row.end).toBeUndefined();
  });

  it('is given up when the lease could not be renewed for as long as it lasts, and says so when it can', async () => {
    const { work, begun } = held();
    const running = start(work, 30);
    const { signal } = await begun;
    row.isAway = true;
    await eventually(() => expect(signal.aborted).toBe(true));
    row.isAway = false;
    await running.ended;
    expect(row.end).toMatchObject({ status: 'interrupted', error: 'The database was away.' });
  });

  it('outlives a database that is away for less than the lease', async () => {
    const { work, begun, release } = held();
    const running = start(work);
    await begun;
    row.isAway = true;
    await eventually(() => expect(row.refusals).toBeGreaterThan(1));
    const before = row.refusals;
    release();
    await eventually(() => expect(row.refusals).toBeGreaterThan(before));
    row.isAway = false;
    await running.ended;
    expect(row.end).toMatchObject({ status: 'done', result: { well: true } });
  });

  it('does not begin when the row is gone before it does', async () => {
    row.isTaken = true;
    const work = jest.fn();
    await start(work).ended;
    expect(work).not.toHaveBeenCalled();
  });

  it('that is stopped for a shutdown does not wait for a database that is away', async () => {
    const { work, begun } = held();
    const running = start(work);
    await begun;
    row.isAway = true;
    const beganAtMs = performance.now();
    running.stop('shutdown');
    await running.ended;
    expect(performance.now() - beganAtMs).toBeLessThan(3_000);
  });

  it.each<[string, (running: RunningTask, release: () => void) => void]>([
    ['has ended', (_, release) => release()],
    ['was cancelled', running => running.stop('cancel')],
  ])('that %s before a shutdown does not hold it up either', async (_, end) => {
    const { work, begun, release } = held();
    const running = start(work);
    await begun;
    row.isAway = true;
    end(running, release);
    await eventually(() => expect(row.refusals).toBeGreaterThan(2)); // it waits longer and longer for the next time
    const beganAtMs = performance.now();
    running.stop('shutdown');
    await running.ended;
    expect(performance.now() - beganAtMs).toBeLessThan(3_000);
  });

  it('that waits to be written down is woken by a shutdown, and written down once more', async () => {
    const running = start(() => Promise.resolve({ well: true }), 60_000, 30_000);
    row.isAway = true;
    jest.spyOn(row, 'begin').mockResolvedValue(task);
    await eventually(() => expect(row.refusals).toBe(1));
    row.isAway = false;
    running.stop('shutdown');
    await running.ended;
    expect(row.end).toMatchObject({ status: 'done' });
  });

  it('tells why it failed where that is for its reader, and nothing of what is not', async () => {
    await start(() => Promise.reject(new TaskError('The disk is full.'))).ended;
    expect(row.end).toMatchObject({ status: 'failed', error: 'The disk is full.' });
    await start(() => Promise.reject(new Error('secret'))).ended;
    expect(row.end).toMatchObject({ status: 'failed', error: expect.not.stringContaining('secret') });
  });
});
