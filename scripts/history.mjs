// `npm run history [-- --minutes 10 --seed 123]`: three instances, one of them a process of its own, under random faults of
// network, server and process, and a check of everything that they answered. Ends with 1 on a violation.
import { join } from 'node:path';
import { runInForeground } from './child.mjs';
import { needPrograms, redisServer, root } from './steps.mjs';

needPrograms([redisServer]);
const folder = join(root, 'test', 'history');
const hook = join(folder, 'typescript.cjs');
const program = join(folder, 'soak.ts');
runInForeground(process.execPath, ['--expose-gc', '--require', hook, program, ...process.argv.slice(2)], {
  cwd: root,
});
