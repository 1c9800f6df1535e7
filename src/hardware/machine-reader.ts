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
  question: keyof MachineQuestions;
  value?: unknown;
  error?: string;
}

/** A question that the reader has been given and not answered. */
interface Asked {
  readonly answer: Promise<unknown>;
  readonly atMs: number;
  readonly timer: NodeJS.Timeout;
  resolve(value: unknown): void;
  reject(error: Error): void;
  /** Whoever asked has been told that it took too long. */
  isLate: boolean;
}

/** A reader that answers nothing is given up; one that does so again is followed by another one only after so long, in milliseconds. */
const restartPauseMs = 60_000;

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
process.on('message', question =>
  answer(question).then(
    value => process.send({ question, value }),
    error => process.send({ question, error: String(error && error.message) }),
  ),
);
`;

/**
 * Reads the machine in a process of its own: `systeminformation` starts programs (`ps`, `df`, `cat`), each by a fork, and waits for
 * some of them synchronously. The process begins with the first question, keeps the counters from which differences are made, and
 * begins anew after it has ended or was given up.
 *
 * Who asks what is being asked already shares the answer. A question that is not answered in time fails, and then at once, until the
 * answer comes: a `df` that hangs on a dead disk is not followed by others, and nothing else is unknown because of it.
 */
export class MachineReader {
  #reader: Program | undefined;
  readonly #asked = new Map<keyof MachineQuestions, Asked>();
  #answeredAtMs = 0;
  /** Readers in a row that were given up without having answered anything. */
  #hangs = 0;
  #beginsAtMs = 0;
  #closing = false;

  constructor(
    private readonly starter: Pick<ProgramStarter, 'start'>,
    private readonly timeoutMs = 5_000,
  ) {}

  /** @throws MachineUnreadableError */
  async ask<Q extends keyof MachineQuestions>(question: Q): Promise<MachineQuestions[Q]> {
    if (this.#closing) throw new MachineUnreadableError('the application is shutting down');
    const asked = this.#asked.get(question);
    if (asked?.isLate) throw new MachineUnreadableError('it was asked before and is not answered yet');
    if (!this.#reader && performance.now() < this.#beginsAtMs)
      throw new MachineUnreadableError(
        'two readers in a row have answered nothing; another one is begun later',
      );
    const { answer } = asked ?? this.#send(question);
    return answer as Promise<MachineQuestions[Q]>;
  }

  /** Ends the reader; questions under way are rejected. */
  close(): void {
    this.#closing = true;
    if (this.#reader) this.#giveUp(this.#reader, 'the application is shutting down');
  }

  #start(): Program {
    const library = require.resolve('systeminformation');
    const onMessage = (answer: Answer): void => {
      if (this.#reader === reader) this.#answered(answer);
    };
    const args = [library, processFields.join()];
    const reader = this.starter.start(program, args, onMessage, { startsPrograms: true });
    void reader.ended.then(how => this.#lost(reader, `the reader has ended: ${how}`));
    return reader;
  }

  #send(question: keyof MachineQuestions): Asked {
    const reader = (this.#reader ??= this.#start());
    const timer = setTimeout(() => this.#isLate(reader, question), this.timeoutMs).unref();
    let resolve!: Asked['resolve'];
    let reject!: Asked['reject'];
    const answer = new Promise<unknown>((...settle) => ([resolve, reject] = settle));
    const asked = { answer, atMs: performance.now(), timer, resolve, reject, isLate: false };
    this.#asked.set(question, asked);
    reader.send(question);
    return asked;
  }

  #answered({ question, value, error }: Answer): void {
    this.#answeredAtMs = performance.now();
    this.#hangs = 0;
    const asked = this.#take(question);
    if (error === undefined) asked?.resolve(value);
    else asked?.reject(new MachineUnreadableError(error));
  }

  #take(question: keyof MachineQuestions): Asked | undefined {
    const asked = this.#asked.get(question);
    this.#asked.delete(question);
    clearTimeout(asked?.timer);
    return asked;
  }

  #isLate(reader: Program, question: keyof MachineQuestions): void {
    const asked = this.#asked.get(question);
    if (!asked) return;
    const reason = `${question} took longer than ${this.timeoutMs} ms`;
    asked.isLate = true;
    asked.reject(new MachineUnreadableError(reason));
    if (this.#answeredAtMs >= asked.atMs) return;
    this.#hangs += 1;
    if (this.#hangs > 1) this.#beginsAtMs = performance.now() + restartPauseMs;
    this.#giveUp(reader, reason);
  }

  #lost(reader: Program, reason: string): void {
    if (this.#reader !== reader) return;
    this.#reader = undefined;
    for (const question of [...this.#asked.keys()])
      this.#take(question)?.reject(new MachineUnreadableError(reason));
  }

  /** Ends the reader, whatever it waits for, and what it has started. */
  #giveUp(reader: Program, reason: string): void {
    this.#lost(reader, reason);
    reader.kill();
  }
}
