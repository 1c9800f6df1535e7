import { cacheControl, declaredFreshMs, parseCacheControl } from './cache-control';

describe('Cache-Control', () => {
  it.each([
    [30_000, 30_000, 'public, max-age=30, stale-while-revalidate=30, stale-if-error=30'],
    [1_800_000, 0, 'public, max-age=1800'],
    [1_999, 999, 'public, max-age=1'],
    [500, 0, 'public, max-age=0'],
  ])('of %d ms fresh and %d ms stale is %j (RFC 9111 §5.2.2.1, RFC 5861)', (ttlMs, staleMs, expected) => {
    expect(cacheControl({ ttlMs, staleMs })).toBe(expected);
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
