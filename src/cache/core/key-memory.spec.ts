import { KeyMemory } from './key-memory';

describe('why a key is missing', () => {
  test('nobody knows about a key never seen: cold', () => {
    expect(new KeyMemory().causeOf('k', 0, false)).toBe('cold');
  });

  test('its life was over, from that very moment on', () => {
    const memory = new KeyMemory();
    memory.stored('k', 100);
    expect(memory.causeOf('k', 100, true)).toBe('expired');
    expect(memory.causeOf('k', 99, true)).toBe('evicted_l2');
  });

  test('it was invalidated while it lived', () => {
    const memory = new KeyMemory();
    memory.stored('k', 100);
    memory.changed('k', 'invalidated');
    expect(memory.causeOf('k', 50, true)).toBe('invalidated');
    expect(memory.causeOf('k', 150, true)).toBe('expired');
    memory.stored('k', 300);
    expect(memory.causeOf('k', 200, true)).toBe('evicted_l2');
  });

  test('it was dropped for room, here or there', () => {
    const memory = new KeyMemory();
    memory.stored('k', 100);
    memory.changed('k', 'evicted_l1');
    expect(memory.causeOf('k', 50, false)).toBe('evicted_l1');
    expect(memory.causeOf('k', 50, true)).toBe('evicted_l2');
  });

  test('it was announced as gone: dropped for room if the server did so at that time, otherwise invalidated', () => {
    const memory = new KeyMemory();
    memory.serverHasEvicted(7, 0);
    const causeAt = (ms: number): string => {
      memory.stored('k', 10_000);
      memory.announced('k', ms);
      return memory.causeOf('k', 5_000, true);
    };
    expect(causeAt(5)).toBe('invalidated');
    memory.serverHasEvicted(7, 10);
    memory.serverHasEvicted(9, 20);
    memory.serverHasEvicted(10, 30);
    expect([5, 15, 25, 35].map(causeAt)).toEqual(['invalidated', 'evicted_l2', 'evicted_l2', 'evicted_l2']);
    memory.serverHasEvicted(10, 40);
    expect([15, 25, 35].map(causeAt)).toEqual(['evicted_l2', 'evicted_l2', 'invalidated']);
    memory.serverHasEvicted(0, 50);
    expect(causeAt(45)).toBe('invalidated');
  });

  test('what this instance has invalidated itself stays so, whatever is announced then', () => {
    const memory = new KeyMemory();
    memory.serverHasEvicted(0, 0);
    memory.serverHasEvicted(1, 10);
    memory.stored('k', 100);
    memory.changed('k', 'invalidated');
    memory.announced('k', 5);
    expect(memory.causeOf('k', 50, true)).toBe('invalidated');
  });

  test('here alone, one that was neither dropped nor outlived lost a token: invalidated', () => {
    const memory = new KeyMemory();
    memory.stored('k', 100);
    expect(memory.causeOf('k', 50, false)).toBe('invalidated');
  });

  test('it could not be stored', () => {
    const memory = new KeyMemory();
    memory.rejected('k');
    expect(memory.causeOf('k', 1e9, true)).toBe('rejected');
  });

  test('word of a key never seen is not remembered', () => {
    const memory = new KeyMemory();
    memory.changed('k', 'invalidated');
    expect(memory.causeOf('k', 0, false)).toBe('cold');
  });

  test('is forgotten for the keys seen longest ago, so that the memory is bounded', () => {
    const memory = new KeyMemory(2);
    memory.stored('a', 100);
    memory.stored('b', 100);
    memory.stored('a', 100);
    memory.stored('c', 100);
    expect(['a', 'b', 'c'].map(name => memory.causeOf(name, 200, false))).toEqual([
      'expired',
      'cold',
      'expired',
    ]);
  });

  test('goes on forgetting the one put in longest ago, in whatever order keys come again', () => {
    const memory = new KeyMemory(3);
    const known = (): string[] => [...'abcdefg'].filter(name => memory.causeOf(name, 0, true) !== 'cold');
    const after = (names: string): string => {
      for (const name of names) memory.stored(name, 100);
      return known().join('');
    };
    // At the head, in the middle, at the end, again and again.
    expect([after('abc'), after('ad'), after('ae'), after('ef'), after('f'), after('ga')]).toEqual([
      'abc',
      'acd',
      'ade',
      'aef',
      'aef',
      'afg',
    ]);
  });
});
