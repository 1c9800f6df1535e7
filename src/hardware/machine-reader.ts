import { spawn, type ChildProcess } from 'node:child_process';
import type { Systeminformation } from 'systeminformation';

/** What the reader can be asked; each is the function of that name in `systeminformation`. */
export interface MachineQuestions {
  cpu: Systeminformation.CpuData;
  cpuCurrentSpeed: Systeminformation.CpuCurrentSpeedData;
  currentLoad: Systeminformation.CurrentLoadData;
  mem: Systeminformation.MemData;
  fsSize: Systeminformation.FsSizeData[];
  networkStats: Systeminformation.NetworkStatsData[];
  processes: Processes;
  graphics: Systeminformation.GraphicsData;
}

/** Command lines stay in the reader: nobody may see them, and they are most of what would have to be handed over. */
type Processes = Pick<Systeminformation.ProcessesData, 'all' | 'running' | 'blocked' | 'sleeping'> & {
  list: Pick<Systeminformation.ProcessesProcessData, (typeof processFields)[number]>[];
};
const processFields = [
  ...(['pid', 'parentPid', 'name', 'user', 'state'] as const),
  ...(['cpu', 'mem', 'memRss', 'started'] as const),
];

/** A question was not answered: it failed, took too long, or the reader ended. */
export class MachineUnreadableError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'MachineUnreadableError';
  }
}

interface Answer {
  id: number;
  value?: unknown;
  error?: string;
}

interface Waiting {
  resolve(value: never): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

/**
 * The program of the process: a text and not a file, because the same code has to run from `src` under Jest and from `dist`.
 * `networkStats` gets names, because `*` looks them up with programs of the system. It ends with the process that it works for and
 * not before it: signals that a terminal or systemd sends to all of a group are for that one.
 */
const program = `
process.title = 'sutazai: reads the machine';
const os = require('node:os');
const read = require(process.argv[1]);
const fields = process.argv[2].split(',');
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
process.on('disconnect', () => process.exit());
const answer = async question => {
  const argument = question === 'networkStats' ? Object.keys(os.networkInterfaces()).join(',') || 'lo' : undefined;
  const value = await read[question](argument);
  if (question !== 'processes') return value;
  return { ...value, list: value.list.map(each => Object.fromEntries(fields.map(field => [field, each[field]]))) };
};
process.on('message', ({ id, question }) =>
  answer(question).then(
    value => process.send({ id, value }),
    error => process.send({ id, error: String(error && error.message) }),
  ),
);
`;

/**
 * Reads the machine in a small process of its own. `systeminformation` starts programs (`ps`, `df`, `cat`) and waits for some of
 * them synchronously. A program is started by a fork, which copies the page table of all memory of the process that starts it and
 * meanwhile holds up whatever thread of that touches new memory: 23 ms with 600 MB, from a worker thread too. The reader begins
 * with the first question, keeps the counters from which differences are made, and begins anew after it has ended.
 */
export class MachineReader {
  #child: ChildProcess | undefined;
  #nextId = 1;
  readonly #waiting = new Map<number, Waiting>();
  #closing = false;
  #ended: Promise<unknown> = Promise.resolve();

  constructor(private readonly timeoutMs = 5_000) {}

  /** @throws MachineUnreadableError */
  ask<Q extends keyof MachineQuestions>(question: Q): Promise<MachineQuestions[Q]> {
    if (this.#closing) return Promise.reject(new MachineUnreadableError('the application is shutting down'));
    const child = (this.#child ??= this.#start());
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#giveUp(child, `${question} took longer than ${this.timeoutMs} ms`);
      }, this.timeoutMs);
      timer.unref();
      this.#waiting.set(id, { resolve, reject, timer });
      child.send({ id, question }, error => {
        if (error)
          this.#take(id)?.reject(new MachineUnreadableError('the reader has ended', { cause: error }));
      });
    });
  }

  /** Ends the reader; questions under way are rejected. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#child) this.#giveUp(this.#child, 'the application is shutting down');
    await this.#ended;
  }

  #start(): ChildProcess {
    const library = require.resolve('systeminformation');
    const child = spawn(process.execPath, ['-e', program, library, processFields.join()], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    child.unref();
    child.channel?.unref();
    child.on('message', message => {
      const { id, value, error } = message as Answer;
      const waiting = this.#take(id);
      if (error === undefined) waiting?.resolve(value as never);
      else waiting?.reject(new MachineUnreadableError(error));
    });
    child.on('error', error =>
      this.#lost(child, new MachineUnreadableError('the reader failed', { cause: error })),
    );
    child.on('exit', () => this.#lost(child, new MachineUnreadableError('the reader has ended')));
    return child;
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    clearTimeout(waiting?.timer);
    return waiting;
  }

  #lost(child: ChildProcess, error: MachineUnreadableError): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    for (const id of [...this.#waiting.keys()]) this.#take(id)?.reject(error);
  }

  /** Ends the reader, whatever it waits for; `close` waits for it. */
  #giveUp(child: ChildProcess, reason: string): void {
    this.#lost(child, new MachineUnreadableError(reason));
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.ref(); // whoever waits for its end goes on after it
    this.#ended = Promise.all([this.#ended, new Promise(resolve => child.once('exit', resolve))]);
    child.kill('SIGKILL');
  }
}
