import { contentCodings, identityTag, isTextual, negotiatedCoding, tagOfCoding } from './content-coding';

describe('content coding', () => {
  it.each<[string | string[] | undefined, string | undefined]>([
    [undefined, undefined],
    ['', undefined],
    ['gzip', 'gzip'],
    ['x-gzip', 'gzip'],
    ['br', 'br'],
    ['gzip, deflate, br', 'br'],
    ['gzip;q=1.0, br;q=0.9', 'gzip'],
    ['br;q=0, gzip', 'gzip'],
    ['*', 'br'],
    ['*, br;q=0', 'gzip'],
    ['*;q=0', undefined],
    ['identity', undefined],
    ['identity;q=0.5, gzip;q=0.4', undefined],
    ['identity;q=0.5, gzip;q=0.5', 'gzip'],
    ['identity;q=0', undefined],
    ['xyz1, xyz2', undefined],
    ['GZIP', 'gzip'],
    [['deflate', 'gzip'], 'gzip'],
  ])('for Accept-Encoding %j is %s (RFC 9110 §12.5.3)', (accept, expected) => {
    expect(negotiatedCoding(accept)).toBe(expected);
    // What was remembered of it is the same.
    expect(negotiatedCoding(accept)).toBe(expected);
  });

  it('stays right after more different texts than are remembered', () => {
    for (let n = 0; n < 1_000; n += 1) {
      expect(negotiatedCoding(`gzip, x${n}`)).toBe('gzip');
      expect(negotiatedCoding(`x${n}`)).toBe(undefined);
    }
  });

  it.each([
    ['application/json; charset=utf-8', true],
    ['application/problem+json', true],
    ['text/html', true],
    ['image/svg+xml', true],
    ['image/png', false],
    ['application/zip', false],
    ['application/octet-stream', false],
    [undefined, false],
  ])('is worth it for %s: %s', (type, expected) => {
    expect(isTextual(type)).toBe(expected);
  });

  it('gives each representation a strong tag of its own, which leads back to the identity one (§8.8.3.3)', () => {
    const tags = [undefined, ...contentCodings].map(coding => tagOfCoding('"7"', coding));
    expect(tags).toEqual(['"7"', '"7-br"', '"7-gzip"']);
    expect(tags.map(identityTag)).toEqual(['"7"', '"7"', '"7"']);
  });
});
