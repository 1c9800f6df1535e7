import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { EncodedBodies, type Payload } from './encoded-bodies';
import { StoredResponse } from './stored-response';

const response = (text: string): StoredResponse =>
  StoredResponse.of({
    status: 200,
    headers: { 'content-type': 'text/plain' },
    body: Buffer.from(text.repeat(2_000)),
  });

const bytesOf = (body: Payload): Buffer => (typeof body === 'string' ? Buffer.from(body, 'latin1') : body);

describe('encoded bodies', () => {
  it('say in each coding what the stored one says', async () => {
    const bodies = new EncodedBodies(1_000_000);
    const stored = response('abc');
    expect(brotliDecompressSync(bytesOf(await bodies.encode(stored, 'br')))).toEqual(stored.body);
    expect(gunzipSync(bytesOf(await bodies.encode(stored, 'gzip')))).toEqual(stored.body);
  });

  it('are kept from the second time on, so that what is asked for once takes no room', async () => {
    const bodies = new EncodedBodies(1_000_000);
    const stored = response('abc');
    await bodies.encode(stored, 'br');
    expect([bodies.ready(stored, 'br'), bodies.bytes]).toEqual([undefined, 0]);
    const kept = await bodies.encode(stored, 'br');
    expect(bodies.ready(stored, 'br')).toBe(kept);
    expect(await bodies.encode(stored, 'br')).toBe(kept);
    expect(bodies.ready(stored, 'gzip')).toBeUndefined();
    expect(bodies.bytes).toBe(kept.length + stored.body.length);
  });

  it('are made once for those who ask at one time', async () => {
    const bodies = new EncodedBodies(1_000_000);
    const stored = response('abc');
    const [one, other] = await Promise.all([bodies.encode(stored, 'br'), bodies.encode(stored, 'br')]);
    expect(other).toBe(one);
  });

  it('are bounded in bytes, and what is used stays longer', async () => {
    const size = response('0').body.length + 100;
    const bodies = new EncodedBodies(4 * size);
    const hot = response('h');
    for (const stored of [hot, ...'123456789'.split('').map(response)]) {
      await bodies.encode(stored, 'gzip');
      await bodies.encode(stored, 'gzip');
      expect(bodies.ready(hot, 'gzip')).toBeDefined();
      expect(bodies.bytes).toBeLessThanOrEqual(4 * size);
    }
  });

  it('are not kept where there is no room for them', async () => {
    const bodies = new EncodedBodies(0);
    const stored = response('abc');
    await bodies.encode(stored, 'br');
    await bodies.encode(stored, 'br');
    expect([bodies.ready(stored, 'br'), bodies.bytes]).toEqual([undefined, 0]);
  });

  it('are strings from the second time on where they are short, byte for byte', () => {
    const bodies = new EncodedBodies(100_000);
    const stored = StoredResponse.of({
      status: 200,
      headers: {},
      body: Buffer.from(Array.from({ length: 512 }, (_, at) => at % 256)),
    });
    expect(bodies.identity(stored)).toBe(stored.body);
    const text = bodies.identity(stored);
    expect([typeof text, text.length]).toEqual(['string', 512]);
    expect(bytesOf(text)).toEqual(stored.body);
    expect(bodies.identity(stored)).toBe(text);
    expect(bodies.bytes).toBe(1_024);
  });

  it('stay as they are stored where they are long, or where there is no room', () => {
    const long = StoredResponse.of({ status: 200, headers: {}, body: Buffer.alloc(12_289) });
    const short = StoredResponse.of({ status: 200, headers: {}, body: Buffer.alloc(100) });
    const [bodies, none] = [new EncodedBodies(100_000), new EncodedBodies(199)];
    for (let count = 0; count < 3; count += 1) {
      expect(bodies.identity(long)).toBe(long.body);
      expect(none.identity(short)).toBe(short.body);
    }
    expect([bodies.bytes, none.bytes]).toEqual([0, 0]);
  });
});
