import { SystemClock } from '../core';
import { EntryCodec } from '../core/entry-codec';
import { readEntry, type StoredEntry } from '../core/entry';
import { StoredResponse } from '../http';
import { NodeHash } from '../node/node-hash';
import { codecOptions } from './create-cache';

/**
 * Entries as earlier versions have written them. What is added here stays: a deployment meets what the one before it has stored,
 * and during a change of versions the other way round.
 */
const agents = (count: number): object[] =>
  Array.from({ length: count }, (_, id) => ({ id, name: `Agent ${id}`, status: 'idle' }));

const rich = {
  date: new Date(1_760_000_000_000),
  map: new Map([['a', 1]]),
  set: new Set([1, 2]),
  big: 12_345_678_901_234_567_890n,
  bytes: Buffer.from('abc'),
  nothing: null,
  list: [
    { id: 1, name: 'x' },
    { id: 2, name: 'y' },
  ],
};

const written: readonly (readonly [kind: string, base64: string, value: unknown])[] = [
  [
    'msgpack',
    'U0MBAAECAAxBQUFBQUFBQUFBQUFBQUFBQnmcgswHsABACAAAAAAAAAAA6mAAAHUwAAAAW+QuMr9hZ2VudHM6b25lfDcAAyFuc0JC' +
      'QkJCQkJCQkJCQkJCQkIABmFnZW50c0NDQ0NDQ0NDQ0NDQ0NDQ0PUckCXpGRhdGWjbWFwo3NldKNiaWelYnl0ZXOnbm90aGluZ6Rs' +
      'aXN01v9o53gAgaFhAdRzAJIBAs+rVKmM6x8K0sQDYWJjwJLUckGSomlkpG5hbWUBoXhBAqF5',
    rich,
  ],
  [
    'JSON',
    'U0MBAAICAAxBQUFBQUFBQUFBQUFBQUFBQnmcgswHsABACAAAAAAAAAAA6mAAAHUwAAAAVXZDle5hZ2VudHM6b25lfDcAAyFuc0JC' +
      'QkJCQkJCQkJCQkJCQkIABmFnZW50c0NDQ0NDQ0NDQ0NDQ0NDQ0NbeyJpZCI6MCwibmFtZSI6IkFnZW50IDAiLCJzdGF0dXMiOiJp' +
      'ZGxlIn0seyJpZCI6MSwibmFtZSI6IkFnZW50IDEiLCJzdGF0dXMiOiJpZGxlIn1d',
    agents(2),
  ],
  [
    'JSON, brotli',
    'U0MBEAICAAxBQUFBQUFBQUFBQUFBQUFBQnmcgswHsABACAAAAAAAAAAA6mAAAHUwAAAG2LxU+zFhZ2VudHM6b25lfDcAAyFuc0JC' +
      'QkJCQkJCQkJCQkJCQkIABmFnZW50c0NDQ0NDQ0NDQ0NDQ0NDQ0OLawMAgKqqqur/dHWQsx6MiW3Vm1/ODn5QAFNwMAB3u6j6ycDo' +
      '/+OeNbG9O8dh8SM3AUAY08Eo4dr21xXlU8/eIr+uOPbIQ4qz/GrkeB5fvz2GSNF66f8WOY79W+NO329ySYELhV1WjK5RMbkmxeya' +
      'FYtrUayuVbG5NoVCDSrVPqf6shXFGlQrUa5BvRIFG1QsUbJBzRJFG1QtUbZB3RKFG1QuUbpB7RIMSDAgwYAEAxIMSDAgwYAEAxIM' +
      'SDAgscESGyyxwRIbLLHBEhssscESGyyxwRIbbD/vew==',
    { agents: agents(40) },
  ],
  [
    'JSON, deflate',
    'U0MBIAICAAxBQUFBQUFBQUFBQUFBQUFBQnmcgswHsABACAAAAAAAAAAA6mAAAHUwAAAG2OFwoi9hZ2VudHM6b25lfDcAAyFuc0JC' +
      'QkJCQkJCQkJCQkJCQkIABmFnZW50c0NDQ0NDQ0NDQ0NDQ0NDQ0N90T1OwwAUBOGroFe7yNvNrzvOgVJYioUiQRqbKsrdEaIbstQz' +
      '3Xev6X2+rUuNb/e6XmrcDHWbPuca6/UnvGxqqGWd1q+lxrpePuZ6DL9n4+x4CqfiaZyO5xbnNp47nLt47nHu43nAeYjnEecxniec' +
      'p3g2kfofpT9M2akJ1VmqSdXZqonVWavJ1dmrCdZZrEnW2ayJ1lmtydbZTXRTdhPdlN1EN2U30U3ZTXRTdhPdlN1EN2U30U3ZTXRT' +
      'dhPdlN1MN2c3083ZzXRzdjPdnN1MN2c3083ZzXRzdjPdnN1MN2c3081P3M6Pbw==',
    { agents: agents(40) },
  ],
  [
    'msgpack with its layouts in front',
    'U0MBAAQCAAxBQUFBQUFBQUFBQUFBQUFBQnmcgswHsABACAAAAAAAAAAA6mAAAHUwAAAAW3lQDqNhZ2VudHM6b25lfDcAAyFuc0JCQkJC' +
      'QkJCQkJCQkJCQkIABmFnZW50c0NDQ0NDQ0NDQ0NDQ0NDQ0MAAC+Sl6RkYXRlo21hcKNzZXSjYmlnpWJ5dGVzp25vdGhpbmekbGlzdJKi' +
      'aWSkbmFtZUDW/2jneACBoWEB1HMAkgECz6tUqYzrHwrSxANhYmPAkkEBoXhBAqF5',
    rich,
  ],
  [
    'msgpack with its layouts in front, plain data',
    'U0MBAAQCAAxBQUFBQUFBQUFBQUFBQUFBQnmcgswHsABACAAAAAAAAAAA6mAAAHUwAAAAS5IrG3RhZ2VudHM6b25lfDcAAyFuc0JCQkJC' +
      'QkJCQkJCQkJCQkIABmFnZW50c0NDQ0NDQ0NDQ0NDQ0NDQ0MBABmSkaZhZ2VudHOTomlkpG5hbWWmc3RhdHVzQJNBAKdBZ2VudCAwpGlk' +
      'bGVBAadBZ2VudCAxpGlkbGVBAqdBZ2VudCAypGlkbGU=',
    { agents: agents(3) },
  ],
];
const response =
  'U0MBAAMCAAxBQUFBQUFBQUFBQUFBQUFBQnmcgswHsABACAAAAAAAAAAA6mAAAHUwAAAAZVKaKSphZ2VudHM6b25lfDcAAyFuc0JC' +
  'QkJCQkJCQkJCQkJCQkIABmFnZW50c0NDQ0NDQ0NDQ0NDQ0NDQ0MAAABaWzIwMCxbWyJjb250ZW50LXR5cGUiLCJhcHBsaWNhdGlv' +
  'bi9qc29uIl1dLCJcIllZOGpYT2N2N0pocXZKbjZqb1BKMXJMdlJ4elwiIixudWxsLG51bGwsW11deyJhIjoxfQ==';

