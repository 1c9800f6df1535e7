import { NodeHash } from '../node/node-hash';
import type { Gate } from './ports';
import { keyOfToken, keyToken, tagToken, TokenTable } from './tokens';

class HandGate implements Gate {
  open = true;
  isOpen(): boolean {
    return this.open;
  }
}

describe('the table of tokens', () => {
  test('learns a token that did not change while it was read', () => {
    const table = new TokenTable(undefined);
    const record = table.record('t');
    table.learn(record, 'one', record.changes, 0);
    expect([record.token, table.record('t')]).toEqual(['one', record]);
  });

  test('does not learn what was read before a change that has been heard', () => {
    const table = new TokenTable(undefined);
    const record = table.record('t');
    const before = record.changes;
    table.forget('t');
    table.learn(record, 'old', before, 0);
    expect(record.token).toBeUndefined();
    table.learn(record, 'new', record.changes, 0);
    expect(record.token).toBe('new');
  });

  test('does not learn while the gate is shut: the word that would take it back might not come', () => {
    const gate = new HandGate();
    const table = new TokenTable(() => gate);
    const record = table.record('t');
    gate.open = false;
    table.learn(record, 'one', record.changes, 0);
    expect(record.token).toBeUndefined();
    gate.open = true;
    table.learn(record, 'one', record.changes, 0);
    expect(record.token).toBe('one');
  });

  test('does not learn that a token is missing, and keeps what it knew', () => {
    const table = new TokenTable(undefined);
    const record = table.record('t');
    table.learn(record, 'one', record.changes, 0);
    table.learn(record, undefined, record.changes, 0);
    expect(record.token).toBe('one');
  });

  test('forgets a token for everybody who points to it', () => {
    const table = new TokenTable(undefined);
    const record = table.record('t');
    table.learn(record, 'one', record.changes, 0);
    table.forget('t');
    expect(record.token).toBeUndefined();
  });

  test('forgetting what was never known is nothing', () => {
    const table = new TokenTable(undefined);
    table.forget('t');
    expect(table.size).toBe(0);
  });

  test('cleared, it equals nothing any more, and a read that began before is not learned', () => {
    const table = new TokenTable(undefined);
    const record = table.record('t');
    table.learn(record, 'one', record.changes, 0);
    const before = record.changes;
    table.clear();
    table.learn(record, 'one', before, 0);
    expect([record.token, table.size]).toEqual([undefined, 0]);
    expect(table.record('t')).not.toBe(record);
  });

  test('is bounded: the oldest are forgotten, and what points to them is valid no longer', () => {
    const table = new TokenTable(undefined, 10);
    const records = Array.from({ length: 10 }, (_, index) => table.record(`t${index}`));
    for (const record of records) table.learn(record, 'x', record.changes, 0);
    table.record('one more');
    expect(table.size).toBe(10);
    expect(records.map(record => record.token)).toEqual([undefined, ...Array<string>(9).fill('x')]);
    const before = records[0]!.changes;
    table.learn(records[0]!, 'late', before - 1, 0);
    expect(records[0]!.token).toBeUndefined();
    for (let index = 0; index < 1_000; index += 1) table.record(`many${index}`);
    expect(table.size).toBeLessThanOrEqual(10);
  });
});

describe('names of tokens', () => {
  test('of keys lead back to the key, those of tags lead to none', () => {
    const sha256 = (text: string): string => new NodeHash().sha256(text);
    expect(keyOfToken(keyToken('a%20b'))).toBe('a%20b');
    expect(keyOfToken(tagToken('agents', sha256))).toBeUndefined();
    // A tag cannot begin with "!", and is encoded besides.
    expect(keyOfToken(tagToken('!key:a', sha256))).toBeUndefined();
  });
});

describe('a list of tokens', () => {
  const names = ['a', 'b'];
  const learn = (table: TokenTable, name: string, token: string): void => {
    const record = table.record(name);
    table.learn(record, token, record.changes, 0);
  };

  test('is known when all of them are, and is the same list as long as nothing changes', () => {
    const table = new TokenTable(undefined);
    const list = table.listOf(names);
    expect(table.listOf(names)).toBe(list);
    learn(table, 'a', 'one');
    expect(list.known(0)).toBeUndefined();
    learn(table, 'b', 'two');
    const known = list.known(0);
    expect(known).toEqual([
      ['a', 'one'],
      ['b', 'two'],
    ]);
    expect(list.known(0)).toBe(known);
  });

  test('is not known after one was forgotten, and is another one after it was read again', () => {
    const table = new TokenTable(undefined);
    for (const name of names) learn(table, name, 'one');
    const list = table.listOf(names);
    expect(list.known(0)).toHaveLength(2);
    table.forget('b');
    expect(list.known(0)).toBeUndefined();
    learn(table, 'b', 'two');
    expect(list.known(0)?.[1]).toEqual(['b', 'two']);
  });

  test('is not known while the gate of one is shut', () => {
    const gates = new Map(names.map(name => [name, new HandGate()]));
    const table = new TokenTable(name => gates.get(name)!);
    for (const name of names) learn(table, name, 'one');
    const list = table.listOf(names);
    gates.get('b')!.open = false;
    expect(list.known(0)).toBeUndefined();
    gates.get('b')!.open = true;
    expect(list.known(0)).toHaveLength(2);
  });

  test('need not be one that is kept: names of one call are looked up, and a kept list is what is known', () => {
    const gates = new Map(names.map(name => [name, new HandGate()]));
    const table = new TokenTable(name => gates.get(name)!);
    learn(table, 'a', 'one');
    expect(table.knownOf([...names], 0)).toBeUndefined();
    learn(table, 'b', 'two');
    const known = table.knownOf([...names], 0);
    expect(known).toEqual([
      ['a', 'one'],
      ['b', 'two'],
    ]);
    expect(table.listOf(names).known(0)).toEqual(known);
    expect(table.knownOf(names, 0)).toBe(table.listOf(names).known(0));
    gates.get('a')!.open = false;
    expect([table.knownOf([...names], 0), table.knownOf(names, 0)]).toEqual([undefined, undefined]);
    gates.get('a')!.open = true;
    table.forget('b');
    expect(table.knownOf([...names], 0)).toBeUndefined();
  });

  test('holds as long as each is what it was, and is heard of', () => {
    const gates = new Map(names.map(name => [name, new HandGate()]));
    const table = new TokenTable(name => gates.get(name)!);
    for (const name of names) learn(table, name, 'one');
    const known = table.knownOf(names, 0)!;
    expect([table.hold(known, 0), table.hold([], 0), table.hold([['c', 'one']], 0)]).toEqual([
      true,
      true,
      false,
    ]);
    gates.get('b')!.open = false;
    expect(table.hold(known, 0)).toBe(false);
    gates.get('b')!.open = true;
    table.forget('a');
    expect(table.hold(known, 0)).toBe(false);
    learn(table, 'a', 'two');
    expect(table.hold(known, 0)).toBe(false);
  });

  test('learns again after its records were dropped, all of them or the oldest', () => {
    const table = new TokenTable(undefined, 10);
    const list = table.listOf(names);
    for (const drop of [() => table.clear(), () => addMore(table)]) {
      for (const name of names) learn(table, name, 'one');
      expect(list.known(0)).toHaveLength(2);
      drop();
      expect(list.known(0)).toBeUndefined();
    }
    for (const name of names) learn(table, name, 'two');
    expect(list.known(0)?.[0]).toEqual(['a', 'two']);
  });

  const addMore = (table: TokenTable): void => {
    for (let at = 0; at < 20; at += 1) table.record(`other ${at}`);
  };
});
