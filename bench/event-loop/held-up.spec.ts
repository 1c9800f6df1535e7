import { execSync } from 'node:child_process';
import { heldUpMs } from './held-up';
import { Scheduler } from './scheduler';

const times = (workedMs: number, readyMs: number, processMs: number, ...helpersReadyMs: number[]) => ({
  workedMs, readyMs, processMs, helpersReadyMs,
}); // prettier-ignore
const start = times(1_000, 500, 5_000, 40, 50);
/** Of thirty milliseconds, on two processors. */
const heldUp = (after: ReturnType<typeof times>, pauseMs = 0): number =>
  heldUpMs(30, start, after, pauseMs, 2);

describe('what holds up the event loop', () => {
  it('is the work of its thread', () => {
    expect(heldUp(times(1_030, 500, 5_030, 40, 50))).toBe(30);
  });

  it('is a wait in the middle of a turn, though the thread does nothing', () => {
    expect(heldUp(times(1_000, 500, 5_000, 40, 50))).toBe(30);
  });

  it('is not another process that has the processor', () => {
    expect(heldUp(times(1_005, 525, 5_005, 40, 50))).toBe(5);
  });

  it('is threads of its own that have both processors, or half of them', () => {
    expect(heldUp(times(1_005, 525, 5_060, 40, 50))).toBe(30);
    expect(heldUp(times(1_005, 525, 5_045, 40, 50))).toBe(15);
  });

  it('is a collection without the time in which a helper of it had no processor: of all helpers the longest', () => {
    expect(heldUp(times(1_005, 505, 5_005, 47, 62), 25)).toBe(13);
  });

  it('is a wait for something else than the end of a collection, whatever helpers wait for meanwhile', () => {
    expect(heldUp(times(1_005, 505, 5_005, 47, 62))).toBe(25);
    expect(heldUp(times(1_005, 505, 5_005, 47, 62), 4)).toBe(21);
  });

  it('is all of its own work, whatever helpers wait for meanwhile', () => {
    expect(heldUp(times(1_028, 500, 5_028, 90, 50), 30)).toBe(28);
  });

  it('is never less than nothing, though the scheduler tells of work late', () => {
    expect(heldUpMs(0, start, times(1_004, 501, 5_004, 40, 50), 0, 2)).toBe(0);
  });
});

const onLinux = process.platform === 'linux' ? it : it.skip;

describe('the times of this process', () => {
  onLinux('show a program that is waited for synchronously as a wait that is its own', () => {
    const scheduler = Scheduler.open()!;
    const before = scheduler.now();
    const beganMs = performance.now();
    execSync('sleep 0.3');
    const lateMs = performance.now() - beganMs;
    expect(heldUpMs(lateMs, before, scheduler.now(), 0, 2)).toBeGreaterThan(100);
    scheduler.close();
  });
});
