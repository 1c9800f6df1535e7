import childProcess, { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { type Program, ProgramStarter } from '../../src/hardware/programs/program-starter';
import { eventually } from '../e2e/harness/eventually';
import { isThere } from '../e2e/harness/is-there';

/** Says its pid, and then everything that it is told. */
const echo = `
process.send(process.pid);
process.on('message', message => process.send([message, ...process.argv.slice(1)]));
`;

/** Starts a program itself, and says its pid. */
const startsAnother = `
const { pid } = require('node:child_process').spawn('sleep', ['3000']);
process.send(pid);
`;

describe('the small process that starts programs', () => {
  let starter: ProgramStarter;
  let spawned: jest.SpiedFunction<typeof childProcess.spawn>;
  beforeEach(() => {
    spawned = jest.spyOn(childProcess, 'spawn');
    starter = new ProgramStarter();
  });
  afterEach(() => starter.onApplicationShutdown());
  const child = (): ChildProcess => spawned.mock.results.at(-1)!.value as ChildProcess;

  /** Starts one, and waits for its first word, which is its pid. */
  async function startEcho(heard: unknown[] = [], ...args: string[]) {
    const program = starter.start(echo, args, message => heard.push(message));
    const pid = await eventually(async () => {
      expect(heard).not.toEqual([]);
      return heard[0] as number;
    });
    return { program, pid };
  }

  it('passes on what a program is told and what it says, to each its own', async () => {
    const [first, second]: unknown[][] = [[], []];
    const one = await startEcho(first, 'a', 'b');
    const other = await startEcho(second);
    one.program.send({ deep: [1, null] });
    other.program.send('x');
    await eventually(async () => {
      expect(first!.slice(1)).toEqual([[{ deep: [1, null] }, 'a', 'b']]);
      expect(second!.slice(1)).toEqual([['x']]);
    });
    expect(spawned).toHaveBeenCalledTimes(1);
  });

  it('ends a program that is told to, and no other', async () => {
    const one = await startEcho();
    const other = await startEcho();
    one.program.kill();
    expect(await one.program.ended).toBe('SIGKILL');
    expect([one.pid, other.pid].map(isThere)).toEqual([false, true]);
    one.program.send('too late');
    one.program.kill();
  });

  it('tells how a program ended by itself', async () => {
    expect(await starter.start('process.exit(7)', [], () => undefined).ended).toBe('code 7');
  });

  it('hands programs what they need to run of its environment, and no secrets', async () => {
    const said = new Promise<object>(resolve => starter.start('process.send(process.env)', [], resolve));
    const names = Object.keys(await said);
    expect(names).toContain('PATH');
    expect(names.length).toBeLessThan(Object.keys(process.env).length);
    const needed =
      /^(PATH|HOME|TZ|(LD|DYLD)_LIBRARY_PATH|System(Root|Drive)|ComSpec|PATHEXT|ProgramFiles|TE?MP)$/;
    expect(names.filter(name => !needed.test(name))).toEqual([]);
  });

  it('ends with the process that it works for, and not for a signal that is meant for that one', async () => {
    const { pid, program } = await startEcho();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      child().kill(signal);
      process.kill(pid, signal);
    }
    const heard: unknown[] = [];
    await startEcho(heard); // it still works, and so does the program
    expect(isThere(pid)).toBe(true);
    const gone = once(child(), 'exit');
    child().disconnect(); // as it is when this process is killed
    expect(await gone).toEqual([0, null]);
    expect(await program.ended).toBe('what had started it has ended');
    await eventually(async () => expect(isThere(pid)).toBe(false));
  });

  it('takes its programs with it when it is killed, and begins anew with the next', async () => {
    const one = await startEcho();
    child().kill('SIGKILL');
    expect(await one.program.ended).toBe('what had started it has ended');
    await eventually(async () => expect(isThere(one.pid)).toBe(false));
    const other = await startEcho();
    expect(isThere(other.pid)).toBe(true);
    expect(spawned).toHaveBeenCalledTimes(2);
  });

  it('ends a program that is busy and does not listen, when the application stops', async () => {
    const heard: number[] = [];
    starter.start<number>('process.send(process.pid, () => { for (;;); })', [], pid => heard.push(pid));
    await eventually(async () => expect(heard).toHaveLength(1));
    await starter.onApplicationShutdown();
    await eventually(async () => expect(isThere(heard[0]!)).toBe(false));
  });

  it('takes what a program has started with it: when it is told to end, when it ends by itself, and when all ends', async () => {
    const stays = (after: string) =>
      new Promise<{ pid: number; program: Program }>(resolve => {
        const told = (pid: number): void => resolve({ pid, program });
        const program = starter.start(startsAnother + after, [], told, { startsPrograms: true });
      });
    const leaves = await stays('setTimeout(() => process.exit(), 20);');
    await leaves.program.ended;
    await eventually(() => expect(isThere(leaves.pid)).toBe(false));
    const ended = await stays('process.on("message", () => undefined);');
    ended.program.kill();
    expect(await ended.program.ended).toBe('SIGKILL');
    await eventually(() => expect(isThere(ended.pid)).toBe(false));
    const last = await stays('process.on("message", () => undefined);');
    await starter.onApplicationShutdown();
    await eventually(() => expect(isThere(last.pid)).toBe(false));
  });

  it('that is killed takes what its programs have started with it', async () => {
    const told: number[] = [];
    starter.start<number>(startsAnother, [], pid => told.push(pid), { startsPrograms: true });
    await eventually(() => expect(told).toHaveLength(1));
    child().kill('SIGKILL');
    await eventually(() => expect(isThere(told[0]!)).toBe(false));
  });

  it('that hangs itself is ended when a program has to end, and another one is begun', async () => {
    const one = await startEcho();
    child().kill('SIGSTOP');
    one.program.kill();
    expect(await one.program.ended).toBe('what had started it has ended');
    await eventually(() => expect(isThere(one.pid)).toBe(false));
    await startEcho();
    expect(spawned).toHaveBeenCalledTimes(2);
  });

  it('that hangs itself does not hold up the end of the application', async () => {
    await startEcho();
    child().kill('SIGSTOP');
    await starter.onApplicationShutdown();
    expect(child().signalCode).toBe('SIGKILL');
  });

  it('starts nothing after that', async () => {
    await startEcho();
    await starter.onApplicationShutdown();
    const late = starter.start(echo, [], () => undefined);
    expect(await late.ended).toBe('the application is shutting down');
    expect(spawned).toHaveBeenCalledTimes(1);
  });
});
