import type { TaskContext } from '../task';
import { benchmarkCpu, type CpuBenchmark } from './cpu';
import { benchmarkDisk, type DiskBenchmark } from './disk';
import { benchmarkMemory, type MemoryBenchmark } from './memory';
import type { ThreadRun } from './threads';

export const benchmarkParts = ['cpu', 'memory', 'disk'] as const;
export type BenchmarkPart = (typeof benchmarkParts)[number];

/** For each part, in milliseconds. */
export const benchmarkDuration = Object.freeze({ minMs: 100, maxMs: 30_000, defaultMs: 2_000 });

/** What a part takes beside its duration at most: to start, and to bring its file onto a slow disk. Milliseconds. */
const overheadMs = 60_000;

export interface BenchmarkOptions {
  readonly parts: readonly BenchmarkPart[];
  /** For each part, in milliseconds. */
  readonly durationMs: number;
  /** Where the disk is measured, and with how large a file at most. */
  readonly disk: { readonly folder: string; readonly maxBytes: number };
  /** Part of the name of the file. */
  readonly id: string;
}

/** Parts that were not asked for, or not reached, are absent. */
export interface BenchmarkResult extends Record<string, unknown> {
  cpu?: CpuBenchmark;
  memory?: MemoryBenchmark;
  disk?: DiskBenchmark;
}

/** Measures one part after the other, each in threads of its own: together they would measure each other. */
export async function runBenchmark(
  starter: ThreadRun['starter'],
  { parts, durationMs, disk, id }: BenchmarkOptions,
  { signal, progress, keep }: TaskContext,
): Promise<BenchmarkResult> {
  const wanted = benchmarkParts.filter(part => parts.includes(part));
  let result: BenchmarkResult = {};
  for (const [index, part] of wanted.entries()) {
    const onProgress = (share: number): void => progress((index + share) / wanted.length);
    result = {
      ...result,
      [part]: await measure(part, { starter, signal, onProgress, limitMs: durationMs + overheadMs }),
    };
    keep(result);
    onProgress(1);
  }
  return result;

  function measure(part: BenchmarkPart, run: ThreadRun): Promise<object> {
    switch (part) {
      case 'cpu':
        return benchmarkCpu(durationMs, run);
      case 'memory':
        return benchmarkMemory(durationMs, run);
      case 'disk':
        return benchmarkDisk({ ...disk, durationMs, id }, run);
    }
  }
}
