import { realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { Refusal } from './setting';

const maxFolders = 10;
const minLevels = 2;
/** What is below these belongs to the system, however deep. */
const ofTheSystem = [
  '/bin', '/boot', '/dev', '/etc', '/lib', '/lib32', '/lib64', '/libx32', '/proc', '/run', '/sbin', '/sys', '/usr', '/var/lib',
]; // prettier-ignore
const application = resolve(__dirname, '../..');

/**
 * Reads the folders whose old files may be removed: a comma list, or a YAML list, of absolute paths. Refused is what nobody
 * can mean: the root and what lies directly below it, folders of the system, and whatever holds the application, its working
 * directory or the home of its user, also when only a symbolic link leads there.
 */
export function cleanupFolders(value: unknown): readonly string[] | Refusal {
  const list: unknown[] = Array.isArray(value)
    ? value
    : String(value)
        .split(',')
        .map(item => item.trim());
  const folders = new Set<string>();
  for (const item of list) {
    if (typeof item !== 'string' || !isAbsolute(item) || item.includes('\0') || item.length > 4_096)
      return new Refusal('must be a comma-separated list of absolute paths');
    const problem = cleanupProblem(item) ?? cleanupProblem(realPath(item));
    if (problem !== undefined) return new Refusal(`must not list a folder that ${problem}`);
    folders.add(resolve(item));
  }
  if (folders.size > maxFolders) return new Refusal(`must list at most ${maxFolders} folders`);
  const nested = [...folders].some(folder =>
    [...folders].some(other => other !== folder && holds(other, folder)),
  );
  return nested ? new Refusal('must not list a folder together with one inside of it') : [...folders];
}

/** Why files of a folder must not be removed, as the end of "a folder that …"; undefined when they may. */
export function cleanupProblem(folder: string): string | undefined {
  const path = resolve(folder);
  if (path.split(sep).filter(Boolean).length < minLevels) return 'is the root or lies directly below it';
  if (ofTheSystem.some(system => holds(system, path))) return 'belongs to the system';
  if (holds(path, realPath(homedir())) || holds(path, homedir())) return 'holds the home of the user';
  if (holds(path, application)) return 'holds the application';
  if (holds(path, process.cwd())) return 'holds the working directory';
  return undefined;
}

/** Why these folders do not go with the data folder, as the end of a sentence; undefined when they do. */
export function cleanupConflict(folders: readonly string[], dataDir: string): string | undefined {
  const data = realPath(resolve(dataDir));
  const meets = folders.map(realPath).some(folder => holds(folder, data) || holds(data, folder));
  return meets ? 'must list no folder that holds DATA_DIR or lies in it' : undefined;
}

/** Whether `inner` is `outer` or lies below it. */
function holds(outer: string, inner: string): boolean {
  const way = relative(outer, inner);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

/** Where symbolic links lead; of a path that is not there, itself. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return path;
    throw error;
  }
}
