// What `npm start` and `npm test` share: packages, build, programs. Only what Node brings, so that it runs before `npm ci`.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const leastNode = [20, 15];
const buildStamp = join(root, 'dist', '.built');
const buildInputs = ['src', 'tsconfig.json', 'tsconfig.build.json', 'nest-cli.json', 'package-lock.json'];

/** Ends the script with one line. */
export function stop(line, code = 1) {
  console.error(line);
  process.exit(code);
}

export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > leastNode[0] || (major === leastNode[0] && minor >= leastNode[1])) return;
  stop(`Node ${leastNode.join('.')} or newer is needed; this is ${process.versions.node}.`);
}

/** Installs the packages of package-lock.json, unless that was done since it last changed. */
export function install() {
  installIn(root);
}

/** The same in a folder with a package-lock.json of its own. */
export function installIn(folder) {
  const installed = modified(join(folder, 'node_modules', '.package-lock.json'));
  if (installed >= modified(join(folder, 'package-lock.json')) && installed > 0) return;
  say(`Installing packages ${folder === root ? '' : `of ${basename(folder)} `}(npm ci) …`);
  const npm = process.env.npm_execpath;
  const command =
    npm && /\.c?js$/.test(npm) ? [process.execPath, npm] : [process.platform === 'win32' ? 'npm.cmd' : 'npm'];
  run([...command, 'ci', '--include=dev', '--prefer-offline', '--no-audit', '--no-fund'], 'npm ci failed', {
    cwd: folder,
  });
}

/** Builds `dist`, unless that was done since the source last changed. */
export function build() {
  const built = modified(buildStamp);
  const isWhole = existsSync(join(root, 'dist', 'main.js'));
  if (isWhole && built >= Math.max(...buildInputs.map(path => newest(join(root, path))))) return;
  say('Building …');
  // The compiler's notes say what it has written; where a part of that is gone they are wrong.
  if (!isWhole) rmSync(join(root, 'dist', 'tsconfig.build.tsbuildinfo'), { force: true });
  run(
    [process.execPath, join(root, 'node_modules', '@nestjs', 'cli', 'bin', 'nest.js'), 'build'],
    'the build failed',
  );
  writeFileSync(buildStamp, '');
}

/** Makes sure that the programs are there: found, installed as root on Debian, or the script ends with one line that says how. */
export function needPrograms(programs) {
  const missing = programs.filter(program => !program.isThere());
  if (missing.length === 0) return;
  const packages = missing.map(program => program.aptPackage);
  const names = missing.map(program => program.name).join(' and ');
  const how = `install ${names}, for example with: apt-get install ${packages.join(' ')}`;
  if (!onPath('apt-get')) stop(`${names} cannot be found: ${how}.`);
  if (process.getuid?.() !== 0) stop(`${names} cannot be found; as root, ${how}.`);
  say(`Installing ${packages.join(' and ')} (apt-get) …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  run(['apt-get', 'update', '-q'], `apt-get update failed; ${how}`, {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  run(
    ['apt-get', 'install', '-y', '-q', '--no-install-recommends', ...packages],
    `apt-get install failed; ${how}`,
    {
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const still = missing.filter(program => !program.isThere());
  if (still.length > 0)
    stop(
      `${still.map(program => program.name).join(' and ')} cannot be found after the installation; ${how}.`,
    );
}

export const redisServer = {
  name: 'redis-server',
  aptPackage: 'redis-server',
  isThere: () => onPath('redis-server'),
};
export const postgresServer = {
  name: 'PostgreSQL (initdb and postgres)',
  aptPackage: 'postgresql',
  isThere: hasPostgres,
};

/** The tour of the README is run as it is written. */
export const curl = { name: 'curl', aptPackage: 'curl', isThere: () => onPath('curl') };

export const processList = { name: 'ps', aptPackage: 'procps', isThere: () => onPath('ps') };

/** Debian keeps the programs of the server away from the PATH, one folder for each version. */
function hasPostgres() {
  if (onPath('initdb') && onPath('postgres')) return true;
  const base = '/usr/lib/postgresql';
  return (
    existsSync(base) && readdirSync(base).some(version => existsSync(join(base, version, 'bin', 'initdb')))
  );
}

function onPath(name) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .some(folder => folder !== '' && existsSync(join(folder, name)));
}

export function say(line) {
  console.error(line);
}

function run([program, ...args], failure, options = {}) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit', ...options });
  if (error) stop(`${failure}: ${error.message}`);
  if (status !== 0) stop(`${failure}.`, status ?? 1);
}

function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function newest(path) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats?.isDirectory()) return stats?.mtimeMs ?? 0;
  return Math.max(stats.mtimeMs, ...readdirSync(path).map(name => newest(join(path, name))));
}
