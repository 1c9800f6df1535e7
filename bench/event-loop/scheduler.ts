import { closeSync, openSync, readdirSync, readSync } from 'node:fs';

const tasks = '/proc/self/task';
/** Before any other module has begun a thread: those of Node's start, which are V8's, and one that hears signals. */
const atStart = process.platform === 'linux' ? readdirSync(tasks) : [];

/** What the scheduler of Linux knows of the threads of this process, in milliseconds since each began. */
export interface ThreadTimes {
  /** Of the main thread: on a processor. Exact whenever it has waited for something, else behind by up to a tick of the scheduler (4 ms). */
  workedMs: number;
  /** Of the main thread: ready to go on while others had the processors. */
  readyMs: number;
  /** The same of each helper. */
  helpersReadyMs: number[];
  /** All threads of the process together: on processors. */
  processMs: number;
}

/** The times of the main thread, and of threads that help it. Linux alone has them. */
export class Scheduler {
  readonly #buffer = Buffer.alloc(128);
  readonly #main: number;
  readonly #helpers: number[];

  private constructor(helpers: readonly string[]) {
    this.#main = openSync(`${tasks}/${process.pid}/schedstat`, 'r');
    this.#helpers = helpers.map(id => openSync(`${tasks}/${id}/schedstat`, 'r'));
  }

  /** With V8's threads, which collect garbage and compile for the main thread. Undefined where the system does not tell. */
  static open(): Scheduler | undefined {
    if (process.platform !== 'linux') return undefined;
    return new Scheduler(atStart.filter(id => id !== String(process.pid)));
  }

  now(): ThreadTimes {
    const [workedMs, readyMs] = this.#read(this.#main);
    const helpersReadyMs = this.#helpers.map(file => this.#read(file)[1]);
    const { user, system } = process.cpuUsage();
    return { workedMs, readyMs, helpersReadyMs, processMs: (user + system) / 1_000 };
  }

  close(): void {
    for (const file of [this.#main, ...this.#helpers]) closeSync(file);
  }

  /** Nanoseconds on a processor and of waiting for one, and turns. */
  #read(file: number): [number, number] {
    const length = readSync(file, this.#buffer, 0, this.#buffer.length, 0);
    const [worked, ready] = this.#buffer.toString('latin1', 0, length).split(' ');
    return [Number(worked) / 1e6, Number(ready) / 1e6];
  }
}
