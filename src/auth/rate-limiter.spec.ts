import { RateLimiter } from './rate-limiter';

describe('the rate limiter', () => {
  let now = 0;
  const limiter = (maxTracked?: number): RateLimiter => new RateLimiter(() => now, maxTracked);

  it('lets a name through up to its limit, then says how long it has to wait', () => {
    const limits = limiter();
    now = 0;
    expect([limits.take('a', 2), limits.take('a', 2)]).toEqual([0, 0]);
    now = 20_500;
    expect(limits.take('a', 2)).toBe(40);
    expect(limits.take('b', 2)).toBe(0);
  });

  it('counts anew after a minute', () => {
    const limits = limiter();
    now = 0;
    limits.take('a', 1);
    expect(limits.take('a', 1)).toBe(60);
    now = 60_000;
    expect(limits.take('a', 1)).toBe(0);
  });

  it('holds a bounded number of names, drops ended windows before live ones, and counts the live ones it dropped', () => {
    const limits = limiter(3);
    now = 0;
    limits.take('ended', 1);
    now = 59_000;
    for (const name of ['a', 'b']) limits.take(name, 1);
    now = 60_000;
    limits.take('c', 1);
    expect([limits.tracked, limits.dropped]).toEqual([3, 0]);
    for (let n = 0; n < 100; n += 1) limits.take(`flood ${n}`, 1);
    expect([limits.tracked, limits.dropped]).toEqual([3, 100]);
  });
});
