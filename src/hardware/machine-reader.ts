import type { Systeminformation } from 'systeminformation';
import type { Program, ProgramStarter } from './programs/program-starter';

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
  constructor(message: string) {
    super(message);
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

/** `networkStats` gets names, because `*` looks them up with programs of the system. */
const program = `
process.title = 'sutazai: reads the machine';
const os = require('node:os');
const read = require(process.argv[1]);
const fields = process.argv[2].split(',');
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
 * Reads the machine in a process of its own: `systeminformation` starts programs (`ps`, `df`, `cat`), each by a fork, and waits for
 * some of them synchronously. The process begins with the first question, keeps the counters from which differences are made, and
 * begins anew after it has ended or was given up.
 */
export class MachineReader {
  #reader: Program | undefined;
  #nextId = 1;
  readonly #waiting = new Map<number, Waiting>();
  #closing = false;

  constructor(
    private readonly starter: ProgramStarter,
    private readonly timeoutMs = 5_000,
  ) {}

  /** @throws MachineUnreadableError */
  ask<Q extends keyof MachineQuestions>(question: Q): Promise<MachineQuestions[Q]> {
    if (this.#closing) return Promise.reject(new MachineUnreadableError('the application is shutting down'));
    const reader = (this.#reader ??= this.#start());
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#giveUp(reader, `${question} took longer than ${this.timeoutMs} ms`);
      }, this.timeoutMs);
      timer.unref();
      this.#waiting.set(id, { resolve, reject, timer });
      reader.send({ id, question });
    });
  }

  /** Ends the reader; questions under way are rejected. */
  close(): void {
    this.#closing = true;
    if (this.#reader) this.#giveUp(this.#reader, 'the application is shutting down');
  }

  #start(): Program {
    const library = require.resolve('systeminformation');
    const reader = this.starter.start<Answer>(program, [library, processFields.join()], answer => {
      const waiting = this.#take(answer.id);
      if (answer.error === undefined) waiting?.resolve(answer.value as never);
      else waiting?.reject(new MachineUnreadableError(answer.error));
    });
    void reader.ended.then(how => this.#lost(reader, `the reader has ended: ${how}`));
    return reader;
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    clearTimeout(waiting?.timer);
    return waiting;
  }

  #lost(reader: Program, reason: string): void {
    if (this.#reader !== reader) return;
    this.#reader = undefined;
    for (const id of [...this.#waiting.keys()]) this.#take(id)?.reject(new MachineUnreadableError(reason));
  }

  /** Ends the reader, whatever it waits for. */
  #giveUp(reader: Program, reason: string): void {
    this.#lost(reader, reason);
    reader.kill();
  }
}
