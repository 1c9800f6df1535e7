import { readdirSync } from 'node:fs';
import type { Measures } from './messages';

let unhandledRejections = 0;

/** From now on rejections that nobody handles are counted; they do not end the process. */
export function countUnhandledRejections(): () => void {
  const count = (): void => void (unhandledRejections += 1);
  process.on('unhandledRejection', count);
  return () => process.off('unhandledRejection', count);
}

/** Of this process, after a collection of garbage where Node was started with `--expose-gc`. */
export function measure(): Measures {
  globalThis.gc?.();
  return {
    heapBytes: process.memoryUsage().heapUsed,
    openFiles: openFilesOf('self'),
    unhandledRejections,
  };
}

export function openFilesOf(pid: number | 'self'): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
