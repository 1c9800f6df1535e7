// `npm run cache -- COMMAND`: installs and builds what is missing, then runs the command-line tool.
import { join } from 'node:path';
import { build, checkNode, install, root } from './steps.mjs';
import { runInForeground } from './child.mjs';

checkNode();
install();
build();
runInForeground(process.execPath, [join(root, 'dist', 'cli', 'main.js'), ...process.argv.slice(2)]);
