import { Worker } from 'node:worker_threads';
import type { Systeminformation } from 'systeminformation';

/** What the thread can be asked; each is the function of that name in `systeminformation`. */
export interface MachineQuestions {
  cpu: Systeminformation.CpuData;
  cpuCurrentSpeed: Systeminformation.CpuCurrentSpeedData;
  currentLoad: Systeminformation.CurrentLoadData;
  mem: Systeminformation.MemData;
  fsSize: Systeminformation.FsSizeData[];
  networkStats: Systeminformation.NetworkStatsData[];
  processes: Systeminformation.ProcessesData;
  graphics: Systeminformation.GraphicsData;
}

/** A question was not answered: it failed, took too long, or the thread ended. */
export class MachineUnreadableError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'MachineUnreadableError';
  }
}

interface Waiting {
  resolve(value: never): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

/**
 * The program of the thread. A text and not a file, because a worker cannot be TypeScript and the same code has to run from
 * `src` under Jest and from `dist`. `networkStats` gets names, because `*` looks them up with programs of the system.
 */
const program = `
const { parentPort, workerData } = require('node:worker_threads');
const os = require('node:os');
const read = require(workerData.library);
parentPort.on('message', async ({ id, question }) => {
  try {
    const argument = question === 'networkStats' ? Object.keys(os.networkInterfaces()).join(',') || 'lo' : undefined;
    parentPort.postMessage({ id, value: await read[question](argument) });
  } catch (error) {
    parentPort.postMessage({ id, error: String(error && error.message) });
  }
});
`;

/**
 * Reads the machine in a thread of its own: `systeminformation` waits for child processes (`cat`, `df`, `dmidecode`)
 * synchronously in places, and starting one holds up the event loop that requests run on. The thread begins with the
 * first question, keeps the counters from which differences are made, and begins anew after it has ended.
 */
export class MachineThread {
  #worker: Worker | undefined;
  #nextId = 1;
  readonly #waiting = new Map<number, Waiting>();
  #closing = false;
  #ended: Promise<unknown> = Promise.resolve();

  constructor(private readonly timeoutMs = 5_000) {}

  /** @throws MachineUnreadableError */
  ask<Q extends keyof MachineQuestions>(question: Q): Promise<MachineQuestions[Q]> {
    if (this.#closing) return Promise.reject(new MachineUnreadableError('the application is shutting down'));
    const worker = (this.#worker ??= this.#start());
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#giveUp(worker, `${question} took longer than ${this.timeoutMs} ms`);
      }, this.timeoutMs);
      timer.unref();
      this.#waiting.set(id, { resolve, reject, timer });
      worker.postMessage({ id, question });
    });
  }

  /** Ends the thread; questions under way are rejected. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#worker) this.#giveUp(this.#worker, 'the application is shutting down');
    await this.#ended;
  }

  #start(): Worker {
    const worker = new Worker(program, {
      eval: true,
      workerData: { library: require.resolve('systeminformation') },
      execArgv: [],
    });
    worker.unref();
    worker.on('message', ({ id, value, error }: { id: number; value?: unknown; error?: string }) => {
      const waiting = this.#take(id);
      if (error === undefined) waiting?.resolve(value as never);
      else waiting?.reject(new MachineUnreadableError(error));
    });
    worker.on('error', error =>
      this.#lost(worker, new MachineUnreadableError('the thread failed', { cause: error })),
    );
    worker.on('exit', () => this.#lost(worker, new MachineUnreadableError('the thread has ended')));
    return worker;
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    clearTimeout(waiting?.timer);
    return waiting;
  }

  #lost(worker: Worker, error: MachineUnreadableError): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const id of [...this.#waiting.keys()]) this.#take(id)?.reject(error);
  }

  /** Ends the thread; `close` waits for it. */
  #giveUp(worker: Worker, reason: string): void {
    this.#lost(worker, new MachineUnreadableError(reason));
    this.#ended = Promise.all([this.#ended, worker.terminate()]);
  }
}
