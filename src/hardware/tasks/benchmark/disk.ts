import { lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TaskError } from '../task';
import { runInThreads, type ThreadError, type ThreadProgram, type ThreadRun } from './threads';

const prefix = 'sutazai-benchmark-';
const suffix = '.tmp';
/** A file has its name for a moment; after so long nobody is going to take it away, whatever the clocks of two hosts say. */
const leftOverAgeMs = 600_000;

export interface DiskBenchmark {
  /** Size of the file that was written, then read. */
  file_bytes: number;
  /** In blocks of 1 MiB, with the fsync at the end. */
  write_bytes_per_second: number;
  /** The same bytes again. The system may have kept them in memory: then it is how fast it hands them over from there. */
  read_bytes_per_second: number;
  /** 4 KiB written in place and brought onto the disk, one after the other. */
  fsync: { count: number; mean_ms: number; p50_ms: number; p95_ms: number; max_ms: number };
}

interface Input {
  readonly path: string;
  readonly maxBytes: number;
  readonly durationMs: number;
}

/**
 * Writes, reads and syncs one file. Its name is taken away as soon as it is open, so that the system frees it however this
 * ends: cancelled, crashed or killed.
 */
const measure: ThreadProgram<Input, DiskBenchmark> = (
  { crypto, fs, path: paths, tell },
  { path, maxBytes, durationMs },
) => {
  const file = fs.openSync(path, 'wx+', 0o600);
  fs.unlinkSync(path);
  const block = crypto.randomBytes(1_048_576);
  const partMs = durationMs / 3;
  let toldAtMs = performance.now();
  const say = (part: number, share: number): void => {
    if (performance.now() - toldAtMs < 50) return;
    toldAtMs = performance.now();
    tell((part + Math.min(1, share)) / 3);
  };
  const { bavail, bsize } = fs.statfsSync(paths.dirname(path));
  if (bavail * bsize < 2 * maxBytes)
    throw Object.assign(new Error('little room is left'), { code: 'ENOSPC' });

  let beganAtMs = performance.now();
  let elapsedMs = 0;
  let fileBytes = 0;
  while (fileBytes < maxBytes && (fileBytes === 0 || elapsedMs < partMs)) {
    fileBytes += fs.writeSync(file, block, 0, Math.min(block.length, maxBytes - fileBytes), fileBytes);
    elapsedMs = performance.now() - beganAtMs;
    say(0, Math.max(fileBytes / maxBytes, elapsedMs / partMs));
  }
  fs.fsyncSync(file);
  const writeRate = (fileBytes / (performance.now() - beganAtMs)) * 1_000;

  beganAtMs = performance.now();
  elapsedMs = 0;
  let readBytes = 0;
  while (readBytes < fileBytes || elapsedMs < partMs / 2) {
    readBytes += fs.readSync(file, block, 0, block.length, readBytes % fileBytes);
    elapsedMs = performance.now() - beganAtMs;
    say(1, Math.min(readBytes / fileBytes, elapsedMs / partMs));
  }
  const readRate = (readBytes / elapsedMs) * 1_000;

  const times: number[] = [];
  beganAtMs = performance.now();
  while (times.length === 0 || (times.length < 1_000 && performance.now() - beganAtMs < partMs)) {
    const startedAtMs = performance.now();
    fs.writeSync(file, block, 0, 4_096, 0);
    fs.fsyncSync(file);
    times.push(performance.now() - startedAtMs);
    say(2, Math.max(times.length / 1_000, (performance.now() - beganAtMs) / partMs));
  }
  fs.closeSync(file);
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(share * times.length))]!;
  const ms = (value: number): number => Math.round(value * 1_000) / 1_000;
  return {
    file_bytes: fileBytes,
    write_bytes_per_second: Math.round(writeRate),
    read_bytes_per_second: Math.round(readRate),
    fsync: {
      count: times.length,
      mean_ms: ms(times.reduce((sum, time) => sum + time, 0) / times.length),
      p50_ms: ms(at(0.5)),
      p95_ms: ms(at(0.95)),
      max_ms: ms(times.at(-1)!),
    },
  };
};

/** What the system says when a file cannot be made, and what that means to the reader. */
const refusals: Readonly<Record<string, string>> = {
  EACCES: 'may not be written',
  EPERM: 'may not be written',
  EROFS: 'may not be written',
  ENOTDIR: 'is no folder',
  EEXIST: 'is no folder',
  ENOSPC: 'has too little room',
  EDQUOT: 'has too little room',
  EIO: 'has a disk that fails',
};

/**
 * How fast the disk under a folder is, with one file of at most `maxBytes`: a third of the time for writing, reading and
 * syncing each. The folder is made when it is missing.
 * @throws TaskError when the folder cannot be used
 */
export async function benchmarkDisk(
  { folder, maxBytes, durationMs, id }: { folder: string; maxBytes: number; durationMs: number; id: string },
  run: ThreadRun,
): Promise<DiskBenchmark> {
  try {
    await mkdir(folder, { recursive: true });
    await removeLeftOvers(folder);
    const path = join(folder, `${prefix}${id}${suffix}`);
    const [found] = await runInThreads(measure, { path, maxBytes, durationMs }, run);
    return found!;
  } catch (error) {
    const { code } = error as ThreadError | NodeJS.ErrnoException;
    const refusal = code === undefined ? undefined : refusals[code];
    if (refusal === undefined || run.signal.aborted) throw error;
    throw new TaskError(`The folder of the disk benchmark ${refusal} (${code}).`, { cause: error });
  }
}

/**
 * Names of processes that were killed between making their file and taking its name away; the files are empty. A young one
 * may be of another instance that shares the folder and is between the two.
 */
export async function removeLeftOvers(folder: string, nowMs = Date.now()): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix) || !name.endsWith(suffix)) continue;
    const path = join(folder, name);
    const stat = await lstat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      return undefined; // its process has taken the name away
    });
    if (stat && nowMs - stat.mtimeMs >= leftOverAgeMs) await rm(path, { force: true });
  }
}
