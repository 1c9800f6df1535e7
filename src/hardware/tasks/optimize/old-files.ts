import type { Stats } from 'node:fs';
import type { AnchoredFolder } from './anchored-folder';

/** Folders within folders, and names that are looked at in one of the configured folders, at most. */
export const walkLimits = Object.freeze({ depth: 8, names: 100_000 });

/**
 * A file of this name in a configured folder says that what is in it may be removed; without it nothing is looked at there.
 * A setting can be mistyped and a path can come to lead elsewhere; this file is where the files are, and stays there.
 */
export const markerName = '.sutazai-clean-up';

export interface OldFile {
  /** The folder that holds it. */
  readonly folder: AnchoredFolder;
  readonly name: string;
  /** From the folder that the walk began in. */
  readonly path: string;
  readonly ageMs: number;
  /** By which it is known again when it is removed. */
  readonly seen: Pick<Stats, 'ino' | 'mtimeMs'>;
  /** What its removal frees: nothing while it has other names. */
  readonly bytes: number;
}

/** What a walk has come across and left alone. */
export interface WalkCounts {
  names: number;
  /** Files that are not old enough. */
  young: number;
  /** Symbolic links, sockets, devices, pipes, folders of other file systems. */
  others: number;
  /** Folders and files that could not be looked at. */
  unreadable: number;
  /** A limit was reached: there may be more. */
  isCut: boolean;
}

export const noCounts = (): WalkCounts => ({ names: 0, young: 0, others: 0, unreadable: 0, isCut: false });

/**
 * The files below a folder that were not changed for `minAgeMs`. It follows no symbolic link, stays on one file system and
 * goes at most 8 folders deep and past 100,000 names.
 */
export async function* oldFiles(
  folder: AnchoredFolder,
  {
    minAgeMs,
    nowMs,
    signal,
    counts,
  }: { minAgeMs: number; nowMs: number; signal: AbortSignal; counts: WalkCounts },
  under = '',
  depth = 0,
): AsyncGenerator<OldFile> {
  const rules = { minAgeMs, nowMs, signal, counts };
  for await (const { name } of folder.entries()) {
    signal.throwIfAborted();
    if (name === markerName) continue;
    if (counts.names >= walkLimits.names) {
      counts.isCut = true;
      return;
    }
    counts.names += 1;
    const stat = await unlessGone(folder.stat(name), counts);
    if (!stat) continue;
    const path = under === '' ? name : `${under}/${name}`;
    if (stat.isDirectory()) {
      if (stat.dev !== folder.device) counts.others += 1;
      else if (depth >= walkLimits.depth) counts.isCut = true;
      else {
        const child = await unlessGone(folder.child(name), counts);
        if (!child) continue;
        try {
          if (child.device === folder.device) yield* oldFiles(child, rules, path, depth + 1);
          else counts.others += 1;
        } catch (error) {
          if (!isOfFileSystem(error)) throw error;
          counts.unreadable += 1;
        } finally {
          await child.close();
        }
      }
      continue;
    }
    const ageMs = nowMs - stat.mtimeMs;
    if (!stat.isFile()) counts.others += 1;
    else if (ageMs < minAgeMs) counts.young += 1;
    else yield { folder, name, path, ageMs, seen: stat, bytes: stat.nlink > 1 ? 0 : stat.size };
  }
}

/** Undefined when somebody else has removed it meanwhile; what may not be looked at is counted. */
async function unlessGone<T>(look: Promise<T>, counts: WalkCounts): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if (!isOfFileSystem(error)) throw error;
    if (error.code !== 'ENOENT') counts.unreadable += 1;
    return undefined;
  }
}

/** Whether the file system refused something, as it may do with any name. */
export function isOfFileSystem(error: unknown): error is NodeJS.ErrnoException {
  return typeof error === 'object' && error !== null && 'syscall' in error && 'code' in error;
}
