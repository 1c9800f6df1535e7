import { KeySample, textHash } from './key-sample';

describe('the hash of a text', () => {
  it('spreads what differs little', () => {
    const halves = Array.from({ length: 10_000 }, (_, at) => textHash(`key:${at}`) < 2 ** 31);
    const low = halves.filter(Boolean).length;
    expect(low).toBeGreaterThan(4_800);
    expect(low).toBeLessThan(5_200);
  });
});

describe('KeySample', () => {
  const fill = (sample: KeySample<string>, from: number, to: number): void => {
    for (let at = from; at < to; at += 1) if (sample.admits(`k${at}`)) sample.add(`k${at}`, `k${at}`);
  };

  it('holds all keys while there is room', () => {
    const sample = new KeySample<string>(100, () => undefined);
    fill(sample, 0, 100);
    expect([sample.size, sample.rate, sample.get('k7'), sample.get('other')]).toEqual([
      100,
      1,
      'k7',
      undefined,
    ]);
  });

  it('holds a known share of more, the same keys whatever their order, and tells of those that leave', () => {
    const left: string[] = [];
    const sample = new KeySample<string>(1_000, item => left.push(item));
    fill(sample, 0, 100_000);
    expect(sample.size).toBeLessThanOrEqual(1_000);
    expect(sample.size / sample.rate / 100_000).toBeGreaterThan(0.9);
    expect(sample.size / sample.rate / 100_000).toBeLessThan(1.1);
    for (const [key] of sample.entries()) expect(sample.admits(key)).toBe(true);
    expect(left.every(item => sample.get(item) === undefined)).toBe(true);
    // What belongs to it once the threshold has fallen belongs to it from the start.
    const again = new KeySample<string>(1_000, () => undefined);
    for (let at = 99_999; at >= 0; at -= 1) if (again.admits(`k${at}`)) again.add(`k${at}`, `k${at}`);
    const least = Math.min(sample.rate, again.rate);
    const within = (each: KeySample<string>): string[] =>
      each
        .entries()
        .map(([key]) => key)
        .filter(key => textHash(key) < least * 2 ** 32)
        .sort();
    expect(within(again)).toEqual(within(sample));
  });

  it('admits more keys again when those it holds are gone', () => {
    const sample = new KeySample<string>(100, () => undefined);
    fill(sample, 0, 10_000);
    const { rate } = sample;
    sample.dropUnless(() => false);
    expect([sample.size, sample.rate]).toEqual([0, 2 * rate]);
    for (let count = 0; count < 40; count += 1) sample.dropUnless(() => false);
    expect(sample.rate).toBe(1);
  });
});
