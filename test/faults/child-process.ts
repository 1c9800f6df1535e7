import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { CacheAnswer, PolicyOptions } from '../../src/cache/core';
import { eventually } from '../integration/cache-node';
import type { ChildAnswer, ChildOptions, FromChild, ToChild } from './child-messages';

type Question =
  { kind: 'lookup'; key: string; policy: PolicyOptions } | { kind: 'status' } | { kind: 'close' };

/** An instance in a process of its own, seen from the test. */
export class ChildInstance {
  readonly #answers = new Map<number, (answer: ChildAnswer) => void>();
  readonly #gone: Promise<number | NodeJS.Signals>;
  #asked = 0;

  private constructor(
    private readonly child: ChildProcess,
    private readonly load: (key: string) => Promise<unknown>,
    isReady: () => void,
  ) {
    child.on('message', (message: FromChild) => {
      if (message.kind === 'ready') return isReady();
      if (message.kind === 'load') return void this.#answerLoad(message.id, message.key);
      this.#answers.get(message.id)?.(message.answer);
      this.#answers.delete(message.id);
    });
    this.#gone = new Promise(resolve => child.once('exit', (code, signal) => resolve(signal ?? code ?? 0)));
  }

  /** @param load gives its loaders their values */
  static async start(options: ChildOptions, load: (key: string) => Promise<unknown>): Promise<ChildInstance> {
    const child = fork(join(__dirname, 'child.ts'), [JSON.stringify(options)], {
      execArgv: ['--require', join(__dirname, '../history/typescript.cjs')],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    let instance!: ChildInstance;
    const ready = new Promise<void>(resolve => {
      instance = new ChildInstance(child, load, resolve);
    });
    const ended = instance.#gone.then(how => {
      throw new Error(`the process of an instance did not start (${how})`);
    });
    ended.catch((error: Error) => error); // raced below; later its end is no error
    await Promise.race([ready, ended]);
    await eventually(async () => (await instance.#ask({ kind: 'status' })).gateOpen === true, 20_000);
    return instance;
  }

  async lookup(key: string, policy: PolicyOptions = {}): Promise<CacheAnswer<unknown>> {
    const { lookup, error } = await this.#ask({ kind: 'lookup', key, policy });
    if (!lookup) throw new Error(error);
    return lookup;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** SIGKILL, and waits until it is gone. */
  async kill(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL');
    await this.#gone;
  }

  /** Closes its cache; resolves to the code with which it then ends by itself. */
  async close(): Promise<number | NodeJS.Signals> {
    await this.#ask({ kind: 'close' });
    return this.#gone;
  }

  #ask(question: Question): Promise<ChildAnswer> {
    const id = (this.#asked += 1);
    return new Promise(resolve => {
      this.#answers.set(id, resolve);
      this.child.send({ ...question, id } satisfies ToChild);
    });
  }

  async #answerLoad(id: number, key: string): Promise<void> {
    const value = await this.load(key);
    if (this.child.connected) this.child.send({ kind: 'loaded', id, value } satisfies ToChild);
  }
}
