import type { CronTime } from 'cron';

/**
 * The scheduled moment that a run belongs to, in milliseconds since 1970: the nearest one, not the last, because timers
 * fire a little early or late, and a little differently on each instance.
 */
export function scheduledTickMs(schedule: Pick<CronTime, 'getNextDateFrom'>, nowMs: number): number {
  const next = schedule.getNextDateFrom(new Date(nowMs)).toMillis();
  return schedule.getNextDateFrom(new Date(nowMs - schedulePeriodMs(schedule, next) / 2)).toMillis();
}

/** From a scheduled moment to the one after it, in milliseconds. */
export function schedulePeriodMs(schedule: Pick<CronTime, 'getNextDateFrom'>, tickMs: number): number {
  return schedule.getNextDateFrom(new Date(tickMs)).toMillis() - tickMs;
}
