import { Logger } from '@nestjs/common';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { putEmptyDatabase } from '../../test/e2e/harness/empty-database';
import { eventually } from '../../test/e2e/harness/eventually';
import { DatabaseUnavailableError, outcomeUnknown } from './database-errors';
import { EmbeddedDatabase } from './embedded-database';
import { EmbeddedThread, startThread } from './embedded-thread';

const program = (text: string) => () =>
  new Worker(`const { parentPort } = require('node:worker_threads'); ${text}`, { eval: true });
/** Opens, and then never ends what it is asked first. */
const stuck = program(`parentPort.on('message', () => { for (;;); }); parentPort.postMessage({ id: 0 });`);
/** Answers, and ends when it is asked to. */
const echo = program(`parentPort.postMessage({ id: 0 }); parentPort.on('message', ({ id, method }) => {
  parentPort.postMessage({ id, value: 'answered' });
  if (method === 'close') parentPort.close();
});`);
const broken = program(`throw new Error('no space left');`);
const silent = program(`parentPort.on('message', () => undefined);`);

let folder: string;
let logged: jest.SpyInstance;
const threads: Worker[] = [];
/** Starts the given ones first, and real ones after them. */
const starting =
  (...first: (() => Worker)[]) =>
  (at: string): Worker => {
    const thread = first.shift()?.() ?? startThread(at);
    threads.push(thread);
    return thread;
  };
const ofFolder = () => join(folder, 'pg');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'embedded-'));
  putEmptyDatabase(folder);
  threads.length = 0;
  logged = jest.spyOn(Logger.prototype, 'error').mockImplementation();
  jest.spyOn(Logger.prototype, 'log').mockImplementation();
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

describe('the embedded database when its thread is lost', () => {
  it('is away for who waits, for who comes and for who is in a transaction, and comes back with what was committed', async () => {
    const database = await EmbeddedDatabase.open(ofFolder(), { start: starting() });
    await database.unlimited.exec('CREATE TABLE numbers (n int); INSERT INTO numbers VALUES (1)');
    const inside = database.transaction(async transaction => {
      await transaction.query('INSERT INTO numbers VALUES (2)');
      const slow = transaction.query('SELECT count(*) FROM generate_series(1, 100000000)');
      await threads[0]?.terminate();
      return slow;
    });
    const behind = database.query('SELECT 1');
    await expect(inside).rejects.toThrow(DatabaseUnavailableError);
    await expect(behind).rejects.toThrow(DatabaseUnavailableError);
    await expect(database.query('SELECT 1')).rejects.toThrow(DatabaseUnavailableError);
    await eventually(async () =>
      expect((await database.query('SELECT n FROM numbers')).rows).toEqual([{ n: 1 }]),
    );
    expect(logged.mock.calls).toEqual([
      ['the thread of the embedded database has ended; it is opened again'],
    ]);
    await database.close();
  });

  it('is opened again until it succeeds, and says once why it could not be', async () => {
    const database = await EmbeddedDatabase.open(ofFolder(), {
      start: starting(startThreadHere, broken, broken),
    });
    await threads[0]?.terminate();
    await eventually(() => database.query('SELECT 1'));
    expect(threads).toHaveLength(4);
    expect(logged).toHaveBeenCalledTimes(2);
    expect(logged).toHaveBeenLastCalledWith(expect.stringContaining('no space left'));
    await database.close();
  });

  it('can be closed while it is being opened again', async () => {
    const database = await EmbeddedDatabase.open(ofFolder(), { start: starting(startThreadHere, silent) });
    await threads[0]?.terminate();
    await eventually(() => expect(threads).toHaveLength(2));
    await database.close();
    expect(threads[1]?.threadId).toBe(-1);
  });
});

