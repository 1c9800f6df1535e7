import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(__dirname, '../../..');
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>;
};
const template = join(tmpdir(), `sutazai-empty-database-${dependencies['@electric-sql/pglite']}`);

/**
 * Puts an embedded database without tables into a data folder. Making one takes seconds, copying one does not: it is made
 * once for a machine, by a process of its own, because PGlite does not run inside Jest.
 */
export function putEmptyDatabase(dataDir: string): void {
  if (!existsSync(template)) makeTemplate();
  cpSync(template, join(dataDir, 'pg'), { recursive: true });
}

function makeTemplate(): void {
  const folder = mkdtempSync(join(tmpdir(), 'sutazai-making-database-'));
  const script = `require('@electric-sql/pglite').PGlite.create(process.argv[1]).then(database => database.close())`;
  const { status, stderr } = spawnSync(process.execPath, ['-e', script, folder], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the empty database could not be made: ${stderr}`);
  try {
    renameSync(folder, template);
  } catch (error) {
    if (!existsSync(template)) throw error;
    rmSync(folder, { recursive: true }); // another test made it meanwhile
  }
}
