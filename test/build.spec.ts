import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(__dirname, '..');
const optionsOf = (file: string) =>
  (JSON.parse(readFileSync(join(root, file), 'utf8')) as { compilerOptions: Record<string, string> })
    .compilerOptions;

describe('the build', () => {
  it('notes in `dist` what it has written there, so that who removes the folder gets all of it again', () => {
    expect(optionsOf('tsconfig.json')['outDir']).toMatch(/^(\.\/)?dist$/);
    expect(optionsOf('tsconfig.build.json')['tsBuildInfoFile']).toMatch(/^dist\//);
  });
});
