import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { type ChildProcess, spawn } from 'node:child_process';
import { type Order, programPrologue, starterProgram, type Word } from './starter-program';

/** Variables that programs get where they are set: what Node and the programs of the system need to run, and no secrets. */
const environment = [
  ...(['PATH', 'HOME', 'TZ', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH'] as const),
  ...(['SystemRoot', 'SystemDrive', 'ComSpec', 'PATHEXT', 'ProgramFiles', 'TEMP', 'TMP'] as const),
];

/** The small process that has not ended a program for so long hangs itself, and is ended, in milliseconds. */
const killLimitMs = 5_000;
/** How long its own end is waited for. */
const closeLimitMs = 1_000;

/** A program in a process of its own, which this one has not started itself. */
export interface Program {
  /** Hands it a message, which arrives there as `process.on('message')`; one that comes after its end is dropped. */
  send(message: unknown): void;
  /** Ends it, whatever it is at; `ended` tells when it is gone, or, after five seconds, given up. */
  kill(): void;
  /** Resolves to how it ended. Never rejects. */
  readonly ended: Promise<string>;
}

interface Running {
  onMessage(message: never): void;
  onEnd(how: string): void;
}

/**
 * Starts programs that work beside this process: in one small process, begun when this one is small too. A program is started by a
 * fork, which copies the page table of all memory of the process that starts it and meanwhile holds up whatever thread of that
 * touches new memory: 23 ms with 600 MB, from a worker thread too.
 *
 * When the small process is lost its programs are lost with it, and the next one that is started begins it anew.
 */
@Injectable()
export class ProgramStarter implements OnApplicationShutdown {
  readonly #programs = new Map<number, Running>();
  #starter: ChildProcess | undefined;
  #gone: Promise<unknown> = Promise.resolve();
  #nextId = 1;
  #closed = false;

  /**
   * Starts a program of Node: a text, because the same code has to run from `src` under Jest and from `dist`. It finds `args` in
   * `process.argv` from 1 on. One that cannot be started has ended. `startsPrograms`: those that it has started end with it.
   */
  start<M>(
    text: string,
    args: readonly string[],
    onMessage: (message: M) => void,
    { startsPrograms = false } = {},
  ): Program {
    if (!this.#closed) this.#starter ??= this.#spawn();
    const id = this.#nextId++;
    const ended = new Promise<string>(onEnd => this.#programs.set(id, { onMessage, onEnd }));
    const hasGroup = startsPrograms && process.platform !== 'win32';
    this.#order({ start: id, text: programPrologue(hasGroup) + text, args, hasGroup });
    if (this.#closed) this.#end(id, 'the application is shutting down');
    return {
      send: message => this.#order({ to: id, message }),
      kill: () => this.#kill(id),
      ended,
    };
  }

  /** After whoever uses programs has closed: ends what is left of them, and waits for the end of the small process. */
  async onApplicationShutdown(): Promise<void> {
    this.#closed = true;
    const starter = this.#starter;
    if (starter?.connected) {
      starter.ref(); // its end is worth waiting for
      starter.disconnect();
    }
    const late = setTimeout(() => starter?.kill('SIGKILL'), closeLimitMs);
    await this.#gone;
    clearTimeout(late);
  }

  #kill(id: number): void {
    const starter = this.#starter;
    this.#order({ kill: id });
    setTimeout(() => {
      if (this.#programs.has(id)) starter?.kill('SIGKILL');
    }, killLimitMs).unref();
  }

  #spawn(): ChildProcess {
    const env = Object.fromEntries(
      environment.flatMap(name => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
    );
    const stdio = ['ignore', 'ignore', 'inherit', 'ipc'] as const;
    const starter = spawn(process.execPath, ['-e', starterProgram], { stdio: [...stdio], env });
    starter.unref();
    starter.channel?.unref();
    starter.on('message', (word: Word) => {
      if ('ended' in word) this.#end(word.ended, word.how);
      else this.#programs.get(word.from)?.onMessage(word.message as never);
    });
    this.#gone = new Promise<void>(resolve => {
      const lost = (): void => {
        if (this.#starter === starter) this.#starter = undefined;
        for (const id of [...this.#programs.keys()]) this.#end(id, 'what had started it has ended');
        resolve();
      };
      starter.on('exit', lost);
      starter.on('error', () => {
        if (starter.pid === undefined) lost();
      });
    });
    return starter;
  }

  /** What cannot be sent is of no use any more: the end of the small process tells it to whoever waits. */
  #order(order: Order): void {
    if (this.#starter?.connected) this.#starter.send(order, () => undefined);
  }

  #end(id: number, how: string): void {
    this.#programs.get(id)?.onEnd(how);
    this.#programs.delete(id);
  }
}
