import { keyToken } from '../core';
import { hashTagIn, hashTagOf, RedisKeys } from './redis-keys';

const keys = new RedisKeys('ns');

describe('the keys of a namespace in Redis', () => {
  test('carry the namespace and the version of the format', () => {
    expect(keys.ofKey('a')).toEqual(['ns:1:d:{a}', 'ns:1:x:{a}', 'ns:1:l:{a}', 'ns:1:k:{a}']);
    expect([keys.data('a', true), keys.data('a', false), keys.lease('a')]).toEqual([
      'ns:1:d:{a}',
      'ns:1:x:{a}',
      'ns:1:l:{a}',
    ]);
    expect([keys.token('agents'), keys.token(keyToken('a'))]).toEqual(['ns:1:t:{agents}', 'ns:1:k:{a}']);
    expect(keys.serverIdentity()).toBe('ns:1:r');
    expect(keys.lead('warm-up a')).toEqual([
      'ns:1:w:{warm-up%20a}',
      'ns:1:w:{warm-up%20a}:e',
      'ns:1:w:{warm-up%20a}:c',
      'ns:1:w:{warm-up%20a}:r',
    ]);
    expect(keys.ranking('a}b')).toEqual(['ns:1:h:{a%7Db}', 'ns:1:hh:{a%7Db}']);
  });

  test('what a script touches together stands in one slot', () => {
    const slotTags = keys.ofKey('x%7By').map(key => /\{(.*?)\}/.exec(key)?.[1]);
    expect(new Set(slotTags)).toEqual(new Set(['x%7By']));
  });

  test('a changed key means what it was made from', () => {
    expect(keys.meaningOf(keys.data('a%20b', true))).toEqual({ kind: 'key', encoded: 'a%20b' });
    expect(keys.meaningOf(keys.token('agents'))).toEqual({ kind: 'token', token: 'agents' });
    expect(keys.meaningOf(keys.token('!ns'))).toEqual({ kind: 'token', token: '!ns' });
    expect(keys.meaningOf(keys.token(keyToken('a')))).toEqual({ kind: 'token', token: keyToken('a') });
  });

  test.each([
    ['untracked data', keys.data('a', false)],
    ['a lease', keys.lease('a')],
    ['a canary', keys.canary('i1', '1.0', 'tag')],
    ['the lead in a job', keys.lead('w}')[0]],
    ['a ranking', keys.ranking('w')[0]],
    ['the identity of the server', keys.serverIdentity()],
    ['another namespace', new RedisKeys('ns2').data('a', true)],
    ['a namespace that ours begins with', new RedisKeys('n').data('a', true)],
    ['another version', 'ns:2:d:{a}'],
    ['a foreign key', 'session:1'],
    ['one without braces', 'ns:1:d:a'],
    ['one without an end', 'ns:1:d:{a'],
    ['one with another separator', 'ns:1:d;{a}'],
    ['nothing', ''],
  ])('%s means nothing to L1', (_what, key) => {
    expect(keys.meaningOf(key)).toBeUndefined();
  });

  test('an instance hears its own canaries and not those of one whose name begins alike', () => {
    const heardBy = (instance: string, key: string): boolean =>
      keys.trackedPrefixes(instance).some(prefix => key.startsWith(prefix));
    expect(heardBy('i1', keys.canary('i1', '1.7'))).toBe(true);
    expect(heardBy('i1', keys.canary('i10', '1.7'))).toBe(false);
    expect(heardBy('i10', keys.canary('i1', '1.7'))).toBe(false);
  });

  test('everything that L1 depends on is tracked, and nothing else', () => {
    const tracked = (key: string): boolean =>
      keys.trackedPrefixes('i1').some(prefix => key.startsWith(prefix));
    const [data, untracked, lease, token] = keys.ofKey('a');
    expect([data, token, keys.token('agents')].map(tracked)).toEqual([true, true, true]);
    expect([untracked, lease, keys.lead('w')[0], keys.serverIdentity()].map(tracked)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  test('the slot of a name is the slot of its keys', () => {
    for (const name of ['a%20b', keyToken('a%20b')]) expect(hashTagOf(name)).toBe('a%20b');
    expect(keys.ofKey('a').map(hashTagIn)).toEqual(['a', 'a', 'a', 'a']);
    expect(
      [keys.token('!any'), keys.lead('w')[1], 'ns:{}x', keys.canary('i', '1.0', 't')].map(hashTagIn),
    ).toEqual(['!any', 'w', 'ns:{}x', 't']);
  });
});
