import { ReadSampler } from './read-sampler';

describe('ReadSampler', () => {
  /** A generator of numbers from 0 to 1 with a fixed seed (mulberry32). */
  const seeded = (seed: number) => (): number => {
    let t = (seed += 0x6d2b79f5);
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  /** Events a second, for some seconds: how many were picked in the last second, and what all picks stand for. */
  const run = (perSecond: number, seconds: number): { lastSecond: number; stoodFor: number } => {
    let nowMs = 0;
    const sampler = new ReadSampler(() => nowMs, seeded(1));
    let [lastSecond, stoodFor] = [0, 0];
    for (let second = 0; second < seconds; second += 1) {
      lastSecond = 0;
      for (let n = 0; n < perSecond; n += 1) {
        nowMs += 1_000 / perSecond;
        const weight = sampler.take();
        if (weight > 0) lastSecond += 1;
        stoodFor += weight;
      }
    }
    return { lastSecond, stoodFor };
  };

  it('picks every one of few', () => {
    expect(run(100, 5)).toEqual({ lastSecond: 100, stoodFor: 500 });
  });

  it.each([2_000, 20_000, 200_000])('picks about 500 a second of %i, and they stand for all', perSecond => {
    const { lastSecond, stoodFor } = run(perSecond, 10);
    expect(lastSecond).toBeGreaterThan(100);
    expect(lastSecond).toBeLessThan(1_100);
    expect(stoodFor / (perSecond * 10)).toBeCloseTo(1, 0.5);
    expect(Math.abs(stoodFor / (perSecond * 10) - 1)).toBeLessThan(0.1);
  });

  it('does not fall into step with what it looks at', () => {
    let nowMs = 0;
    const sampler = new ReadSampler(() => nowMs, seeded(2));
    const picked = [0, 0];
    for (let n = 0; n < 400_000; n += 1) {
      nowMs += 0.02;
      if (sampler.take() > 0) picked[n % 2]! += 1;
    }
    expect(picked[0]! / (picked[0]! + picked[1]!)).toBeGreaterThan(0.4);
    expect(picked[0]! / (picked[0]! + picked[1]!)).toBeLessThan(0.6);
  });

  it('picks every one again when there are few again', () => {
    let nowMs = 0;
    const sampler = new ReadSampler(() => nowMs, seeded(3));
    for (let n = 0; n < 100_000; n += 1) {
      nowMs += 0.01;
      sampler.take();
    }
    let last = 0;
    for (let second = 0; second < 60; second += 1) {
      last = 0;
      for (let n = 0; n < 50; n += 1) {
        nowMs += 20;
        if (sampler.take() > 0) last += 1;
      }
    }
    expect(last).toBe(50);
  });
});
