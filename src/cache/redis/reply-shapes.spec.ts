import type { Redis } from 'ioredis';
import { refuseForeignReplies } from './reply-shapes';

const token = 'aaaaaaaaaaaaaaaa';
const entry = Buffer.from('entry');

/** A client that answers everything with one reply. */
function answering(reply: unknown): { client: Redis; disconnect: jest.Mock } {
  const disconnect = jest.fn();
  const names = [
    'mgetBuffer',
    'time',
    'unlink',
    'scan',
    'cacheTok',
    'cacheGetlBuffer',
    'cacheFill',
    'cacheInv',
    'cacheSetd',
  ];
  const commands = Object.fromEntries(names.map(name => [name, () => Promise.resolve(reply)]));
  const client = { ...commands, disconnect } as unknown as Redis;
  refuseForeignReplies(client);
  return { client, disconnect };
}

describe('replies', () => {
  const possible: [string, unknown[], unknown][] = [
    ['mgetBuffer', ['a', 'b'], [entry, null]],
    ['time', [], ['1700000000', '123456']],
    ['unlink', ['a'], 0],
    ['scan', ['0'], ['17', ['sutazai:1:d:{a}']]],
    ['cacheTok', [2, 'a', 'b', 1_000, token, token], [token, token]],
    ['cacheGetlBuffer', [], [1, entry]],
    ['cacheGetlBuffer', [], [2]],
    ['cacheGetlBuffer', [], [3, -1]],
    ['cacheFill', [], 0],
    ['cacheInv', [], 1],
    ['cacheSetd', [8, 'd', 'x', 'l', 'k', 'd', 'x', 'l', 'k'], [1, -2]],
  ];
  test.each(possible)('%s(%j) may be answered with %j', async (name, args, reply) => {
    const { client, disconnect } = answering(reply);
    const run = (client as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>)[name]!;
    expect(await run(...args)).toBe(reply);
    expect(disconnect).not.toHaveBeenCalled();
  });

  const foreign: [string, unknown[], unknown][] = [
    ['mgetBuffer', ['a', 'b'], [entry]],
    ['mgetBuffer', ['a'], 1],
    ['mgetBuffer', ['a'], [1]],
    ['time', [], 1],
    ['time', [], [token, token]],
    ['unlink', ['a'], [token]],
    ['scan', ['0'], ['17', ['a\u0000b']]],
    ['scan', ['0'], [entry, 1]],
    ['cacheTok', [1, 'a', 1_000, token], 1],
    ['cacheTok', [2, 'a', 'b', 1_000, token, token], [token]],
    ['cacheTok', [1, 'a', 1_000, token], [2]],
    ['cacheGetlBuffer', [], [Buffer.from(token)]],
    ['cacheGetlBuffer', [], [3]],
    ['cacheGetlBuffer', [], 1],
    ['cacheFill', [], [2]],
    ['cacheFill', [], 2],
    ['cacheInv', [], 0],
    ['cacheSetd', [4, 'd', 'x', 'l', 'k'], null],
    ['cacheSetd', [4, 'd', 'x', 'l', 'k'], [1, 1]],
    ['cacheSetd', [4, 'd', 'x', 'l', 'k'], [0]],
  ];
  test.each(foreign)(
    '%s(%j) answered with %j is the answer of another command: the connection is replaced',
    async (name, args, reply) => {
      const { client, disconnect } = answering(reply);
      const run = (client as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>)[name]!;
      await expect(run(...args)).rejects.toThrow(/^PROTOCOL/);
      expect(disconnect).toHaveBeenCalledWith(true);
    },
  );
});
