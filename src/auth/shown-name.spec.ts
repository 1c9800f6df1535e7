import { shownName } from './shown-name';

describe('a name in a record', () => {
  it.each([
    ['agents:list|limit=1:5', 'agents:list|limit=1:5'],
    ['a\nlevel=error', 'a\\u{a}level=error'],
    ['\u001b[31m', '\\u{1b}[31m'],
    ['\u202e', '\\u{202e}'],
    ['é😀', '\\u{e9}\\u{1f600}'],
    ['\ud800', '\\u{d800}'],
    ['a\\u{a}', 'a\\\\u{a}'],
  ])('of %j is %s', (name, shown) => {
    expect(shownName(name)).toBe(shown);
  });

  it('has at most 64 characters, however it is escaped', () => {
    for (const name of ['x'.repeat(64), 'x'.repeat(65), '\n'.repeat(40), 'é'.repeat(100_000)])
      expect(shownName(name).length).toBeLessThanOrEqual(64);
    expect(shownName('x'.repeat(64))).toBe('x'.repeat(64));
    expect(shownName('x'.repeat(65))).toMatch(/^x{61}\.{3}$/);
  });
});
