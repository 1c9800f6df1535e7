// `npm test`: installs packages and servers that are missing, builds, runs every test. Arguments go to Jest.
import { join } from 'node:path';
import {
  build,
  checkNode,
  curl,
  install,
  needPrograms,
  postgresServer,
  processList,
  redisServer,
  root,
} from './steps.mjs';
import { runInForeground } from './child.mjs';

checkNode();
install();
needPrograms([redisServer, postgresServer, processList, curl]);
build();
const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
const env = { ...process.env, NODE_ENV: 'test' };
runInForeground(process.execPath, [jest, '--rootDir', root, ...process.argv.slice(2)], { cwd: root, env });
