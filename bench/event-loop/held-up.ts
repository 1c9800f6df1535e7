import type { ThreadTimes } from './scheduler';

/**
 * How much of a delay of the event loop is its own: all of it but what other programs of the machine took away. Those took
 *
 * - the time in which the thread was ready and others had the processors;
 * - of the time in which it waited for something (the end of a collection, a lock, a file, a program), as much as the helpers that
 *   collect for it were ready and others had the processors: at most what the longest of them waited.
 *
 * What is left is at work, or waiting in the middle of a turn: both hold up whoever else wants the loop.
 */
export function heldUpMs(lateMs: number, before: ThreadTimes, after: ThreadTimes): number {
  const notReadyMs = Math.max(lateMs - (after.readyMs - before.readyMs), 0);
  const waitingMs = Math.max(notReadyMs - (after.workedMs - before.workedMs), 0);
  const helpersReadyMs = after.helpersReadyMs.map((ms, at) => ms - (before.helpersReadyMs[at] ?? 0));
  return notReadyMs - Math.min(waitingMs, Math.max(0, ...helpersReadyMs));
}
