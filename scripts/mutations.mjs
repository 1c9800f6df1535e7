// `npm run mutations [-- TEXT]`: takes out each mechanism of the protocol (or those whose name contains TEXT) in a copy of
// the source, runs the tests that must notice, and prints which did. Ends with 1 if a mutation survives.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mutations } from '../test/mutations/mutations.mjs';
import { root } from './steps.mjs';

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

let survived = 0;
try {
  for (const [index, mutation] of chosen.entries()) {
    const file = join(copy, mutation.file);
    const original = readFileSync(file, 'utf8');
    if (original.split(mutation.find).length !== 2)
      throw new Error(`${mutation.name}: its text is not there exactly once`);
    writeFileSync(
      file,
      original.replace(mutation.find, () => mutation.replace),
    );
    const failed = failuresOf(mutation.tests);
    writeFileSync(file, original);
    if (failed.length === 0) survived += 1;
    const outcome = failed.length === 0 ? 'SURVIVED' : failed.slice(0, 3).join(' · ');
    console.log(`${String(index + 1).padStart(2)}/${chosen.length} ${mutation.name}\n      → ${outcome}`);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
console.log(`${chosen.length - survived} caught, ${survived} survived`);
process.exitCode = survived === 0 && chosen.length > 0 ? 0 : 1;

/**
 * Titles of the tests that fail; a run that ends badly without a title counts under the name of its file, and so does one that
 * hangs. One that ends without a report has tested nothing: that stops all.
 */
function failuresOf(tests) {
  const out = join(copy, 'result.json');
  rmSync(out, { force: true });
  const args = [
    'node_modules/jest/bin/jest.js',
    '--json',
    `--outputFile=${out}`,
    '--silent',
    '--testTimeout=10000',
    ...tests,
  ];
  const run = spawnSync(process.execPath, args, {
    cwd: copy,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 180_000,
    encoding: 'utf8',
  });
  if (run.error?.code === 'ETIMEDOUT') return ['the run did not end within 180 s'];
  if (!existsSync(out)) throw new Error(`the tests could not be run: ${run.stderr}`);
  const report = JSON.parse(readFileSync(out, 'utf8'));
  return report.testResults.flatMap(file => {
    const failed = file.assertionResults.filter(test => test.status === 'failed').map(test => test.title);
    return failed.length === 0 && file.status === 'failed' ? [file.name.split('/').pop()] : failed;
  });
}
