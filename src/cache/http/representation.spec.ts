import { headerFields, representationFor, type RepresentationRequest } from './representation';
import { StoredResponse } from './stored-response';

const long = StoredResponse.of({
  status: 200,
  headers: { 'content-type': 'application/json', 'content-language': 'de', link: '<a>', etag: '"7"' },
  body: Buffer.alloc(2_000, 'a'),
});
const short = StoredResponse.of({ status: 200, headers: { etag: '"7"' }, body: Buffer.from('a') });
const answer = {
  cacheStatus: 'c; hit',
  cacheControl: 'public, max-age=5',
  age: 3,
  vary: ['accept-language'],
};
const of = (stored: StoredResponse, headers: RepresentationRequest['headers']): unknown[] => {
  const { status, coding, etag } = representationFor({ headers }, stored);
  return [status, coding, etag];
};

describe('the representation of a stored response', () => {
  it.each<[string, StoredResponse, RepresentationRequest['headers'], unknown[]]>([
    ['identity', long, {}, [200, undefined, '"7"']],
    ['what the client can read', long, { 'accept-encoding': 'gzip' }, [200, 'gzip', '"7-gzip"']],
    ['identity for a short body', short, { 'accept-encoding': 'gzip' }, [200, undefined, '"7"']],
    ['304 for its tag', long, { 'if-none-match': '"7"' }, [304, undefined, '"7"']],
    [
      '304 for the tag of its coding',
      long,
      { 'accept-encoding': 'br', 'if-none-match': '"7-br"' },
      [304, 'br', '"7-br"'],
    ],
    [
      '200 for the tag of another coding',
      long,
      { 'accept-encoding': 'gzip', 'if-none-match': '"7-br", "7"' },
      [200, 'gzip', '"7-gzip"'],
    ],
  ])('is %s (RFC 9110 §8.8.3.3, §12.5.3, §13.1.2)', (_title, stored, headers, expected) => {
    expect(of(stored, headers)).toEqual(expected);
  });

  it('carries the fields of RFC 9111 and RFC 9211, and Vary with what the key and the coding depend on', () => {
    const representation = representationFor({ headers: { 'accept-encoding': 'br' } }, long);
    expect(headerFields(long, representation, answer, 'Origin', Buffer.alloc(9))).toEqual(
      [
        ['content-type', 'application/json', 'content-language', 'de', 'link', '<a>', 'ETag', '"7-br"'],
        ['Cache-Control', 'public, max-age=5', 'Cache-Status', 'c; hit', 'Age', '3'],
        ['Vary', 'Origin, accept-language, Accept-Encoding', 'Content-Encoding', 'br', 'Content-Length', '9'],
      ].flat(),
    );
  });

  it('leaves out of a 304 what describes the content, and nothing else (RFC 9110 §15.4.5)', () => {
    const representation = representationFor({ headers: { 'if-none-match': '*' } }, long);
    const fields = headerFields(long, representation, { ...answer, age: undefined }, undefined, undefined);
    expect(fields.filter((_field, at) => at % 2 === 0)).toEqual([
      'link',
      'ETag',
      'Cache-Control',
      'Cache-Status',
      'Vary',
    ]);
  });
});
