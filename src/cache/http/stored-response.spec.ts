import fc from 'fast-check';
import { replayedDirectives } from './cache-control';
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
        fc.record({
          freshMs: fc.option(fc.nat(), { nil: undefined }),
          staleMs: fc.option(fc.nat(), { nil: undefined }),
          directives: fc.subarray([...replayedDirectives]),
        }),
        (status, body, type, limits) => {
          const stored = StoredResponse.of({ status, headers: { 'content-type': type }, body, limits });
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

  it.each([
    [true, 'long JSON', 200, 'application/json', []],
    [false, 'an image', 200, 'image/png', []],
    [
      false,
      'what must not be transformed (RFC 9111 §5.2.2.6)',
      200,
      'application/json',
      ['no-transform'] as const,
    ],
    [false, 'an answer without content', 204, 'application/json', []],
  ])('may be sent compressed: %s for %s', (expected, _title, status, type, directives) => {
    const headers = { 'content-type': type };
    const long = { status, headers, body: Buffer.alloc(2_000, 'a'), limits: { directives } };
    expect(StoredResponse.of(long).isEncodable).toBe(expected);
    expect(StoredResponse.of({ ...long, body: Buffer.from('short') }).isEncodable).toBe(false);
  });

  it('is read from bytes that were written before there were limits', () => {
    const head = Buffer.from(JSON.stringify([200, [['content-type', 'text/plain']], '"v"', null]));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(head.length);
    const read = StoredResponse.decode(Buffer.concat([length, head, Buffer.from('body')]));
    expect([read.etag, read.body.toString(), read.staleMs, read.directives]).toEqual([
      '"v"',
      'body',
      undefined,
      [],
    ]);
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
