import {
  bounded,
  noFailure,
  noInvention,
  noResurrection,
  quiescent,
  sameInstance,
  unconfirmedMade,
} from './checks';
import { judge } from './judge';
import type { CommitRecord, HistoryRecord, InvalidationRecord, LoadRecord, ReadRecord } from './records';
import { versioned } from './keyspace';
import { mostLoadsAtOnce, singleFlight } from './single-flight';
import { nines, stalenessMs } from './staleness';

const read = (inst: string, start: number, version: number, more: Partial<ReadRecord> = {}): ReadRecord => ({
  op: 'read',
  key: 'k',
  inst,
  start,
  turn: start,
  end: start + 1,
  version,
  via: 'L2',
  ...more,
});
const commit = (start: number, version: number, key = 'k'): CommitRecord => ({
  op: 'commit',
  key,
  start,
  version,
});
const inv = (
  inst: string,
  start: number,
  version: number,
  more: Partial<InvalidationRecord> = {},
): InvalidationRecord => ({
  op: 'inv',
  key: 'k',
  how: 'key',
  inst,
  start,
  end: start + 10,
  version,
  acked: true,
  ...more,
});
const load = (inst: string, start: number, end: number, more: Partial<LoadRecord> = {}): LoadRecord => ({
  op: 'load',
  key: 'k',
  inst,
  start,
  end,
  alone: false,
  ...more,
});
const names = (violations: { check: string }[]): string[] => violations.map(({ check }) => check);

describe('C1, read your own invalidation', () => {
  test('an older version after an invalidation confirmed here is caught, by however little', () => {
    expect(names(sameInstance([inv('a', 0, 2), read('a', 10.001, 1)]))).toEqual(['C1']);
  });

  test('the highest of several invalidations counts, whichever was confirmed last', () => {
    const history = [inv('a', 0, 3), inv('a', 20, 2), read('a', 50, 2)];
    expect(names(sameInstance(history))).toEqual(['C1']);
  });

  test.each([
    ['the version itself, or a newer one', [inv('a', 0, 2), read('a', 11, 2), read('a', 11, 3)]],
    ['a read that began before it was confirmed', [inv('a', 0, 2), read('a', 9, 1, { end: 50 })]],
    ['an invalidation that was not confirmed', [inv('a', 0, 2, { acked: false }), read('a', 11, 1)]],
    ['an invalidation of another instance', [inv('b', 0, 2), read('a', 11, 1)]],
    ['an invalidation of another key', [inv('a', 0, 2, { key: 'other' }), read('a', 11, 1)]],
  ])('is content with %s', (_what, history) => {
    expect(sameInstance(history)).toEqual([]);
  });
});

describe('C2, bounded staleness', () => {
  test('an older version on another instance is caught when Δ is over', () => {
    expect(names(bounded([inv('b', 0, 2), read('a', 1_010.1, 1)], 1_000))).toEqual(['C2']);
  });

  test('until then it is not, and the turn of the read counts', () => {
    const history = [inv('b', 0, 2), read('a', 1_010, 1), read('a', 1_500, 1, { turn: 1_000 })];
    expect(bounded(history, 1_000)).toEqual([]);
  });
});

describe('C3, quiescence', () => {
  const source = [commit(0, 1), commit(5, 2)];

  test('an old version at the end is caught', () => {
    const history = [...source, read('a', 99, 1, { final: true }), read('b', 99, 2, { final: true })];
    expect(quiescent(history, ['k'], ['a', 'b'])).toEqual([expect.objectContaining({ check: 'C3' })]);
  });

  test('an instance that has not read is caught, and reads of before do not count', () => {
    const history = [...source, read('a', 99, 2, { final: true }), read('b', 50, 2)];
    expect(quiescent(history, ['k'], ['a', 'b'])[0]?.what).toContain('b has not read k');
  });

  test('the version of the source everywhere is what there must be', () => {
    const history = [...source, read('a', 50, 1), read('a', 99, 2, { final: true })];
    expect(quiescent(history, ['k'], ['a'])).toEqual([]);
  });
});

describe('C4, no resurrection', () => {
  test('an old version after the invalidated one had been replaced is caught, within Δ as well', () => {
    const history = [inv('b', 0, 2), read('a', 20, 2), read('a', 30, 1)];
    expect(names(noResurrection(history))).toEqual(['C4']);
  });

  test.each([
    ['versions that grow', [inv('b', 0, 2), read('a', 20, 1), read('a', 30, 2)]],
    ['two reads at once', [inv('b', 0, 2), read('a', 20, 2, { end: 40 }), read('a', 30, 1)]],
    ['two instances', [inv('b', 0, 2), read('a', 20, 2), read('c', 30, 1)]],
    [
      'a first read from before the invalidation',
      [inv('b', 15, 2), read('a', 20, 2, { end: 28 }), read('a', 30, 1)],
    ],
    ['a version that nobody had invalidated yet', [inv('b', 0, 2), read('a', 20, 3), read('a', 30, 2)]],
  ])('is content with %s', (_what, history) => {
    expect(noResurrection(history)).toEqual([]);
  });
});

describe('C5, no invention', () => {
  test('a version that never was, and one that was not yet, are caught', () => {
    const history = [commit(0, 1), commit(50, 2), read('a', 10, 7), read('a', 10, 2)];
    expect(names(noInvention(history))).toEqual(['C5', 'C5']);
  });

  test('a version that was committed during the read is no invention', () => {
    expect(noInvention([commit(-Infinity, 1), commit(50, 2), read('a', 10, 2, { end: 50 })])).toEqual([]);
  });
});

