import type { CronTime } from 'cron';

/**
 * The scheduled moment that a run belongs to, in milliseconds since 1970: the nearest one, not the last, because timers
 * fire a little early or late, and a little differently on each instance.
 */
export function scheduledTickMs(schedule: Pick<CronTime, 'getNextDateFrom'>, nowMs: number): number {
  const next = schedule.getNextDateFrom(new Date(nowMs));
  const periodMs = schedule.getNextDateFrom(next.toJSDate()).toMillis() - next.toMillis();
  const nearest = schedule.getNextDateFrom(new Date(nowMs - periodMs / 2)).toMillis();
  return nearest;
}
