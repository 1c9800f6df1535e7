import { FlightTable } from './single-flight';

const numbers = (flights: readonly { number: number }[]): number[] => flights.map(flight => flight.number);

describe('the table of flights', () => {
  test('shows the flight of a key to new callers until it ends', () => {
    const table = new FlightTable();
    const flight = table.begin('a', 5);
    expect([table.current('a'), table.current('b'), table.size]).toEqual([flight, undefined, 1]);
    expect([flight.startedAtMs, flight.vouchedAtMs]).toEqual([5, 5]);
    table.end(flight);
    expect([table.current('a'), table.size, table.all()]).toEqual([undefined, 0, []]);
  });

  test('numbers flights in the order in which they began', () => {
    const table = new FlightTable();
    expect(table.lastNumber).toBe(0);
    const all = [table.begin('a', 0), table.begin('b', 0), table.beginAlone('c', 0)];
    expect(numbers(all)).toEqual([1, 2, 3]);
    expect(table.lastNumber).toBe(3);
  });

  test('a flight that replaces another detaches it, because words about the key reach one only', () => {
    const table = new FlightTable();
    const first = table.begin('a', 0);
    const second = table.begin('a', 0);
    expect([first.detached, first.tainted, second.detached]).toEqual([true, true, false]);
    // The end of the first is not the end of the second.
    table.end(first);
    expect(table.current('a')).toBe(second);
  });

  test('nobody can join a flight of one caller alone, but it is known and hears of its tokens', () => {
    const table = new FlightTable();
    const flight = table.beginAlone('a', 0);
    table.watch(flight, 't');
    expect([table.current('a'), flight.detached, table.size]).toEqual([undefined, true, 1]);
    expect(numbers(table.watching('t'))).toEqual([flight.number]);
    table.end(flight);
    expect(table.size).toBe(0);
  });

  test('finds flights by the tokens that they watch, each once', () => {
    const table = new FlightTable();
    const a = table.begin('a', 0);
    const b = table.begin('b', 0);
    table.watch(a, 't');
    table.watch(a, 't');
    table.watch(b, 't');
    table.watch(b, 'u');
    expect([numbers(table.watching('t')), numbers(table.watching('u')), table.watching('v')]).toEqual([
      [1, 2],
      [2],
      [],
    ]);
    table.end(b);
    expect([numbers(table.watching('t')), table.watching('u')]).toEqual([[1], []]);
    table.end(a);
    expect(table.watching('t')).toEqual([]);
  });

  test('a flight that has ended watches nothing any more', () => {
    const table = new FlightTable();
    const flight = table.begin('a', 0);
    table.end(flight);
    table.watch(flight, 't');
    expect(table.watching('t')).toEqual([]);
  });

  test('what a flight brings reaches everybody who waits, and so does its failure', async () => {
    const table = new FlightTable();
    const good = table.begin('a', 0);
    const bad = table.begin('b', 0);
    good.settle({ kind: 'absent', cause: 'cold' });
    bad.fail(new Error('no'));
    await expect(Promise.all([good.result, good.result])).resolves.toHaveLength(2);
    await expect(bad.result).rejects.toThrow('no');
  });
});
