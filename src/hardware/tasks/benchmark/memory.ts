import { runInThreads, type ThreadProgram, type ThreadRun } from './threads';

/** Above what caches of processors hold, and little enough for a small container. */
const bufferBytes = 32 * 1_024 * 1_024;

export interface MemoryBenchmark {
  /** Size of what is copied from one place to another. */
  buffer_bytes: number;
  /** Bytes copied; each is read once and written once. */
  copy_bytes_per_second: number;
}

/** Copies one buffer into another for a time; bytes a second. */
const copy: ThreadProgram<{ durationMs: number; bytes: number }, number> = (
  { tell },
  { durationMs, bytes },
) => {
  const from = new Uint8Array(bytes).fill(1);
  const to = new Uint8Array(bytes).fill(2); // touched, so that the system has given it pages
  const beganAtMs = performance.now();
  let copied = 0;
  for (let elapsedMs = 0, toldMs = 0; ;) {
    to.set(from);
    copied += bytes;
    elapsedMs = performance.now() - beganAtMs;
    if (elapsedMs >= durationMs) return (copied / elapsedMs) * 1_000;
    if (elapsedMs - toldMs >= 50) tell((toldMs = elapsedMs) / durationMs);
  }
};

/** How fast this machine copies memory, on one core. */
export async function benchmarkMemory(durationMs: number, run: ThreadRun): Promise<MemoryBenchmark> {
  const [rate = 0] = await runInThreads(copy, { durationMs, bytes: bufferBytes }, run);
  return { buffer_bytes: bufferBytes, copy_bytes_per_second: Math.round(rate) };
}
