import { FakeClock } from './fake-clock';

describe('the fake clock', () => {
  test('stands still until it is told to go on', async () => {
    const clock = new FakeClock();
    const startedAtMs = clock.nowMs();
    await clock.advance(250);
    expect([clock.nowMs() - startedAtMs, clock.coarseMs() - startedAtMs]).toEqual([250, 250]);
  });

  test('runs due timers in the order of their times, each at its own time, and no other', async () => {
    const clock = new FakeClock();
    const startedAtMs = clock.nowMs();
    const ran: [string, number][] = [];
    const note = (name: string) => () => void ran.push([name, clock.nowMs() - startedAtMs]);
    clock.schedule(30, note('late'));
    clock.schedule(10, note('early'));
    clock.schedule(20, note('cancelled')).cancel();
    clock.schedule(41, note('not due'));
    await clock.advance(40);
    expect(ran).toEqual([
      ['early', 10],
      ['late', 30],
    ]);
    expect(clock.pending).toBe(1);
  });

  test('runs timers that a promise schedules on the way', async () => {
    const clock = new FakeClock();
    let ticks = 0;
    const tick = async (): Promise<void> => {
      await Promise.resolve();
      ticks += 1;
      clock.schedule(10, () => void tick());
    };
    clock.schedule(10, () => void tick());
    await clock.advance(55);
    expect(ticks).toBe(5);
  });
});
