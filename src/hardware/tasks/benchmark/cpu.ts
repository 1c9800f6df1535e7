import { setMaxListeners } from 'node:events';
import os from 'node:os';
import { runInThread, type ThreadProgram } from './thread';

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

interface Input {
  readonly durationMs: number;
  /** [0]: how many have arrived, [1]: whether all have. */
  readonly gate: Int32Array;
  readonly threads: number;
}

/** Hashes the same 64 KiB for a time, beginning when all threads are there; bytes a second. */
const hash: ThreadProgram<Input, number> = ({ crypto }, { durationMs, gate, threads }, tell) => {
  const block = crypto.randomBytes(65_536);
  if (Atomics.add(gate, 0, 1) + 1 === threads) {
    Atomics.store(gate, 1, 1);
    Atomics.notify(gate, 1);
  } else Atomics.wait(gate, 1, 0);
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
  signal: AbortSignal,
  onProgress: (share: number) => void,
): Promise<CpuBenchmark> {
  const threads = Math.min(os.availableParallelism(), maxThreads);
  const run = async (count: number, progress: (share: number) => void): Promise<number> => {
    const gate = new Int32Array(new SharedArrayBuffer(8));
    const input = { durationMs: durationMs / 2, gate, threads: count };
    const failed = new AbortController();
    const either = AbortSignal.any([signal, failed.signal]);
    setMaxListeners(0, either); // one for each thread
    const runs: Promise<number>[] = [];
    for (let index = 0; index < count; index += 1) {
      runs.push(runInThread(hash, input, { signal: either, ...(index === 0 && { onProgress: progress }) }));
      // A thread takes a moment to be made: requests are let through in between.
      await new Promise(setImmediate);
    }
    // The others wait at the gate for one that failed.
    for (const one of runs) one.catch((error: unknown) => failed.abort(error));
    const outcomes = await Promise.allSettled(runs);
    const rejected = outcomes.find(outcome => outcome.status === 'rejected');
    if (rejected) throw (signal.aborted ? signal.reason : rejected.reason) as Error;
    return outcomes.reduce((sum, outcome) => sum + (outcome.status === 'fulfilled' ? outcome.value : 0), 0);
  };
  const single = await run(1, share => onProgress(share / 2));
  const all = await run(threads, share => onProgress(0.5 + share / 2));
  return {
    algorithm: 'sha256',
    threads,
    single_bytes_per_second: Math.round(single),
    all_bytes_per_second: Math.round(all),
  };
}
