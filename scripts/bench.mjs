// `npm run bench:http [-- --short]`: builds the benchmark and the source that it measures into a folder of its own, and runs it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './steps.mjs';

const [name, ...options] = process.argv.slice(2);
const out = mkdtempSync(join(tmpdir(), 'sutazai-bench-'));
try {
  symlinkSync(join(root, 'node_modules'), join(out, 'node_modules'));
  const swc = join(root, 'node_modules', '@swc', 'cli', 'bin', 'swc.js');
  const built = spawnSync(
    process.execPath,
    [swc, 'src', 'bench', '-d', out, '--copy-files', '--ignore', '**/*.spec.ts', '-q'],
    {
      cwd: root,
      stdio: 'inherit',
    },
  );
  if (built.status !== 0) throw new Error('the benchmark could not be built');
  const run = spawnSync(process.execPath, [join(out, 'bench', name, 'run.js'), ...options], {
    cwd: root,
    stdio: 'inherit',
  });
  process.exitCode = run.status ?? 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
