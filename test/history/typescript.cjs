// Lets a Node process load the TypeScript of this repository: `node --require test/history/typescript.cjs file.ts`.
const { resolve } = require('node:path');
const { transformFileSync } = require('@swc/core');

const configFile = resolve(__dirname, '../../.swcrc');
require.extensions['.ts'] = (module, file) =>
  module._compile(transformFileSync(file, { configFile, swcrc: true, sourceMaps: 'inline' }).code, file);
