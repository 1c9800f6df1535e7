import type { ThreadTimes } from './scheduler';

/**
 * How much of a delay of the event loop is its own: all of it but what other processes of the machine took away. Those took
 *
 * - the time in which the thread was ready and others had the processors;
 * - of the time in which it waited for the end of a collection, as much as the helpers that collect for it were ready and others had the
 *   processors: at most what the longest of them waited;
 *
 * and of both no more than was left of all processors by the threads of this process. What remains is at work, or waiting in the
 * middle of a turn, or for threads of its own: each holds up whoever else wants the loop.
 *
 * @param pauseMs how much of the delay the collector had the thread for
 */
export function heldUpMs(
  lateMs: number,
  before: ThreadTimes,
  after: ThreadTimes,
  pauseMs: number,
  processors: number,
): number {
  const readyMs = Math.min(after.readyMs - before.readyMs, lateMs);
  const waitingMs = Math.max(lateMs - readyMs - (after.workedMs - before.workedMs), 0);
  const helpersReadyMs = after.helpersReadyMs.map((ms, at) => ms - (before.helpersReadyMs[at] ?? 0));
  const collectingMs = Math.min(waitingMs, pauseMs, Math.max(0, ...helpersReadyMs));
  const othersMs = Math.max(processors * lateMs - (after.processMs - before.processMs), 0);
  return lateMs - Math.min(readyMs + collectingMs, othersMs);
}
