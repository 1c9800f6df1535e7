import fc from 'fast-check';
import { StoredResponse, storedResponseSerializer } from './stored-response';

const parts = {
  status: 200,
  headers: { 'content-type': 'application/json; charset=utf-8' },
  body: Buffer.from('{"a":1}'),
};

describe('a stored response', () => {
  it('survives its bytes, whatever it holds', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 599 }),
        fc.uint8Array(),
        fc.string(),
        fc.option(fc.nat(), { nil: undefined }),
        (status, body, type, freshMs) => {
          const stored = StoredResponse.of({ status, headers: { 'content-type': type }, body, freshMs });
          const bytes = storedResponseSerializer.encode(stored);
          expect(storedResponseSerializer.decode(bytes)).toEqual(stored);
        },
      ),
    );
  });

  it('keeps headers of the list alone (RFC 9111 §3.1)', () => {
    const headers = {
      'content-type': 'text/plain',
      'x-request-id': '1',
      'set-cookie': ['a=b'],
      connection: 'close',
      link: ['<a>', '<b>'],
      'ratelimit-limit': 5,
    };
    expect(StoredResponse.of({ ...parts, headers }).headers).toEqual([
      ['content-type', 'text/plain'],
      ['link', '<a>, <b>'],
    ]);
  });

  it('has one strong tag for one representation, and another for another (RFC 9110 §8.8.3)', () => {
    const { etag } = StoredResponse.of(parts);
    expect(etag).toMatch(/^"[\w-]{27}"$/);
    expect(StoredResponse.of(parts).etag).toBe(etag);
    expect(StoredResponse.of({ ...parts, body: Buffer.from('{"a":2}') }).etag).not.toBe(etag);
    expect(StoredResponse.of({ ...parts, headers: { 'content-type': 'text/plain' } }).etag).not.toBe(etag);
  });

  it.each([
    ['"v7"', '"v7"'],
    ['W/"v7"', StoredResponse.of(parts).etag],
    ['v7', StoredResponse.of(parts).etag],
  ])('given the tag %s has %s', (etag, expected) => {
    expect(StoredResponse.of({ ...parts, headers: { ...parts.headers, etag } }).etag).toBe(expected);
  });

  it('cannot be changed', () => {
    expect(Object.isFrozen(StoredResponse.of(parts))).toBe(true);
  });

  it('does not hold on to the buffer that it was read from', () => {
    const bytes = storedResponseSerializer.encode(StoredResponse.of(parts));
    const read = storedResponseSerializer.decode(bytes) as StoredResponse;
    bytes.fill(0);
    expect(read.body.toString()).toBe('{"a":1}');
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a length beyond the bytes', Buffer.from([0, 0, 1, 0, 1])],
    ['a head that is no JSON', Buffer.from([0, 0, 0, 1, 0x7b])],
    ['a head of another shape', Buffer.concat([Buffer.from([0, 0, 0, 2]), Buffer.from('{}')])],
  ])('is not made of %s', (_title, bytes) => {
    expect(() => storedResponseSerializer.decode(bytes)).toThrow();
  });

  it('is the only thing that its serialiser takes', () => {
    expect(() => storedResponseSerializer.encode({ status: 200 })).toThrow(TypeError);
  });
});
