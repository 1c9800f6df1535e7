import type { Redis } from 'ioredis';
import { EventEmitter } from 'node:events';
import { FakeClock } from '../../../test/fakes/fake-clock';
import { RedisKeys } from './redis-keys';
import { Tracker } from './tracker';

const staleMs = 2_000;

/** A connection that takes everything, and hears what the test says. */
class FakeConnection extends EventEmitter {
  status = 'wait';
  refusal: Error | undefined;
  restarts = 0;
  readonly client = (): Promise<number> => Promise.resolve(7);
  readonly subscribe = (): Promise<number> => Promise.resolve(1);
  readonly call = (): Promise<unknown> =>
    this.refusal ? Promise.reject(this.refusal) : Promise.resolve('OK');

  connect(): Promise<void> {
    this.status = 'ready';
    this.emit('ready');
    return Promise.resolve();
  }

  disconnect(): void {
    this.restarts += 1;
    this.status = 'reconnecting';
    this.emit('close');
  }

  hear(...keys: string[]): void {
    this.emit(
      'messageBuffer',
      Buffer.from('__redis__:invalidate'),
      keys.map(key => Buffer.from(key)),
    );
  }
}

describe('the tracker', () => {
  const clock = new FakeClock();
  let connection: FakeConnection;
  let tracker: Tracker;
  let said: (string | undefined)[];
  let lags: number[];
  const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
  const send = (): string => {
    const canary = tracker.nextCanary(clock.nowMs())!;
    canary.written();
    return canary.key;
  };
  const isOpen = (): boolean => tracker.isOpen(clock.nowMs());

  beforeEach(() => {
    connection = new FakeConnection();
    [said, lags] = [[], []];
    tracker = new Tracker({
      redis: connection as unknown as Redis,
      keys: new RedisKeys('ns'),
      instance: 'me',
      hashTag: () => '',
      clock,
      maxL1StalenessMs: staleMs,
      listener: {
        keyChanged: () => undefined,
        tokenChanged: () => undefined,
        flush: () => undefined,
        canaryHeard: lagMs => lags.push(lagMs),
        trackingFailed: reason => said.push(reason),
      },
    });
  });

  test('a message held up for a whole turn of canaries does not count for a canary sent later', async () => {
    tracker.open();
    await settle();
    const first = send();
    // Eight heartbeats fit into Δ: the next turn begins while the first canary is still on its way.
    for (let beat = 0; beat < 15; beat += 1) {
      await clock.advance(100);
      send();
    }
    await clock.advance(staleMs - 1_499);
    connection.hear(first);
    expect(isOpen()).toBe(false);
    connection.hear(send());
    expect(isOpen()).toBe(true);
  });

  test('each canary that is heard tells how long it took', async () => {
    tracker.open();
    await settle();
    const key = send();
    await clock.advance(3);
    connection.hear(key);
    expect([lags, tracker.status().lagMs, tracker.status().armings]).toEqual([[3], 3, 1]);
  });

  test('when canaries are written and none comes back, it says so once, begins anew, and says when they do', async () => {
    tracker.open();
    await settle();
    for (let beat = 0; beat < 10; beat += 1) {
      send();
      tracker.checkHearing();
      await clock.advance(250);
    }
    tracker.checkHearing();
    expect(said).toEqual([`no canary received within ${staleMs} ms`]);
    expect(tracker.status()).toMatchObject({ open: false, reason: said[0] });
    expect(connection.restarts).toBe(1);
    await connection.connect();
    await settle();
    connection.hear(send());
    expect(said).toEqual([`no canary received within ${staleMs} ms`, undefined]);
    expect(tracker.status().reason).toBeUndefined();
    expect(isOpen()).toBe(true);
  });

  test('tracking that is refused is named', async () => {
    connection.refusal = new Error(
      "NOPERM this user has no permissions to run the 'client|tracking' command",
    );
    tracker.open();
    await settle();
    for (let beat = 0; beat < 10; beat += 1) {
      tracker.checkHearing();
      await clock.advance(250);
    }
    expect(said).toEqual(['tracking refused, so no canary received: NOPERM for client|tracking']);
  });

  test('a server that does not answer is no reason to complain about tracking', async () => {
    tracker.open();
    await settle();
    for (let beat = 0; beat < 30; beat += 1) {
      tracker.checkHearing();
      await clock.advance(250);
      tracker.excuse();
    }
    expect(said).toEqual([]);
  });
});
