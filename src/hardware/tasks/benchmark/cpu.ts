import os from 'node:os';
import { runInThreads, type ThreadProgram, type ThreadRun } from './threads';

/** More threads than this say nothing more about a machine, and each takes time to start. */
const maxThreads = 64;

export interface CpuBenchmark {
  /** What is computed. */
  algorithm: 'sha256';
  threads: number;
  /** Of one thread. */
  single_bytes_per_second: number;
  /** Of `threads` threads at once. */
  all_bytes_per_second: number;
}

/** Hashes the same 64 KiB for a time, beginning when all threads are there; bytes a second. */
const hash: ThreadProgram<{ durationMs: number }, number> = ({ crypto, tell, meet }, { durationMs }) => {
  const block = crypto.randomBytes(65_536);
  meet();
  const beganAtMs = performance.now();
  let bytes = 0;
  for (let elapsedMs = 0, toldMs = 0; ;) {
    for (let count = 0; count < 16; count += 1) {
      crypto.createHash('sha256').update(block).digest();
      bytes += block.length;
    }
    elapsedMs = performance.now() - beganAtMs;
    if (elapsedMs >= durationMs) return (bytes / elapsedMs) * 1_000;
    if (elapsedMs - toldMs >= 50) tell((toldMs = elapsedMs) / durationMs);
  }
};

/** How fast this machine hashes, on one core and on all: half of the time each. */
export async function benchmarkCpu(
  durationMs: number,
  { onProgress = () => undefined, ...run }: Omit<ThreadRun, 'threads'>,
): Promise<CpuBenchmark> {
  const threads = Math.min(os.availableParallelism(), maxThreads);
  const input = { durationMs: durationMs / 2 };
  const rateOf = async (count: number, fromShare: number): Promise<number> => {
    const tell = (share: number): void => onProgress(fromShare + share / 2);
    const rates = await runInThreads(hash, input, { ...run, threads: count, onProgress: tell });
    return Math.round(rates.reduce((sum, rate) => sum + rate));
  };
  return {
    algorithm: 'sha256',
    threads,
    single_bytes_per_second: await rateOf(1, 0),
    all_bytes_per_second: await rateOf(threads, 0.5),
  };
}
