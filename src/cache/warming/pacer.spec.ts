import { Pacer } from './pacer';

describe('Pacer', () => {
  const never = new AbortController().signal;

  it('lets a load begin at once, and the next one when its time has come', async () => {
    let nowMs = 1_000;
    const pacer = new Pacer(50, () => nowMs);
    await pacer.turn(never);
    pacer.loaded();
    let begun = false;
    const next = pacer.turn(never).then(() => (begun = true));
    await new Promise(resolve => setImmediate(resolve));
    expect(begun).toBe(false);
    nowMs += 20;
    await next;
    // Time that was not used is not saved up.
    nowMs += 10_000;
    pacer.loaded();
    pacer.loaded();
    nowMs += 39;
    begun = false;
    const third = pacer.turn(never).then(() => (begun = true));
    await new Promise(resolve => setImmediate(resolve));
    expect(begun).toBe(false);
    nowMs += 1;
    await third;
  });

  it('waits for nothing while nothing is loaded, or without a limit', async () => {
    const stopped = (): number => 5;
    let turns = 0;
    const idle = new Pacer(1, stopped);
    for (; turns < 100; turns += 1) await idle.turn(never);
    const unlimited = new Pacer(0, stopped);
    for (; turns < 200; turns += 1) {
      unlimited.loaded();
      await unlimited.turn(never);
    }
    expect(turns).toBe(200);
  });

  it('waits no longer when it is given up', async () => {
    const pacer = new Pacer(1, () => 0);
    pacer.loaded();
    const stop = new AbortController();
    const turn = pacer.turn(stop.signal);
    stop.abort();
    await expect(turn).resolves.toBeUndefined();
  });
});
