import { FakeClock, settled } from '../../test/fakes/fake-clock';
import { checkEveryMs, CheckSchedule } from './check-schedule';

describe('the schedule of the checks', () => {
  it('checks at the start and then every ten seconds, whether or not anybody asks', async () => {
    const clock = new FakeClock();
    let checks = 0;
    const schedule = new CheckSchedule(() => Promise.resolve((checks += 1)), clock);
    schedule.start();
    await settled();
    expect(checks).toBe(1);
    await clock.advance(checkEveryMs - 1);
    expect(checks).toBe(1);
    await clock.advance(1);
    expect(checks).toBe(2);
    await clock.advance(3 * checkEveryMs);
    expect(checks).toBe(5);
    await schedule.stop();
  });

  it('goes on after checks that could not be made', async () => {
    const clock = new FakeClock();
    let checks = 0;
    const fails = (): Promise<void> => ((checks += 1), Promise.reject(new Error('closed')));
    const schedule = new CheckSchedule(fails, clock);
    schedule.start();
    await clock.advance(checkEveryMs);
    expect(checks).toBe(2);
    await schedule.stop();
  });

  it('makes no check while one is under way, and its stop waits for that one', async () => {
    const clock = new FakeClock();
    let checks = 0;
    let release!: () => void;
    const held = (): Promise<void> => ((checks += 1), new Promise<void>(resolve => (release = resolve)));
    const schedule = new CheckSchedule(held, clock);
    schedule.start();
    await clock.advance(5 * checkEveryMs);
    expect(checks).toBe(1);
    let stopped = false;
    const stop = schedule.stop().then(() => (stopped = true));
    await settled();
    expect(stopped).toBe(false);
    release();
    await stop;
    await clock.advance(5 * checkEveryMs);
    expect({ checks, timers: clock.pending }).toEqual({ checks: 1, timers: 0 });
  });
});
