// `npm start`: installs what is missing, builds what has changed, runs the backend. Settings: README.
import { join } from 'node:path';
import { build, checkNode, install, root } from './steps.mjs';
import { runInForeground } from './child.mjs';

checkNode();
install();
build();
runInForeground(process.execPath, [join(root, 'dist', 'main.js'), ...process.argv.slice(2)]);
