import { InvalidationLog } from './invalidation-log';
import { keyToken, namespaceToken } from './tokens';

describe('pending invalidations', () => {
  test('concern their keys, the tokens of their keys, and their tokens', () => {
    const log = new InvalidationLog(keyToken);
    log.addPending(['a'], ['t']);
    expect([log.concernsKey('a'), log.concernsKey('b')]).toEqual([true, false]);
    expect(['t', 'u', keyToken('a'), keyToken('b')].map(token => log.concernsToken(token))).toEqual([
      true,
      false,
      true,
      false,
    ]);
    log.confirm(log.pendingNow());
    expect([log.concernsKey('a'), log.concernsToken('t'), log.concernsToken(keyToken('a'))]).toEqual([
      false,
      false,
      false,
    ]);
  });

  test('a clear of the namespace concerns every key', () => {
    const log = new InvalidationLog(keyToken);
    log.addPending([], [namespaceToken]);
    expect([log.concernsKey('any'), log.concernsToken(namespaceToken)]).toEqual([true, true]);
  });

  test('are kept once each until they are confirmed', () => {
    const log = new InvalidationLog(keyToken);
    log.addPending(['a', 'b'], ['t']);
    log.addPending(['a'], ['t', 'u']);
    expect(log.pending).toBe(4);
    expect(log.pendingNow()).toMatchObject({ keys: ['a', 'b'], tokens: ['t', 'u'] });
    expect(log.pending).toBe(4);
    log.confirm(log.pendingNow());
    expect([log.pending, log.pendingNow().keys, log.pendingNow().tokens]).toEqual([0, [], []]);
  });

  test('keep the order in which they came, so that the guard of dynamic tags goes first', () => {
    const log = new InvalidationLog(keyToken);
    log.addPending([], ['!any', 't', 'u']);
    expect(log.pendingNow().tokens).toEqual(['!any', 't', 'u']);
  });

  test('that were added again after the command went out stay pending', () => {
    const log = new InvalidationLog(keyToken);
    log.addPending(['a', 'b'], ['t']);
    const sent = log.pendingNow();
    log.addPending(['a'], ['t']);
    log.confirm(sent);
    expect(log.pendingNow()).toMatchObject({ keys: ['a'], tokens: ['t'] });
  });

  test('that do not fit become a clear of the namespace, which invalidates more, not less', () => {
    const log = new InvalidationLog(keyToken, 3);
    log.addPending(['a', 'b'], ['t']);
    expect(log.overflows).toBe(0);
    log.addPending(['c'], []);
    expect(log.pendingNow()).toMatchObject({ keys: [], tokens: [namespaceToken] });
    expect(log.overflows).toBe(1);
  });

  test('that overflow after the command went out survive its confirmation', () => {
    const log = new InvalidationLog(keyToken, 2);
    log.addPending(['a'], [namespaceToken]);
    const sent = log.pendingNow();
    log.addPending(['b', 'c', 'd'], []);
    log.confirm(sent);
    expect(log.pendingNow().tokens).toEqual([namespaceToken]);
  });

  test('a clear of the namespace makes the others unnecessary', () => {
    const log = new InvalidationLog(keyToken);
    log.addPending(['a'], ['t']);
    log.addPending([], [namespaceToken]);
    log.addPending(['b'], ['u']);
    expect(log.pendingNow()).toMatchObject({ keys: [], tokens: [namespaceToken] });
    expect(log.overflows).toBe(0);
  });

  test('confirming what is not pending changes nothing', () => {
    const log = new InvalidationLog(keyToken);
    log.addPending(['a'], []);
    log.confirm({ keys: ['x'], tokens: ['y'], addedUntil: Infinity });
    expect(log.pending).toBe(1);
  });
});

describe('recent invalidations', () => {
  test('are remembered for a minute', () => {
    const log = new InvalidationLog(keyToken);
    log.addRecent(['a'], ['t'], 1_000);
    log.addRecent(['b'], ['u'], 31_000);
    expect(log.recent(61_000)).toEqual({ keys: ['a', 'b'], tokens: ['t', 'u'] });
    expect(log.recent(61_001)).toEqual({ keys: ['b'], tokens: ['u'] });
    expect(log.recent(91_001)).toEqual({ keys: [], tokens: [] });
  });

  test('made again are young again', () => {
    const log = new InvalidationLog(keyToken);
    log.addRecent(['a'], [], 0);
    log.addRecent(['b'], [], 20_000);
    log.addRecent(['a'], [], 50_000);
    log.addRecent(['c'], [], 100_000);
    expect(log.recent(100_000).keys).toEqual(['a', 'c']);
  });

  test('that do not fit become a clear of the namespace', () => {
    const log = new InvalidationLog(keyToken, 3);
    log.addRecent(['a', 'b'], ['t'], 0);
    expect(log.recent(0).keys).toEqual(['a', 'b']);
    log.addRecent(['c'], [], 10);
    expect(log.recent(10)).toEqual({ keys: [], tokens: [namespaceToken] });
  });

  test('make room by themselves as they age', () => {
    const log = new InvalidationLog(keyToken, 2);
    for (let index = 0; index < 10; index += 1) {
      const nowMs = index * 60_001;
      log.addRecent([`k${index}`], [`t${index}`], nowMs);
      expect(log.recent(nowMs)).toEqual({ keys: [`k${index}`], tokens: [`t${index}`] });
    }
  });

  test('made again do not keep older ones from making room', () => {
    const log = new InvalidationLog(keyToken, 2);
    log.addRecent(['a'], [], 0);
    log.addRecent(['b'], [], 1);
    log.addRecent(['a'], [], 50_000);
    log.addRecent(['c'], [], 60_002);
    expect(log.recent(60_002)).toEqual({ keys: ['a', 'c'], tokens: [] });
  });

  test('are not pending, and the pending ones are not recent', () => {
    const log = new InvalidationLog(keyToken);
    log.addRecent(['a'], [], 0);
    expect(log.pending).toBe(0);
    log.addPending(['b'], []);
    expect(log.recent(0).keys).toEqual(['a']);
  });
});
