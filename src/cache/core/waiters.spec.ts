import { FakeClock, settled } from '../../../test/fakes/fake-clock';
import { Waiters } from './waiters';

const waitersOnClock = (): {
  clock: FakeClock;
  waiters: Waiters;
  woken: string[];
  wait(name: string, ms: number): void;
} => {
  const clock = new FakeClock();
  const waiters = new Waiters(clock);
  const woken: string[] = [];
  return {
    clock,
    waiters,
    woken,
    wait: (name, ms) => void waiters.wait(name, ms).then(() => woken.push(name)),
  };
};

describe('those who wait for word about a key', () => {
  test('are woken by it, all of them, and nobody else is', async () => {
    const { clock, waiters, woken, wait } = waitersOnClock();
    for (const name of ['a', 'a', 'b']) wait(name, 500);
    waiters.wake('a');
    await settled();
    expect(woken).toEqual(['a', 'a']);
    expect([waiters.size, clock.pending]).toEqual([1, 1]);
    waiters.wakeAll();
    await settled();
    expect([woken, waiters.size, clock.pending]).toEqual([['a', 'a', 'b'], 0, 0]);
  });

  test('wake by themselves when no word comes', async () => {
    const { clock, waiters, woken, wait } = waitersOnClock();
    wait('a', 50);
    wait('a', 100);
    await clock.advance(49);
    expect(woken).toEqual([]);
    await clock.advance(1);
    expect([woken, waiters.size]).toEqual([['a'], 1]);
    await clock.advance(50);
    expect([woken, waiters.size, clock.pending]).toEqual([['a', 'a'], 0, 0]);
  });

  test('who waits again after a word waits for the next one', async () => {
    const { waiters, woken, wait } = waitersOnClock();
    wait('a', 500);
    waiters.wake('a');
    wait('a', 500);
    await settled();
    expect([woken, waiters.size]).toEqual([['a'], 1]);
    waiters.wakeAll();
  });

  test('a word that nobody waits for is nothing', () => {
    const { waiters } = waitersOnClock();
    waiters.wake('a');
    waiters.wakeAll();
    expect(waiters.size).toBe(0);
  });
});