describe('C6, single flight', () => {
  const fault = (start: number, end: number): HistoryRecord => ({
    op: 'fault',
    kind: 'cut',
    what: 'cut',
    start,
    end,
  });

  const three = { instances: 3 };

  test('two loads of a key at once are caught when nothing is wrong, wherever they run', () => {
    expect(names(singleFlight([load('a', 0, 10), load('b', 5, 15)], three))).toEqual(['C6']);
    expect(names(singleFlight([load('a', 0, 10), load('a', 5, 15)], three))).toEqual(['C6']);
  });

  test('more than two for each instance are caught during a fault as well', () => {
    const loads = [0, 1, 2, 3, 4, 5, 6].map(at => load('abc'[at % 3]!, at, 10, { alone: true }));
    expect(singleFlight([fault(-5, 100), ...loads.slice(1)], three)).toEqual([]);
    expect(names(singleFlight([fault(-5, 100), ...loads], three))).toEqual(['C6']);
  });

  test.each([
    ['one after the other', [load('a', 0, 10), load('b', 10, 15)]],
    ['two keys', [load('a', 0, 10), load('b', 5, 15, { key: 'other' })]],
    [
      'a load that was invalidated before the second one',
      [inv('c', 2, 2), load('a', 0, 30), load('b', 13, 20)],
    ],
    [
      'a load of which something inside was invalidated',
      [inv('c', 2, 2, { key: 'k>inner' }), load('a', 0, 30), load('b', 13, 20)],
    ],
    ['two instances during a fault', [fault(-5, 100), load('a', 0, 10), load('b', 5, 15)]],
    ['two instances right after a fault', [fault(-100, -5), load('a', 0, 10), load('b', 5, 15)]],
    ['a load without Redis', [load('a', 0, 10), load('b', 5, 15, { alone: true })]],
    ['a load that was flushed', [load('a', 0, 10), { op: 'flush', inst: 'a', start: 3 }, load('a', 5, 15)]],
    [
      'a process that stood still',
      [load('a', 0, 10), { op: 'stall', inst: 'a', start: 2, end: 4 }, load('b', 5, 15)],
    ],
  ] as [string, HistoryRecord[]][])('is content with %s', (_what, history) => {
    expect(singleFlight(history, three)).toEqual([]);
  });

  test('a key that each instance loads for itself may be loaded once on each', () => {
    const local = { ...three, perInstance: ['k'] };
    expect(singleFlight([load('a', 0, 10), load('b', 5, 15)], local)).toEqual([]);
    expect(names(singleFlight([load('a', 0, 10), load('a', 5, 15)], local))).toEqual(['C6']);
  });

  test('a load whose tags are known afterwards is overtaken by an invalidation of any tag, and of no other key', () => {
    const dynamic = { ...three, dynamic: ['k'] };
    const loads = [load('a', 0, 30), load('b', 13, 20)];
    expect(singleFlight([inv('c', 2, 2, { key: 'other', how: 'tag' }), ...loads], dynamic)).toEqual([]);
    expect(names(singleFlight([inv('c', 2, 2, { key: 'other', how: 'key' }), ...loads], dynamic))).toEqual([
      'C6',
    ]);
    expect(names(singleFlight([inv('c', 2, 2, { key: 'other', how: 'tag' }), ...loads], three))).toEqual([
      'C6',
    ]);
  });

  test('the most at once are counted', () => {
    expect(mostLoadsAtOnce([load('a', 0, 10), load('b', 5, 15), load('c', 10, 20)])).toBe(2);
  });
});

describe('C7, what was not confirmed is made all the same', () => {
  const unconfirmed = inv('a', 0, 2, { acked: false });

  test('an old version at the end is caught for a key with such an invalidation, and only there', () => {
    const history = [commit(0, 1), commit(0, 2), commit(0, 1, 'other'), commit(0, 2, 'other'), unconfirmed];
    const ends = [read('b', 99, 1, { final: true }), read('b', 99, 1, { final: true, key: 'other' })];
    expect(names(unconfirmedMade([...history, ...ends], ['b']))).toEqual(['C7']);
  });

  test('the version of the source is what there must be', () => {
    const history = [commit(0, 1), commit(0, 2), unconfirmed, read('b', 99, 2, { final: true })];
    expect(unconfirmedMade(history, ['b'])).toEqual([]);
  });
});

describe('C8, how stale reads were', () => {
  test('the time since the first confirmation of something newer, on whichever instance', () => {
    const history = [
      inv('b', 0, 2),
      inv('b', 100, 3),
      read('a', 130, 1),
      read('a', 130, 2),
      read('a', 130, 3),
    ];
    expect(stalenessMs(history)).toEqual([120, 20]);
  });

  test('nines', () => {
    expect([nines(0, 10), nines(1, 1_000)]).toEqual([Infinity, 3]);
  });
});

test('a call that fails is a violation', () => {
  expect(names(noFailure([{ op: 'failure', inst: 'a', start: 0, what: 'TypeError' }]))).toEqual(['errors']);
});

test('a history in which everything is right is judged clean', () => {
  const history = ['a', 'b'].flatMap(inst =>
    versioned.flatMap(key => [
      commit(-Infinity, 1, key),
      commit(5, 2, key),
      inv('a', 10, 2, { key }),
      read(inst, 3, 1, { key }),
      read(inst, 12, 1, { key }),
      read(inst, 30, 2, { key }),
      read(inst, 3_000, 2, { key, final: true }),
      load(inst, 10 + inst.charCodeAt(0), 11 + inst.charCodeAt(0), { key }),
    ]),
  );
  expect(judge(history, ['a', 'b'])).toEqual([]);
});
