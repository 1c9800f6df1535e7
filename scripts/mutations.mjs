// `npm run mutations [-- TEXT]`: takes out each mechanism of the protocol (or those whose name contains TEXT) in a copy of
// the source, runs the tests that must notice, and prints which did. Ends with 1 if a mutation survives.
// One takes from two seconds to half a minute, all of them half an hour.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mutations } from '../test/mutations/mutations.mjs';
import { root } from './steps.mjs';

/** A run may take so long, and so long from its first failure on. Milliseconds. */
const [longestMs, afterFailureMs] = [300_000, 20_000];

const only = process.argv[2] ?? '';
const chosen = mutations.filter(({ name }) => name.includes(only));
const copy = mkdtempSync(join(tmpdir(), 'sutazai-mutations-'));
for (const part of [
  'src',
  'test',
  'bench',
  'config',
  'docs',
  'jest.config.js',
  '.swcrc',
  'package.json',
  'tsconfig.json',
]) {
  cpSync(join(root, part), join(copy, part), {
    recursive: true,
    filter: path => !path.endsWith('node_modules'),
  });
}
symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));

process.once('exit', () => rmSync(copy, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

let survived = 0;
for (const [index, mutation] of chosen.entries()) {
  const file = join(copy, mutation.file);
  const original = readFileSync(file, 'utf8');
  if (original.split(mutation.find).length !== 2)
    throw new Error(`${mutation.name}: its text is not there exactly once`);
  writeFileSync(
    file,
    original.replace(mutation.find, () => mutation.replace),
  );
  const failed = await failuresOf(mutation.tests);
  writeFileSync(file, original);
  if (failed.length === 0) survived += 1;
  const outcome = failed.length === 0 ? 'SURVIVED' : failed.slice(0, 3).join(' · ');
  console.log(`${String(index + 1).padStart(2)}/${chosen.length} ${mutation.name}\n      → ${outcome}`);
}
console.log(`${chosen.length - survived} caught, ${survived} survived`);
process.exitCode = survived === 0 && chosen.length > 0 ? 0 : 1;

/**
 * Titles of tests that fail; a file that cannot run counts under its name, and so does a run that hangs without one. One that
 * ends without a word of its end has tested nothing: that stops all. What follows the first failure may take long, since it was
 * written for code that works: it is not waited for to its end.
 */
async function failuresOf(tests) {
  const reporter = join(copy, 'test', 'reporters', 'failed-titles.cjs');
  const args = [
    'node_modules/jest/bin/jest.js',
    `--reporters=${reporter}`,
    '--silent',
    '--testTimeout=10000',
    ...tests,
  ];
  // A group of its own: servers that the tests have started end with it.
  const run = spawn(process.execPath, args, {
    cwd: copy,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  let [errors, told] = ['', ''];
  let patience = setTimeout(kill, longestMs);
  let wasKilled = false;
  function kill() {
    wasKilled = true;
    process.kill(-run.pid, 'SIGKILL');
  }
  process.once('exit', kill);
  run.stderr.on('data', chunk => (errors += chunk));
  run.stdio[3].on('data', chunk => {
    if (told === '') {
      clearTimeout(patience);
      patience = setTimeout(kill, afterFailureMs);
    }
    told += chunk;
  });
  await new Promise(closed => run.once('close', closed));
  process.off('exit', kill);
  clearTimeout(patience);
  const lines = told.split('\n').slice(0, -1);
  const titles = lines.filter(line => line !== '');
  if (titles.length > 0) return titles;
  if (wasKilled) return [`the run did not end within ${longestMs / 1_000} s`];
  if (!lines.includes('')) throw new Error(`the tests could not be run: ${errors}`);
  return [];
}
