import { RemoteUnavailableError, type RemoteEntry } from '../core';
import { KeySets } from './key-sets';
import { RedisKeys } from './redis-keys';
import type { Topology } from './topology';

/** The slot of a key is its first digit. */
describe('sets of keys of several slots', () => {
  const keys = new RedisKeys('test');
  const log: string[] = [];
  beforeEach(() => (log.length = 0));

  /** @param replyOf what the script says of a key @param away slots that nobody has */
  const sets = (replyOf: (key: string) => number, away: readonly number[] = []): KeySets => {
    const writes = {
      cacheSetd: (count: number, ...args: unknown[]): Promise<number[]> => {
        const data = args.slice(0, count).filter((_, at) => at % 4 === 0) as string[];
        const names = data.map(name => /\{(.*)\}/.exec(name)![1]!);
        log.push(`sent ${names[0]}–${names.at(-1)}`);
        return Promise.resolve(names.map(replyOf));
      },
    };
    const node = { time: { earliestMs: () => 0 }, call: (_: string, run: () => Promise<unknown>) => run() };
    const topology = {
      writes,
      slotOf: (hashTag: string) => Number(hashTag[0]),
      nodeOf: (slot: number) => {
        if (away.includes(slot)) throw new RemoteUnavailableError('nobody has the slot');
        return node;
      },
    };
    return new KeySets(topology as unknown as Topology, keys, 1_000);
  };
  function* entries(names: readonly string[], bytes = 100): Iterable<RemoteEntry> {
    for (const key of names) {
      log.push(`made ${key}`);
      yield { key: { key, encoded: key, tracked: true }, entry: new Uint8Array(bytes), ttlMs: 1_000 };
    }
  }

  test('tell what became of each in the order in which they were given', async () => {
    const replies: Record<string, number> = { '1a': 1, '2a': -2, '1b': -1, '3a': 1, '2b': 1, '1c': -2 };
    expect(await sets(key => replies[key]!, [3]).make(entries(Object.keys(replies)), 0)).toEqual([
      'stored',
      'older',
      'late',
      'unknown',
      'stored',
      'older',
    ]);
    expect(log.filter(line => line.startsWith('sent'))).toEqual(['sent 1a–1c', 'sent 2a–2b']);
  });

  test('reject where no command could be made', async () => {
    await expect(sets(() => 1, [1, 2]).make(entries(['1a', '2a']), 0)).rejects.toThrow(
      RemoteUnavailableError,
    );
  });

  test('leave as soon as their command is full, while the others are still being made', async () => {
    await sets(() => 1).make(entries(['1a', '2a', '1b', '1c', '2b'], 130_000), 0);
    expect(log).toEqual([
      'made 1a',
      'made 2a',
      'made 1b',
      'made 1c',
      'sent 1a–1b',
      'made 2b',
      'sent 1c–1c',
      'sent 2a–2b',
    ]);
  });
});
