import fc from 'fast-check';
import { FakeClock } from '../../../test/fakes/fake-clock';
import { ServerClock, timeReplyMs } from './server-clock';

describe('server time', () => {
  test('is told between two bounds, whenever on the way the server looked at its clock', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(500), fc.nat(500), fc.nat(60_000), async (thereMs, backMs, laterMs) => {
        const clock = new FakeClock();
        const serverOffsetMs = 1_700_000_000_000 - clock.nowMs();
        const server = new ServerClock(clock);
        const sentAtMs = clock.nowMs();
        await clock.advance(thereMs);
        const serverMs = clock.nowMs() + serverOffsetMs;
        await clock.advance(backMs);
        server.sample(sentAtMs, clock.nowMs(), serverMs);
        await clock.advance(laterMs);
        const trueMs = clock.nowMs() + serverOffsetMs;
        expect(server.latestMs() - trueMs).toBe(backMs === 0 && thereMs === 0 ? 0 : thereMs);
        expect(trueMs - server.earliestMs()).toBe(backMs);
      }),
      { numRuns: 50 },
    );
  });

  test('the last sample counts', () => {
    const clock = new FakeClock();
    const server = new ServerClock(clock);
    server.sample(clock.nowMs(), clock.nowMs(), 5_000);
    server.sample(clock.nowMs(), clock.nowMs(), 9_000);
    expect([server.latestMs(), server.earliestMs()]).toEqual([9_000, 9_000]);
  });

  test('is not a number before the first sample, so that no age passes for a valid one', () => {
    const server = new ServerClock(new FakeClock());
    expect([server.latestMs(), server.earliestMs()]).toEqual([NaN, NaN]);
  });

  test('the reply of TIME is seconds and microseconds', () => {
    expect(timeReplyMs(['1700000000', '123999'])).toBe(1_700_000_000_123);
    expect(timeReplyMs([1_700_000_000, 5])).toBe(1_700_000_000_000);
  });
});
