import { cacheControl, declaredFreshMs, declaredStaleMs, parseCacheControl } from './cache-control';

describe('Cache-Control', () => {
  it.each([
    [30_000, 30_000, 'public, max-age=30, stale-while-revalidate=30, stale-if-error=30'],
    [1_800_000, 0, 'public, max-age=1800'],
    [1_999, 999, 'public, max-age=1'],
    [500, 0, 'public, max-age=0'],
  ])('of %d ms fresh and %d ms stale is %j (RFC 9111 §5.2.2.1, RFC 5861)', (ttlMs, staleMs, expected) => {
    expect(cacheControl({ ttlMs, staleMs, isPrivate: false, directives: [] })).toBe(expected);
  });

  it('of an answer for one principal is private (§5.2.2.7)', () => {
    expect(cacheControl({ ttlMs: 5_000, staleMs: 0, isPrivate: true, directives: [] })).toBe(
      'private, max-age=5',
    );
  });

  it('passes on what a handler asks of every cache (§5.2.2.2, §5.2.2.6)', () => {
    const directives = ['must-revalidate', 'no-transform'] as const;
    expect(cacheControl({ ttlMs: 5_000, staleMs: 0, isPrivate: false, directives })).toBe(
      'public, max-age=5, must-revalidate, no-transform',
    );
  });

  it.each([
    ['max-age=5', undefined],
    ['must-revalidate', 0],
    ['max-age=5, proxy-revalidate', 0],
    ['s-maxage=5, stale-while-revalidate=9', 0],
    ['stale-while-revalidate=9', 9_000],
    ['stale-if-error=8, stale-while-revalidate=9', 8_000],
    ['stale-while-revalidate=x', undefined],
  ])('%j allows %s ms past its fresh life (RFC 9111 §4.2.4, RFC 5861)', (header, expected) => {
    expect(declaredStaleMs(parseCacheControl(header))).toBe(expected);
  });

  it.each<[string | string[] | undefined, [string, string | undefined][]]>([
    [undefined, []],
    ['', []],
    ['No-Store', [['no-store', undefined]]],
    [
      'max-age=5 , private="a, b\\"", x',
      [
        ['max-age', '5'],
        ['private', 'a, b\\"'],
        ['x', undefined],
      ],
    ],
    [
      ['public', 'max-age="7"'],
      [
        ['public', undefined],
        ['max-age', '7'],
      ],
    ],
    ['max-age=1, max-age=2', [['max-age', '1']]],
  ])('%j is read by the grammar of RFC 9111 §5.2', (header, expected) => {
    expect([...parseCacheControl(header)]).toEqual(expected);
  });

  it.each([
    ['max-age=5', 5_000],
    ['max-age=5, s-maxage=9', 9_000],
    ['public', undefined],
    ['max-age=x', undefined],
    ['max-age=-1', undefined],
  ])('%j claims a fresh life of %s ms (RFC 9111 §4.2.1)', (header, expected) => {
    expect(declaredFreshMs(parseCacheControl(header))).toBe(expected);
  });
});
