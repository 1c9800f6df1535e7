/** To the starter: start a program, alone or with a process group of its own, hand it a message, or end it. */
export type Order =
  | {
      readonly start: number;
      readonly text: string;
      readonly args: readonly string[];
      readonly hasGroup: boolean;
    }
  | { readonly to: number; readonly message: unknown }
  | { readonly kill: number };

/** From the starter: what a program says, or that it has ended, and how. */
export type Word =
  { readonly from: number; readonly message: unknown } | { readonly ended: number; readonly how: string };

/**
 * What each of the processes does: it ends with the one that started it and not before. Signals that a terminal or systemd sends
 * to all of a group are for the instance.
 */
const endsWithItsParent = `
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
`;

/** Before the text of each program. One that leads a group takes that with it. */
export const programPrologue = (hasGroup: boolean): string => `${endsWithItsParent}
process.on('disconnect', () => ${hasGroup ? "process.kill(-process.pid, 'SIGKILL')" : 'process.exit()'});
`;

/**
 * Starts programs and passes messages on. A text and not a file, because the same code has to run from `src` under Jest and from
 * `dist`. What a program was told after its end is dropped: that it has ended is on its way.
 */
export const starterProgram = `${endsWithItsParent}
process.title = 'sutazai: starts programs';
const { spawn } = require('node:child_process');
const programs = new Map();
const say = word => process.send(word, () => undefined);
const killGroup = pid => {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error; // nobody is left in it
  }
};
const start = (id, text, args, hasGroup) => {
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc'];
  const program = spawn(process.execPath, ['-e', text, ...args], { stdio, detached: hasGroup });
  const kill = () => { if (hasGroup && program.pid !== undefined) killGroup(program.pid); else program.kill('SIGKILL'); };
  const end = how => {
    if (!programs.delete(id)) return;
    if (hasGroup) kill(); // what it has started is left
    say({ ended: id, how });
  };
  programs.set(id, { program, kill });
  program.on('message', message => say({ from: id, message }));
  program.on('error', error => { if (program.pid === undefined) end(error.message); });
  program.on('exit', (code, signal) => end(signal ?? 'code ' + code));
};
process.on('message', order => {
  if ('start' in order) start(order.start, order.text, order.args, order.hasGroup);
  else if ('to' in order) programs.get(order.to)?.program.send(order.message, () => undefined);
  else programs.get(order.kill)?.kill();
});
process.on('disconnect', () => {
  for (const program of programs.values()) program.kill();
  process.exit();
});
`;
