import { CronTime } from 'cron';
import { scheduledTickMs } from './schedule-tick';

const minute = 60_000;
const noon = Date.UTC(2026, 0, 5, 12, 0, 0);

describe('the tick that a run belongs to', () => {
  it.each([
    ['*/5 * * * *', 0, 0],
    ['*/5 * * * *', 40, 0],
    ['*/5 * * * *', -40, 0],
    ['*/5 * * * *', 2 * minute, 0],
    ['*/5 * * * *', 3 * minute, 5 * minute],
    ['*/10 * * * * *', 4_000, 0],
    ['*/10 * * * * *', -4_000, 0],
  ])('of %s is the nearest one, %d ms off', (cron, offMs, expectedMs) => {
    expect(scheduledTickMs(new CronTime(cron, 'UTC'), noon + offMs)).toBe(noon + expectedMs);
  });
});