describe('a statement of the embedded database that takes too long', () => {
  const slow = 'SELECT count(*) FROM generate_series(1, 3000000)';

  it('fails, goes on, and is settled when it is over', async () => {
    const database = await EmbeddedDatabase.open(ofFolder(), { start: starting(), limitMs: 50 });
    await database.unlimited.exec('CREATE TABLE numbers (n int)');
    await database.unlimited.query(slow); // no limit
    const waiting = database.unlimited.query(slow);
    const error = await database.query('INSERT INTO numbers VALUES (1)').catch((reason: unknown) => reason);
    expect(error).toEqual(
      new DatabaseUnavailableError('the embedded database has not answered within 50 ms'),
    );
    await outcomeUnknown(error);
    expect((await database.query('SELECT n FROM numbers')).rows).toEqual([{ n: 1 }]);
    await waiting;
    await database.close();
  });

  it('holds up whole transactions, which are settled when they are committed', async () => {
    const database = await EmbeddedDatabase.open(ofFolder(), { start: starting(), limitMs: 50 });
    await database.unlimited.exec('CREATE TABLE numbers (n int)');
    const waiting = database.unlimited.query(slow);
    const work = database.transaction(async transaction =>
      transaction.query('INSERT INTO numbers VALUES (1)'),
    );
    const error = await work.catch((reason: unknown) => reason);
    await outcomeUnknown(error);
    expect((await database.query('SELECT n FROM numbers')).rows).toEqual([{ n: 1 }]);
    await waiting;
    await database.close();
  });

  it('is settled when its thread has ended, whichever of it has happened', async () => {
    const database = await EmbeddedDatabase.open(ofFolder(), { start: starting(stuck), limitMs: 50 });
    const error = await database.query('SELECT 1').catch((reason: unknown) => reason);
    let isSettled = false;
    const settled = outcomeUnknown(error)?.then(() => (isSettled = true));
    expect(isSettled).toBe(false);
    await threads[0]?.terminate();
    await settled;
    await database.close();
  });

  it('may have happened when the thread is lost before it has answered, and has not when it comes after that', async () => {
    const thread = await EmbeddedThread.open('', { start: starting(stuck) });
    const errors = [thread.query('SELECT 1').catch((reason: unknown) => reason)];
    await nextTurn();
    await threads[0]?.terminate();
    errors.push(thread.query('SELECT 1').catch((reason: unknown) => reason));
    const [waited, came] = await Promise.all(errors);
    expect([waited, came]).toEqual([
      expect.any(DatabaseUnavailableError),
      expect.any(DatabaseUnavailableError),
    ]);
    await outcomeUnknown(waited);
    expect([outcomeUnknown(waited), outcomeUnknown(came)]).toEqual([expect.any(Promise), undefined]);
  });
});

describe('the embedded database when it is closed just as it comes back', () => {
  // Between the answer of the new thread and its place in the database lie a few turns of the promises.
  it.each([1, 2, 3, 4])('ends the new thread, %i microtasks after its answer', async turns => {
    let closed: Promise<void> | undefined;
    const closeAfter = async (): Promise<void> => {
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      closed = database.close();
    };
    const echoAndClose = (): Worker => echo().once('message', () => void closeAfter());
    const database = await EmbeddedDatabase.open(ofFolder(), { start: starting(echo, echoAndClose) });
    await threads[0]?.terminate();
    await eventually(() => expect(closed).toBeDefined());
    await closed;
    expect(threads[1]?.threadId).toBe(-1);
  });
});

describe('a transaction of the embedded database whose thread is lost', () => {
  it('tells what its work has thrown', async () => {
    const thread = await EmbeddedThread.open('', { start: starting(echo) });
    const transaction = thread.transaction(async () => {
      await threads[0]?.terminate();
      throw new Error('of the work');
    });
    await expect(transaction).rejects.toThrow('of the work');
  });
});

describe('a thread of the embedded database that is stuck', () => {
  const limitMs = 60_000;
  beforeEach(() => jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] }));
  afterEach(() => jest.useRealTimers());

  it('is ended when it has not answered for a minute', async () => {
    const thread = await EmbeddedThread.open('', { start: stuck });
    jest.advanceTimersByTime(limitMs / 2);
    const failed = jest.fn();
    const waiting = thread.query('SELECT 1').catch(failed);
    await nextTurn();
    jest.advanceTimersByTime(limitMs - 1);
    await nextTurn();
    expect(failed).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    await waiting;
    expect(failed).toHaveBeenCalledWith(
      new DatabaseUnavailableError('the thread of the embedded database has not answered for 60000 ms'),
    );
    await thread.ended;
  });

  it('is one that somebody waits for: silence that nobody waits in ends nothing', async () => {
    const thread = await EmbeddedThread.open('', { start: echo });
    jest.advanceTimersByTime(2 * limitMs);
    await expect(thread.query('SELECT 1')).resolves.toBe('answered');
    await thread.close();
  });

  it('does not hold up the end', async () => {
    const thread = await EmbeddedThread.open('', { start: stuck });
    const failed = jest.fn();
    const waiting = thread.query('SELECT 1').catch(failed);
    const closed = thread.close();
    await nextTurn();
    jest.advanceTimersByTime(3_000);
    await Promise.all([closed, waiting]);
    expect(failed).toHaveBeenCalledWith(expect.any(DatabaseUnavailableError));
  });
});

function startThreadHere(): Worker {
  return startThread(ofFolder());
}
