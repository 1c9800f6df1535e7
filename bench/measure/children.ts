import { fork, spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

const scripts = join(__dirname, '..', 'processes');

/** Runs `bench/processes/NAME` to its end in a fresh heap, and tells the JSON that it printed. */
export async function askProcess<T>(name: string, args: readonly string[]): Promise<T> {
  const child = spawn(
    process.execPath,
    ['--expose-gc', '--max-old-space-size=4096', join(scripts, `${name}.js`), ...args],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
  const code = await new Promise<number | null>(resolve => child.once('close', resolve));
  if (code !== 0) throw new Error(`${name} ${args.join(' ')} ended with ${String(code)}`);
  return JSON.parse(out) as T;
}

/** A process that stands by and answers messages. */
export class Standby {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves when it has said that it is ready. */
  static async start(name: string, args: readonly string[]): Promise<Standby> {
    const script = join(scripts, `${name}.js`);
    const standby = new Standby(
      fork(script, [...args], { execArgv: ['--expose-gc', '--no-flush-bytecode'] }),
    );
    await standby.#answer();
    return standby;
  }

  ask<T>(message: object): Promise<T> {
    const answer = this.#answer<T>();
    this.#child.send(message);
    return answer;
  }

  async end(): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise(resolve => child.once('exit', resolve));
    child.disconnect();
    await gone;
  }

  #answer<T>(): Promise<T> {
    return new Promise((resolve, reject) => {
      const ended = (code: number | null): void => reject(new Error(`a process ended with ${String(code)}`));
      this.#child.once('exit', ended);
      this.#child.once('message', message => {
        this.#child.off('exit', ended);
        resolve(message as T);
      });
    });
  }
}