const hash = new NodeHash();

const entryOf = (base64: string): StoredEntry => {
  const entry = readEntry(Buffer.from(base64, 'base64'), 'agents:one|7', hash);
  if (typeof entry === 'string') throw new Error(entry);
  return entry;
};

describe('entries of format 1', () => {
  const codec = new EntryCodec(codecOptions(), new SystemClock());

  test.each(written)('%s: the head is read', (_kind, base64) => {
    expect(entryOf(base64)).toMatchObject({
      key: 'agents:one|7',
      fillId: 'AAAAAAAAAAAAAAAA',
      birthMs: 1_760_000_000_123,
      version: 3,
      hardTtlMs: 60_000,
      softTtlMs: 30_000,
      negative: false,
      tokens: [
        ['!ns', 'BBBBBBBBBBBBBBBB'],
        ['agents', 'CCCCCCCCCCCCCCCC'],
      ],
    });
  });

  test.each(written)('%s: the value is read', async (_kind, base64, value) => {
    expect((await codec.decode(entryOf(base64))).read()).toEqual(value);
  });

  test('a stored response is read', async () => {
    const read = (await codec.decode(entryOf(response))).read();
    expect(read).toBeInstanceOf(StoredResponse);
    const { status, headers, body } = read as StoredResponse;
    expect([status, headers, body.toString()]).toEqual([
      200,
      [['content-type', 'application/json']],
      '{"a":1}',
    ]);
  });
});
