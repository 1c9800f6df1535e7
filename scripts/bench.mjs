// `npm run bench [-- NAME…] [--short]`: builds the application as it ships, and the benchmark into a folder of its own, and asks
// the questions of bench/questions, one process each; without a name all of them, and then the table of what is reached.
// `npm run bench:http`, `bench:hit-rate`, `bench:origin-load` and `bench:event-loop` are folders with a run.ts of their own: by name alone.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installIn, needPrograms, postgresServer, redisServer, root, stop } from './steps.mjs';

const words = process.argv.slice(2);
const options = words.filter(word => word.startsWith('--'));
const names = words.filter(word => !word.startsWith('--'));
const questions = readdirSync(join(root, 'bench', 'questions'))
  .filter(file => file.endsWith('.ts'))
  .map(file => file.slice(0, -3));
const isApart = name => existsSync(join(root, 'bench', name, 'run.ts'));
const unknown = names.filter(name => !questions.includes(name) && !isApart(name));
if (unknown.length > 0)
  stop(
    `There is no benchmark ${unknown.join(', ')}. There are: ${questions.join(', ')}, http, hit-rate, origin-load, event-loop.`,
  );

const asked = names.length > 0 ? names : questions;
if (asked.some(name => !isApart(name))) installIn(join(root, 'bench', 'peers'));
if (asked.includes('origin-load')) needPrograms([redisServer, postgresServer]);
if (asked.includes('event-loop')) needPrograms([redisServer]);
const out = mkdtempSync(join(tmpdir(), 'sutazai-bench-'));
try {
  symlinkSync(join(root, 'node_modules'), join(out, 'node_modules'));
  // What ships is measured: the compilers of the tests and of the build differ by a tenth of a hit.
  if (spawnSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' }).status !== 0)
    throw new Error('the application could not be built');
  symlinkSync(join(root, 'dist'), join(out, 'src'));
  const swc = join(root, 'node_modules', '@swc', 'cli', 'bin', 'swc.js');
  // Peers are ES modules where they stand: `import()` has to stay what it is.
  const modules = ['-C', 'module.type=commonjs', '-C', 'module.ignoreDynamic=true'];
  // Servers that the tests start as well.
  const fromTests = ['test/e2e/harness', 'test/fakes'];
  const ignored = ['--copy-files', '--ignore', '**/*.spec.ts,**/node_modules/**'];
  if (run([swc, 'bench', ...fromTests, '-d', out, ...modules, ...ignored, '-q']) !== 0)
    throw new Error('the benchmark could not be built');
  const failed = asked.filter(name => {
    const file = isApart(name) ? [join(out, 'bench', name, 'run.js')] : [join(out, 'bench', 'run.js'), name];
    // Contenders rest for several collections in a row: V8 would throw away what it has compiled of them.
    return run(['--expose-gc', '--no-flush-bytecode', ...file, ...options]) !== 0;
  });
  const answered = asked.filter(name => !isApart(name) && !failed.includes(name));
  if (answered.length > 1) run([join(out, 'bench', 'summary.js'), ...answered]);
  if (failed.length > 0) {
    console.error(`not answered: ${failed.join(', ')}`);
    process.exitCode = 1;
  }
} finally {
  rmSync(out, { recursive: true, force: true });
}

function run(args) {
  return spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1;
}
