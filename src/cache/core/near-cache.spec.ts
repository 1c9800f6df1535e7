import { FakeClock } from '../../../test/fakes/fake-clock';
import { MemoryStore } from '../memory/memory-store';
import { HeldValue } from './entry-codec';
import { NearCache, type NearEntry } from './near-cache';
import { definePolicy } from './policy';
import { TokenTable } from './tokens';

const far = 1_000_000;
const policy = definePolicy('near');

/** One entry under one token, which the table knows. */
function entryUnder(maxTokens?: number): { table: TokenTable; served: () => boolean } {
  const table = new TokenTable(undefined, maxTokens);
  const record = table.record('t');
  table.learn(record, 'one', record.changes, 0);
  const near = new NearCache(new MemoryStore<NearEntry>(new FakeClock()), () => undefined);
  near.keep('a', {
    held: HeldValue.bare('v'),
    negative: false,
    tier: 'shared',
    fillId: '',
    bornAtMs: 0,
    refreshAtMs: far,
    staleAtMs: far,
    expiresAtMs: far,
    keptUntilMs: far,
    records: [record],
    tokens: ['one'],
    table,
    equalAtChange: -1,
    gates: [],
    epoch: near.epoch,
    probe: undefined,
    plainHits: 0,
    countedFor: undefined,
    plainUntilMs: 0,
  });
  return { table, served: () => near.read('a', 'shared', 0, policy) !== undefined };
}

describe('an entry of L1, once found to be valid', () => {
  test.each<[string, (table: TokenTable) => void]>([
    ['is forgotten', table => table.forget('t')],
    [
      'is read again and is another',
      table => table.learn(table.record('t'), 'two', table.record('t').changes, 0),
    ],
    ['goes with its part', table => table.forgetPart(name => name === 't')],
    ['goes with all', table => table.clear()],
    [
      'is pushed out of the table',
      table => ['x', 'y', 'z'].forEach(name => table.learn(table.record(name), 'n', 0, 0)),
    ],
  ])('is not served when its token %s', (_how, change) => {
    const { table, served } = entryUnder(3);
    expect([served(), served()]).toEqual([true, true]);
    change(table);
    expect(served()).toBe(false);
  });

  test('is served on when another token changes, and when its own is read again and is the same', () => {
    const { table, served } = entryUnder();
    expect(served()).toBe(true);
    const other = table.record('u');
    table.learn(other, 'one', other.changes, 0);
    table.forget('u');
    expect(served()).toBe(true);
    table.forget('t');
    expect(served()).toBe(false);
    table.learn(table.record('t'), 'one', table.record('t').changes, 0);
    expect(served()).toBe(true);
  });
});
