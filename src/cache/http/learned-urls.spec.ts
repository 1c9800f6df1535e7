import { LearnedUrls, maxUrlLength } from './learned-urls';

describe('learned URLs', () => {
  it('are told apart by their exact text', () => {
    const urls = new LearnedUrls<number>(10);
    urls.learn('/a?b=1', 1);
    expect([urls.get('/a?b=1'), urls.get('/a'), urls.get('/A?b=1'), urls.get('/a?b=1&')]).toEqual([
      1,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('are bounded, and what is asked for stays', () => {
    const urls = new LearnedUrls<number>(10);
    urls.learn('/hot', 1);
    for (let n = 0; n < 1_000; n += 1) {
      urls.learn(`/flood/${n}`, n);
      expect(urls.get('/hot')).toBe(1);
      expect(urls.size).toBeLessThanOrEqual(10);
    }
    expect(urls.get('/flood/0')).toBeUndefined();
  });

  it('are not learned when they are too long to be worth it', () => {
    const urls = new LearnedUrls<number>(10);
    urls.learn(`/${'x'.repeat(maxUrlLength)}`, 1);
    expect(urls.size).toBe(0);
  });
});
