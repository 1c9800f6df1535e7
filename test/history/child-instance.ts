import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { Instance } from './instance';
import type { ChildOptions, FromChild, Measures, Order, Question, ToChild } from './messages';
import type { HistoryRecord } from './records';
import type { Truth } from './source';

/** In a process of its own, which can be stopped and killed. */
export class ChildInstance implements Instance {
  readonly #orders = new Map<
    number,
    { done: (measures: Measures) => void; failed: (error: Error) => void }
  >();
  readonly #gone: Promise<number | NodeJS.Signals | null>;
  #ordered = 0;
  #isWell = false;
  #exit: number | NodeJS.Signals | null | undefined;

  private constructor(
    readonly name: string,
    private readonly child: ChildProcess,
    private readonly truth: Truth,
    private readonly record: (record: HistoryRecord) => void,
    private readonly isReady: () => void,
  ) {
    child.on('message', message => void this.#hear(message as FromChild));
    this.#gone = new Promise(resolve => {
      child.once('exit', (code, signal) => {
        this.#exit = code ?? signal;
        const error = new Error(`the process of instance ${name} has ended (${String(code ?? signal)})`);
        for (const order of this.#orders.values()) order.failed(error);
        this.#orders.clear();
        resolve(code ?? signal);
      });
    });
  }

  static async start(
    options: ChildOptions,
    truth: Truth,
    record: (record: HistoryRecord) => void,
  ): Promise<ChildInstance> {
    const child = fork(join(__dirname, 'child.ts'), [JSON.stringify(options)], {
      execArgv: ['--expose-gc', '--require', join(__dirname, 'typescript.cjs')],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    let instance!: ChildInstance;
    const ready = new Promise<void>(resolve => {
      instance = new ChildInstance(options.inst, child, truth, record, resolve);
    });
    await Promise.race([
      ready,
      instance.#gone.then(how => {
        throw new Error(`the process of instance ${options.inst} did not start (${String(how)})`);
      }),
    ]);
    return instance;
  }

  get pid(): number {
    return this.child.pid!;
  }

  async start(): Promise<void> {
    await this.#order('start');
  }

  async stop(): Promise<void> {
    await this.#order('stop');
  }

  async readAll(): Promise<void> {
    await this.#order('read-all');
  }

  isWell(): boolean {
    return this.#isWell;
  }

  measure(): Promise<Measures> {
    return this.#order('measure');
  }

  /** Closes the cache there, and waits until the process has ended by itself. @throws when it does not */
  async close(): Promise<void> {
    if (this.#exit !== undefined) return;
    await this.#order('close');
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<'patience'>(resolve => {
      timer = setTimeout(() => resolve('patience'), 20_000);
    });
    const how = await Promise.race([this.#gone, patience]);
    clearTimeout(timer);
    if (how !== 0) throw new Error(`instance ${this.name} does not end after close: ${String(how)}`);
  }

  async kill(): Promise<void> {
    if (this.#exit === undefined) this.child.kill('SIGKILL');
    await this.#gone;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  #order(order: Order): Promise<Measures> {
    if (this.#exit !== undefined) return Promise.reject(new Error(`instance ${this.name} is gone`));
    this.#ordered += 1;
    const id = this.#ordered;
    return new Promise((done, failed) => {
      this.#orders.set(id, { done, failed });
      this.#tell({ kind: 'order', id, order });
    });
  }

  #tell(message: ToChild): void {
    if (this.child.connected) this.child.send(message);
  }

  async #hear(message: FromChild): Promise<void> {
    switch (message.kind) {
      case 'ready':
        return this.isReady();
      case 'records':
        this.#isWell = message.isWell;
        return message.records.forEach(record => this.record(record));
      case 'done':
        this.#orders.get(message.id)?.done(message.measures);
        this.#orders.delete(message.id);
        return;
      case 'failed':
        this.#orders.get(message.id)?.failed(new Error(`instance ${this.name}: ${message.what}`));
        this.#orders.delete(message.id);
        return;
      case 'ask':
        return this.#tell({ kind: 'answer', id: message.id, answer: await this.#answer(message.question) });
    }
  }

  #answer(question: Question): Promise<unknown> {
    switch (question.ask) {
      case 'sample':
        return this.truth.sample(question.key);
      case 'change':
        return this.truth.change(question.change);
      case 'lock':
        return this.truth.lock(question.key);
      case 'unlock':
        return this.truth.unlock(question.key, question.afterMs);
    }
  }
}
