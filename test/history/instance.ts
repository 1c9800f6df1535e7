import type { SharedClock } from './hrtime';
import { measure } from './measures';
import type { Measures } from './messages';
import type { Random } from './random';
import type { HistoryRecord } from './records';
import type { Truth } from './source';
import type { Subject } from './subject';
import { Workload } from './workload';

/** An application instance of a history, in this process or in another one. */
export interface Instance {
  readonly name: string;
  /** Of its process, when that is another one. */
  readonly pid: number | undefined;
  start(): Promise<void>;
  /** Ends readers and writers; resolves when all their records are in. */
  stop(): Promise<void>;
  readAll(): Promise<void>;
  isWell(): boolean;
  measure(): Promise<Measures>;
  close(): Promise<void>;
}

export interface LocalInstanceOptions {
  name: string;
  subject: Subject;
  truth: Truth;
  clock: SharedClock;
  random: Random;
  record: (record: HistoryRecord) => void;
  readers: number;
  writers: number;
}

/** In this process. */
export class LocalInstance implements Instance {
  readonly pid = undefined;
  readonly name: string;
  readonly #workload: Workload;

  constructor(private readonly options: LocalInstanceOptions) {
    this.name = options.name;
    this.#workload = new Workload({ ...options, inst: options.name });
  }

  async start(): Promise<void> {
    this.#workload.start();
  }

  stop(): Promise<void> {
    return this.#workload.stop();
  }

  readAll(): Promise<void> {
    return this.#workload.readAll();
  }

  isWell(): boolean {
    return this.options.subject.isWell();
  }

  async measure(): Promise<Measures> {
    return measure();
  }

  async close(): Promise<void> {
    this.#workload.end();
    await this.options.subject.close();
  }
}
