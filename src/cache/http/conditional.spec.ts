import { isNotModified, parseHttpDate, type ConditionalHeaders } from './conditional';

const date = 'Sun, 06 Nov 1994 08:49:37 GMT';
const earlier = 'Sun, 06 Nov 1994 08:49:36 GMT';
const validators = { etag: '"abc"', lastModified: date };

describe('a conditional request', () => {
  it.each<[boolean, string, ConditionalHeaders]>([
    [false, 'no condition', {}],
    [true, 'the same tag (RFC 9110 §13.1.2)', { 'if-none-match': '"abc"' }],
    [true, 'weak comparison (§8.8.3.2)', { 'if-none-match': 'W/"abc"' }],
    [true, 'a list', { 'if-none-match': '"x", W/"y", "abc"' }],
    [true, 'a list over several lines', { 'if-none-match': ['"x"', '"abc"'] }],
    [true, 'a tag with a comma beside it', { 'if-none-match': '"a,b","abc"' }],
    [true, 'any representation', { 'if-none-match': ' * ' }],
    [false, 'another tag', { 'if-none-match': '"abcd"' }],
    [false, 'a part of a tag', { 'if-none-match': '"x"abc"' }],
    [false, 'the tag in something that is no list (§13.1.2)', { 'if-none-match': '"abc"x' }],
    [false, 'a bare word', { 'if-none-match': 'abc' }],
    [true, 'not modified since (§13.1.3)', { 'if-modified-since': date }],
    [false, 'modified since', { 'if-modified-since': earlier }],
    [false, 'a date that is none', { 'if-modified-since': 'yesterday' }],
    [
      false,
      'If-Modified-Since beside a tag that differs (§13.2.2)',
      { 'if-none-match': '"x"', 'if-modified-since': date },
    ],
  ])('is answered 304: %s, for %s', (expected, _title, headers) => {
    expect(isNotModified(headers, validators)).toBe(expected);
  });

  it('ignores If-Modified-Since where no modification date is known', () => {
    expect(isNotModified({ 'if-modified-since': date }, { etag: '"abc"', lastModified: undefined })).toBe(
      false,
    );
  });
});

describe('an HTTP date (RFC 9110 §5.6.7)', () => {
  it.each([
    ['Sun, 06 Nov 1994 08:49:37 GMT', 784_111_777_000],
    ['Sunday, 06-Nov-94 08:49:37 GMT', 784_111_777_000],
    ['Sun Nov  6 08:49:37 1994', 784_111_777_000],
    ['1994-11-06T08:49:37Z', undefined],
    ['Sun, 06 Nov 1994 08:49:37 CET', undefined],
    ['Sun, 99 Nov 1994 08:49:37 GMT', undefined],
    ['', undefined],
  ])('%j is %s', (text, expected) => {
    expect(parseHttpDate(text)).toBe(expected);
  });
});
