import { Logger } from '@nestjs/common';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { putEmptyDatabase } from '../../test/e2e/harness/empty-database';
import { eventually } from '../../test/e2e/harness/eventually';
import { DatabaseUnavailableError } from './database-errors';
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
    const database = await EmbeddedDatabase.open(ofFolder(), starting());
    await database.exec('CREATE TABLE numbers (n int); INSERT INTO numbers VALUES (1)');
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
    const database = await EmbeddedDatabase.open(ofFolder(), starting(startThreadHere, broken, broken));
    await threads[0]?.terminate();
    await eventually(() => database.query('SELECT 1'));
    expect(threads).toHaveLength(4);
    expect(logged).toHaveBeenCalledTimes(2);
    expect(logged).toHaveBeenLastCalledWith(expect.stringContaining('no space left'));
    await database.close();
  });

  it('can be closed while it is being opened again', async () => {
    const database = await EmbeddedDatabase.open(ofFolder(), starting(startThreadHere, silent));
    await threads[0]?.terminate();
    await eventually(() => expect(threads).toHaveLength(2));
    await database.close();
    expect(threads[1]?.threadId).toBe(-1);
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
    const database = await EmbeddedDatabase.open(ofFolder(), starting(echo, echoAndClose));
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
