import type * as crypto from 'node:crypto';
import type * as fs from 'node:fs';
import type * as path from 'node:path';
import type { ProgramStarter } from '../../programs/program-starter';
import { TaskError } from '../task';

/** What a program in a thread is handed. */
export interface ThreadTools {
  readonly crypto: typeof crypto;
  readonly fs: typeof fs;
  readonly path: typeof path;
  /** Says how far it is, from 0 to 1; of several threads the first is heard. */
  readonly tell: (share: number) => void;
  /** Waits until all threads have come to this. */
  readonly meet: () => void;
}

/**
 * What runs in a thread. Its text is sent there, so that the same code runs from `src` under Jest and from `dist`: it must not
 * use anything from outside of itself but its parameters and what is global in Node. Input and output go as JSON.
 */
export type ThreadProgram<I, O> = (tools: ThreadTools, input: I) => O;

type Message<O> =
  { share: number } | { values: O[] } | { error: { name: string; message: string; code?: string } };

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

/** Of a thread: `text` is the program. */
const threadPrologue = `
const { parentPort, workerData: { input, gate, threads, isFirst } } = require('node:worker_threads');
const tools = {
  crypto: require('node:crypto'),
  fs: require('node:fs'),
  path: require('node:path'),
  tell: share => { if (isFirst) parentPort.postMessage({ share }); },
  meet: () => {
    if (Atomics.add(gate, 0, 1) + 1 < threads) return void Atomics.wait(gate, 1, 0);
    Atomics.store(gate, 1, 1);
    Atomics.notify(gate, 1);
  },
};
`;

/**
 * Of the process of the threads. Its priority is below that of the instance, and so is theirs: the machine may be measured to the
 * last, and requests come first all the same.
 */
const processProgram = `
process.title = 'sutazai: measures the machine';
const os = require('node:os');
const { Worker } = require('node:worker_threads');
os.setPriority(os.constants.priority.PRIORITY_BELOW_NORMAL);
process.once('message', ({ text, input, threads }) => {
  const gate = new Int32Array(new SharedArrayBuffer(8)); // how many have arrived, and whether all have
  const values = [];
  for (let index = 0; index < threads; index += 1) {
    const workerData = { input, gate, threads, isFirst: index === 0 };
    const thread = new Worker(text, { eval: true, workerData, execArgv: [], env: {} });
    let isOver = false;
    thread.on('message', message => {
      if ('value' in message && values.push(message.value) === threads) process.send({ values });
      else if (!('value' in message)) process.send(message);
      isOver = !('share' in message);
    });
    thread.on('error', ({ name, message, code }) => process.send({ error: { name, message, code } }));
    thread.on('exit', code => { if (!isOver) process.exit(code); });
  }
});
`;

export interface ThreadRun {
  readonly starter: Pick<ProgramStarter, 'start'>;
  readonly threads?: number;
  readonly signal: AbortSignal;
  readonly onProgress?: (share: number) => void;
  /** What takes longer hangs, and fails. Milliseconds. */
  readonly limitMs: number;
}

/**
 * Runs a program in threads of a process that has no other work, and resolves to what they return. In threads of this process it
 * would share locks of the memory with the thread that answers requests, and hold them while it waits for a processor.
 *
 * Aborting ends the process wherever it is; only then this rejects, so that nothing of it goes on behind the caller.
 * @throws the reason of the signal; ThreadError for what the program throws; TaskError when the process ends too early or not at all
 */
export async function runInThreads<I, O>(
  program: ThreadProgram<I, O>,
  input: I,
  { starter, threads = 1, signal, onProgress = () => undefined, limitMs }: ThreadRun,
): Promise<O[]> {
  signal.throwIfAborted();
  const text = `${threadPrologue}try { parentPort.postMessage({ value: (${program.toString()})(tools, input) }); }
catch ({ name, message, code }) { parentPort.postMessage({ error: { name, message, code } }); }`;
  let abort: (() => void) | undefined;
  let late: NodeJS.Timeout | undefined;
  let onMessage: (message: Message<O>) => void = () => undefined;
  const measuring = starter.start<Message<O>>(processProgram, [], message => onMessage(message));
  try {
    return await new Promise<O[]>((resolve, reject) => {
      abort = () => reject(signal.reason as Error);
      signal.addEventListener('abort', abort, { once: true });
      onMessage = message => {
        if ('share' in message) onProgress(message.share);
        else if ('values' in message) resolve(message.values);
        else reject(new ThreadError(`${message.error.name}: ${message.error.message}`, message.error.code));
      };
      measuring.send({ text, input, threads });
      late = setTimeout(
        () => reject(new TaskError(`The process of the benchmark has not ended within ${limitMs} ms.`)),
        limitMs,
      ).unref();
      void measuring.ended.then(how =>
        reject(new TaskError(`The process of the benchmark ended too early (${how}).`)),
      );
    });
  } finally {
    if (abort) signal.removeEventListener('abort', abort);
    clearTimeout(late);
    measuring.kill();
    await measuring.ended;
  }
}
