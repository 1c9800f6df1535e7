import { execSync } from 'node:child_process';
import { heldUpMs } from './held-up';
import { Scheduler } from './scheduler';

const times = (workedMs: number, readyMs: number, ...helpersReadyMs: number[]) => ({
  workedMs, readyMs, helpersReadyMs,
}); // prettier-ignore
const start = times(1_000, 500, 40, 50);

describe('what holds up the event loop', () => {
  it('is the work of its thread', () => {
    expect(heldUpMs(30, start, times(1_030, 500, 40, 50))).toBe(30);
  });

  it('is a wait in the middle of a turn, though the thread does nothing', () => {
    expect(heldUpMs(30, start, times(1_000, 500, 40, 50))).toBe(30);
  });

  it('is not another program that has the processor', () => {
    expect(heldUpMs(30, start, times(1_005, 525, 40, 50))).toBe(5);
  });

  it('is a collection without the time in which a helper of it had no processor: of all helpers the longest', () => {
    expect(heldUpMs(30, start, times(1_005, 505, 47, 62))).toBe(13);
  });

  it('is all of its own work, whatever helpers wait for meanwhile', () => {
    expect(heldUpMs(30, start, times(1_028, 500, 90, 50))).toBe(28);
  });

  it('is never less than nothing, though the scheduler tells of work late', () => {
    expect(heldUpMs(0, start, times(1_004, 501, 40, 50))).toBe(0);
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
    expect(heldUpMs(lateMs, before, scheduler.now())).toBeGreaterThan(100);
    scheduler.close();
  });
});
