import { realpath } from 'node:fs/promises';
import { cleanupProblem } from '../../../config/cleanup-folders';
import { AnchoredFolder, FileReplacedError, FolderMovedError } from './anchored-folder';
import { isOfFileSystem, markerName, noCounts, type OldFile, oldFiles } from './old-files';

/** Files that a result names; of the others it has the number. */
const maxNamed = 100;
const maxPathCharacters = 200;

export interface CleanupOptions {
  readonly folders: readonly string[];
  readonly minAgeMs: number;
  readonly maxFiles: number;
  readonly isDryRun: boolean;
}

export interface CleanedFolder {
  folder: string;
  /** `looked_at`; `missing`; `unmarked`, without its marker; `refused`, because of where it leads; `unreadable`. */
  status: 'looked_at' | 'missing' | 'unmarked' | 'refused' | 'unreadable';
  names_seen: number;
  too_young: number;
  not_files: number;
  unreadable: number;
}

export interface Cleanup extends Record<string, unknown> {
  min_age_seconds: number;
  folders: CleanedFolder[];
  /** Old files, and what removing them frees. */
  matched: number;
  matched_bytes: number;
  removed: number;
  removed_bytes: number;
  failed: number;
  /** Whether all of every folder was looked at, within the limits. */
  is_complete: boolean;
  /** The first hundred of the old files. */
  files: { folder: string; path: string; bytes: number; age_seconds: number; outcome: FileOutcome }[];
}

export const fileOutcomes = ['would_be_removed', 'removed', 'failed'] as const;
export type FileOutcome = (typeof fileOutcomes)[number];

/**
 * Removes old files in the configured folders, or, in a dry run, tells what would be removed. `onStep` is told after each
 * file what there is so far, and how far it is.
 */
export async function cleanUp(
  { folders, minAgeMs, maxFiles, isDryRun }: CleanupOptions,
  signal: AbortSignal,
  onStep: (soFar: Cleanup, share: number) => void,
): Promise<Cleanup> {
  const result: Cleanup = {
    min_age_seconds: Math.round(minAgeMs / 1_000),
    folders: [],
    matched: 0,
    matched_bytes: 0,
    removed: 0,
    removed_bytes: 0,
    failed: 0,
    is_complete: true,
    files: [],
  };
  const nowMs = Date.now(); // what changes while this goes on is not old
  for (const [index, folder] of folders.entries()) {
    const counts = noCounts();
    const status = await look(folder, async root => {
      for await (const file of oldFiles(root, { minAgeMs, nowMs, signal, counts })) {
        if (result.matched >= maxFiles) {
          result.is_complete = false;
          break;
        }
        note(folder, file, isDryRun ? 'would_be_removed' : await remove(file));
        onStep(result, (index + result.matched / maxFiles) / folders.length);
      }
    });
    if (counts.isCut) result.is_complete = false;
    result.folders.push({
      folder,
      status,
      names_seen: counts.names,
      too_young: counts.young,
      not_files: counts.others,
      unreadable: counts.unreadable,
    });
    onStep(result, (index + 1) / folders.length);
  }
  return result;

  function note(folder: string, { path, bytes, ageMs }: OldFile, outcome: FileOutcome): void {
    result.matched += 1;
    result.matched_bytes += bytes;
    if (outcome === 'removed') {
      result.removed += 1;
      result.removed_bytes += bytes;
    }
    if (outcome === 'failed') result.failed += 1;
    if (result.files.length < maxNamed)
      result.files.push({
        folder,
        path: path.slice(0, maxPathCharacters),
        bytes,
        age_seconds: Math.round(ageMs / 1_000),
        outcome,
      });
  }
}

/** Opens a folder by where it really is, which may have changed since the start, and closes it afterwards. */
async function look(
  folder: string,
  work: (root: AnchoredFolder) => Promise<void>,
): Promise<CleanedFolder['status']> {
  let root: AnchoredFolder;
  try {
    const real = await realpath(folder);
    if (cleanupProblem(real) !== undefined) return 'refused';
    root = await AnchoredFolder.open(real);
  } catch (error) {
    if (error instanceof FolderMovedError) return 'refused';
    if (!isOfFileSystem(error)) throw error;
    return error.code === 'ENOENT' ? 'missing' : 'unreadable';
  }
  try {
    if (!(await isMarked(root))) return 'unmarked';
    await work(root);
    return 'looked_at';
  } catch (error) {
    if (!isOfFileSystem(error)) throw error;
    return 'unreadable';
  } finally {
    await root.close();
  }
}

/** Whether its owner has put the marker into the very folder that is held open. */
async function isMarked(root: AnchoredFolder): Promise<boolean> {
  try {
    return (await root.stat(markerName)).isFile();
  } catch (error) {
    if (isOfFileSystem(error) && error.code === 'ENOENT') return false;
    throw error;
  }
}

/** `failed` also when the name has come to stand for another file meanwhile, which stays. */
async function remove({ folder, name, seen }: OldFile): Promise<FileOutcome> {
  try {
    await folder.remove(name, seen);
    return 'removed';
  } catch (error) {
    const hasMoved = error instanceof FolderMovedError || error instanceof FileReplacedError;
    if (!isOfFileSystem(error) && !hasMoved) throw error;
    return 'failed';
  }
}
