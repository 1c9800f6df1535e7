import { constants, existsSync, type Dirent, type Stats } from 'node:fs';
import { lstat, open, opendir, realpath, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

/** The folder is not where it was any more, or a symbolic link has taken its place. */
export class FolderMovedError extends Error {
  constructor() {
    super('the folder was replaced while it was looked at');
    this.name = 'FolderMovedError';
  }
}

/** What a name stood for when it was looked at is not what it stands for now, or has been written to since. */
export class FileReplacedError extends Error {
  constructor() {
    super('the file was replaced or changed after it was looked at');
    this.name = 'FileReplacedError';
  }
}

/** On Linux, names under an open folder: they lead into that folder whatever has become of its path. */
const descriptors = '/proc/self/fd';
const hasDescriptors = process.platform === 'linux' && existsSync(descriptors);
const folderOnly = constants.O_RDONLY | (constants.O_DIRECTORY ?? 0) | (constants.O_NOFOLLOW ?? 0);

/**
 * A folder held open, so that what is done in it is done in it. A path alone is no hold: between looking at it and removing
 * something below it, anybody who may write there can put a symbolic link in its place and have files removed elsewhere.
 *
 * On Linux names are looked up from the open folder (`/proc/self/fd`, as `openat` and `unlinkat` do it). Where there is no such
 * thing, the path is resolved again before each removal, which leaves a moment.
 */
export class AnchoredFolder {
  private constructor(
    private readonly handle: FileHandle,
    private readonly path: string,
    /** The file system that it is on. */
    readonly device: number,
  ) {}

  /**
   * Opens a folder by its real path, which must hold no symbolic link.
   * @throws FolderMovedError when it does; errors of the file system
   */
  static async open(path: string): Promise<AnchoredFolder> {
    const folder = await AnchoredFolder.openAt(path, path);
    // Where it cannot be told where the folder is, it is refused like one that was moved.
    const isThere = (await realpath(folder.base).catch(() => undefined)) === path;
    if (isThere) return folder;
    await folder.close();
    throw new FolderMovedError();
  }

  /** A folder in this one. Symbolic links are refused. */
  child(name: string): Promise<AnchoredFolder> {
    return AnchoredFolder.openAt(join(this.base, name), join(this.path, name));
  }

  async *entries(): AsyncGenerator<Dirent> {
    yield* await opendir(this.base);
  }

  /** What is under a name, without following it. */
  stat(name: string): Promise<Stats> {
    return lstat(join(this.base, name));
  }

  /**
   * Removes a name, if it still stands for what `seen` says; of a symbolic link the link, never what it leads to. A writer
   * may have renamed a new file over the old name. No system removes a name on a condition, so that a moment is left.
   * @throws FileReplacedError, FolderMovedError; errors of the file system
   */
  async remove(name: string, seen: Pick<Stats, 'ino' | 'mtimeMs'>): Promise<void> {
    if (!hasDescriptors && (await realpath(this.path)) !== this.path) throw new FolderMovedError();
    const { ino, mtimeMs } = await this.stat(name);
    if (ino !== seen.ino || mtimeMs !== seen.mtimeMs) throw new FileReplacedError();
    await unlink(join(this.base, name));
  }

  close(): Promise<void> {
    return this.handle.close();
  }

  private get base(): string {
    return hasDescriptors ? `${descriptors}/${this.handle.fd}` : this.path;
  }

  private static async openAt(way: string, path: string): Promise<AnchoredFolder> {
    const handle = await open(way, folderOnly);
    try {
      return new AnchoredFolder(handle, path, (await handle.stat()).dev);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }
}
