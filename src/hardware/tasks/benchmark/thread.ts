import type * as crypto from 'node:crypto';
import type * as fs from 'node:fs';
import type * as path from 'node:path';
import { Worker } from 'node:worker_threads';
import { TaskError } from '../task';

/** The modules of Node that a program in a thread is handed. */
export interface ThreadModules {
  readonly crypto: typeof crypto;
  readonly fs: typeof fs;
  readonly path: typeof path;
}

/**
 * What runs in a thread. Its text is sent there, so that the same code runs from `src` under Jest and from `dist`: it must not
 * use anything from outside of itself but its parameters and what is global in Node. `tell` says how far it is, from 0 to 1.
 */
export type ThreadProgram<I, O> = (modules: ThreadModules, input: I, tell: (share: number) => void) => O;

interface Message<O> {
  share?: number;
  value?: O;
  error?: { name: string; message: string; code?: string };
}

/** An error that was thrown in a thread. */
export class ThreadError extends Error {
  constructor(
    message: string,
    readonly code?: string,
  ) {
    super(message);
    this.name = 'ThreadError';
  }
}

/**
 * On Linux a nice value is of a thread, and this one's is below that of the thread that answers requests: the machine may be
 * measured to the last, and requests come first all the same. Elsewhere it would slow down the whole process.
 */
const prologue = `
const { parentPort, workerData } = require('node:worker_threads');
const os = require('node:os');
if (process.platform === 'linux') os.setPriority(0, os.constants.priority.PRIORITY_BELOW_NORMAL);
const modules = { crypto: require('node:crypto'), fs: require('node:fs'), path: require('node:path') };
const tell = share => parentPort.postMessage({ share });
`;

/**
 * Runs a program in a thread of its own and resolves to what it returns. Aborting ends the thread wherever it is; only then
 * this rejects, so that nothing of it goes on behind the caller.
 * @throws the reason of the signal; ThreadError for what the program throws; TaskError when the thread itself fails
 */
export async function runInThread<I, O>(
  program: ThreadProgram<I, O>,
  input: I,
  { signal, onProgress = () => undefined }: { signal: AbortSignal; onProgress?: (share: number) => void },
): Promise<O> {
  signal.throwIfAborted();
  const text = `${prologue}try { parentPort.postMessage({ value: (${program.toString()})(modules, workerData, tell) }); }
catch ({ name, message, code }) { parentPort.postMessage({ error: { name, message, code } }); }`;
  const worker = new Worker(text, { eval: true, workerData: input, execArgv: [], env: {} });
  worker.unref();
  let abort: (() => void) | undefined;
  try {
    return await new Promise<O>((resolve, reject) => {
      abort = () => reject(signal.reason as Error);
      signal.addEventListener('abort', abort, { once: true });
      worker.on('message', ({ share, value, error }: Message<O>) => {
        if (share !== undefined) onProgress(share);
        else if (error) reject(new ThreadError(`${error.name}: ${error.message}`, error.code));
        else resolve(value as O);
      });
      worker.on('error', cause => reject(new TaskError('The thread of the benchmark failed.', { cause })));
      worker.on('exit', () => reject(new TaskError('The thread of the benchmark ended too early.')));
    });
  } finally {
    if (abort) signal.removeEventListener('abort', abort);
    await worker.terminate();
  }
}
