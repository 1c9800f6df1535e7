import { createHash, randomBytes } from 'node:crypto';
import { linkSync, lstatSync, mkdirSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataDirInUseError } from './database-errors';

const maxSocketPathBytes = 107;
const suffixBytes = '.12345678'.length;
const attempts = 10;
const answerLimitMs = 1_000;

/**
 * The claim of one process on a folder: a unix socket in it that the process listens on. The kernel stops listening
 * however the process ends, so a claim that is left behind is told from a live one by knocking, not by guessing from a
 * process id that may have been given to somebody else (in a container it is always 1).
 *
 * The socket listens under a name of its own before it is linked to the name that counts, and a link never replaces: who
 * sees the name can knock, and of many who want it one gets it.
 */
export class DataDirLock {
  private constructor(
    private readonly server: Server,
    private readonly path: string,
    private readonly inode: number | undefined,
  ) {}

  /**
   * Makes the folder where it is missing and claims it.
   * @throws DataDirInUseError when a live process holds it
   */
  static async take(folder: string): Promise<DataDirLock> {
    mkdirSync(folder, { recursive: true });
    const path = socketPath(realpathSync(folder));
    const own = besides(path);
    const server = await listen(own);
    try {
      for (let attempt = 0; attempt < attempts; attempt += 1) {
        if (link(own, path)) return new DataDirLock(server, path, inodeOf(path));
        const found = inodeOf(path);
        const owner = await knock(path);
        if (owner !== undefined) throw new DataDirInUseError(folder, describeOwner(owner));
        if (inodeOf(path) === found) await clearAway(path, folder);
      }
      throw new DataDirInUseError(folder, 'another process that is starting');
    } catch (error) {
      server.close();
      throw error;
    } finally {
      rmSync(own, { force: true });
    }
  }

  /** Gives the folder back. */
  async release(): Promise<void> {
    if (inodeOf(this.path) === this.inode) rmSync(this.path, { force: true });
    await new Promise<void>(resolve => this.server.close(() => resolve()));
  }
}

/** Takes a claim that was left behind off its name. Should it have become a live one at the last moment, it is put back. */
async function clearAway(path: string, folder: string): Promise<void> {
  const aside = besides(path);
  if (!rename(path, aside)) return;
  const owner = await knock(aside);
  if (owner !== undefined) link(aside, path);
  rmSync(aside, { force: true });
  if (owner !== undefined) throw new DataDirInUseError(folder, describeOwner(owner));
}

function socketPath(folder: string): string {
  const inside = join(folder, 'lock.sock');
  if (Buffer.byteLength(inside) + suffixBytes <= maxSocketPathBytes) return inside;
  return join(tmpdir(), `sutazai-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}.sock`);
}

function besides(path: string): string {
  return `${path}.${randomBytes(4).toString('hex')}`;
}

function inodeOf(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.ino;
}

/** Gives a file a second name; false when that name is taken. */
function link(from: string, to: string): boolean {
  return unless('EEXIST', () => linkSync(from, to));
}

/** Moves a file; false when somebody else has moved it. */
function rename(from: string, to: string): boolean {
  return unless('ENOENT', () => renameSync(from, to));
}

function unless(code: string, act: () => void): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === code) return false;
    throw error;
  }
}

/** What the holder of the claim says of itself; undefined when nobody listens. */
function knock(path: string): Promise<string | undefined> {
  return new Promise(resolve => {
    const socket = connect(path);
    let said = '';
    socket.setTimeout(answerLimitMs, () => (socket.destroy(), resolve('stopped')));
    socket.on('data', (text: Buffer) => (said += text.toString('utf8')));
    socket.once('end', () => (socket.destroy(), resolve(said)));
    socket.once('error', () => resolve(undefined)); // refused, or gone: nobody listens
  });
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(socket => {
      socket.on('error', () => socket.destroy()); // the one who knocked went away
      socket.end(`pid ${process.pid}`);
    });
    server.unref();
    server.once('error', reject);
    server.listen(path, () => resolve(server));
  });
}

function describeOwner(said: string): string {
  const pid = /^pid (\d+)/.exec(said)?.[1];
  return pid === undefined ? 'another process' : `another process (${pid})`;
}
