import {
  CacheClosedError,
  CacheDeadlockError,
  type CacheError,
  CacheKeyError,
  CacheOptionsError,
  CachePatternError,
  CacheTagError,
  CacheValueError,
  definePolicy,
  maxTtlMs,
  type ClearProgress,
  type TieredCache,
} from '../../src/cache/core';
import { coherentNode, eventually, held } from './cache-node';
import { patientCommandTimeoutMs, RedisServer } from './redis-server';

type Use = (cache: TieredCache) => unknown;
type Refusal = [
  row: string,
  what: string,
  use: Use,
  error: abstract new (...args: never[]) => Error,
  code: string,
];

const anything = (value: unknown): never => value as never;
const tags = (count: number): string[] => Array.from({ length: count }, (_, n) => `t${n}`);
const keys = (count: number): string[] => Array.from({ length: count }, (_, n) => `k${n}`);

/** Every way in which a key comes in. */
const keyUses: [string, (cache: TieredCache, key: string) => unknown][] = [
  ['getOrSet', (cache, key) => cache.getOrSet(key, () => 1)],
  ['lookup', (cache, key) => cache.lookup(key, () => 1)],
  ['get', (cache, key) => cache.get(key)],
  ['getMany', (cache, key) => cache.getMany(['fine', key])],
  ['set', (cache, key) => cache.set(key, 1)],
  [
    'setMany',
    (cache, key) =>
      cache.setMany([
        ['fine', 1],
        [key, 1],
      ]),
  ],
  ['invalidateKeys', (cache, key) => cache.invalidateKeys(['fine', key])],
  ['explain', (cache, key) => cache.explain(key)],
];
const wrongKeys: [string, string, unknown, string][] = [
  ['B20', 'an empty key', '', 'CACHE_KEY_INVALID'],
  ['B20', 'a key of 513 bytes', 'x'.repeat(513), 'CACHE_KEY_INVALID'],
  ['B20', 'a key of 512 characters of two bytes', 'é'.repeat(512), 'CACHE_KEY_INVALID'],
  ['B20', 'a key with CR and LF', 'a\r\nb', 'CACHE_KEY_INVALID'],
  ['B20', 'a key with NUL', 'a\0b', 'CACHE_KEY_INVALID'],
  ['B20', 'a key with ESC', '\u001b[2J', 'CACHE_KEY_INVALID'],
  ['B20', 'a key with DEL', 'a\u007f', 'CACHE_KEY_INVALID'],
  ['B20', 'a key with a right-to-left override', 'a\u202eb', 'CACHE_KEY_INVALID'],
  ['B20', 'a key with a lone surrogate', '\ud800', 'CACHE_KEY_INVALID'],
  ['B20', 'a key with a leading space', ' a', 'CACHE_KEY_INVALID'],
  ['B20', 'a key with a trailing space', 'a ', 'CACHE_KEY_INVALID'],
  ['A01, B21', 'a number', 7, 'CACHE_KEY_TYPE'],
  ['A01, B21', 'an object', {}, 'CACHE_KEY_TYPE'],
  ['A01, B21', 'an array', ['a', 'b'], 'CACHE_KEY_TYPE'],
  ['A01, B21', 'null', null, 'CACHE_KEY_TYPE'],
  ['A01, B21', 'true', true, 'CACHE_KEY_TYPE'],
  ['A01, B21', 'an object that says that it is a text', { toString: () => 'a', length: 1 }, 'CACHE_KEY_TYPE'],
  ['A01, B21', 'a String object', new String('a'), 'CACHE_KEY_TYPE'],
];
const keyRefusals: Refusal[] = wrongKeys.flatMap(([row, what, key, code]) =>
  keyUses.map(([method, use]): Refusal => [
    row,
    `${what} at ${method}`,
    cache => use(cache, anything(key)),
    CacheKeyError,
    code,
  ]),
);

/** Every way in which tags come in. */
const tagUses: [string, (cache: TieredCache, tag: string) => unknown][] = [
  ['getOrSet', (cache, tag) => cache.getOrSet('k', () => 1, { tags: ['fine', tag] })],
  ['addTags', (cache, tag) => cache.getOrSet('k', load => load.addTags(tag), { dynamicTags: true })],
  ['set', (cache, tag) => cache.set('k', 1, { tags: [tag] })],
  ['invalidateTags', (cache, tag) => cache.invalidateTags(['fine', tag])],
  ['definePolicy', (_cache, tag) => definePolicy('p', { tags: [tag] })],
];
const wrongTags: [string, unknown, string][] = [
  ['an empty tag', '', 'TAG_INVALID'],
  ['a tag of 129 bytes', 'x'.repeat(129), 'TAG_INVALID'],
  ['a tag with a comma', 'a,b', 'TAG_INVALID'],
  ['a tag with a space', 'a b', 'TAG_INVALID'],
  ['a tag with a line break', 'a\nb', 'TAG_INVALID'],
  ['a number for a tag', 7, 'TAG_INVALID'],
  ['an array for a tag', ['a'], 'TAG_INVALID'],
  ['the token of every tag', '!any', 'TAG_RESERVED'],
  ['the token of the namespace', '!ns', 'TAG_RESERVED'],
  ['a reserved beginning', '!x', 'TAG_RESERVED'],
];
const tagRefusals: Refusal[] = wrongTags.flatMap(([what, tag, code]) =>
  tagUses.map(([method, use]): Refusal => [
    'B26',
    `${what} at ${method}`,
    cache => use(cache, anything(tag)),
    CacheTagError,
    code,
  ]),
);

const listRefusals: Refusal[] = [
  ['A01', 'a text for keys at getMany', c => c.getMany(anything('abc')), CacheKeyError, 'CACHE_KEY_TYPE'],
  [
    'A01',
    'a text for keys at invalidateKeys',
    c => c.invalidateKeys(anything('abc')),
    CacheKeyError,
    'CACHE_KEY_TYPE',
  ],
  [
    'A01',
    'an object for keys',
    c => c.invalidate({ keys: anything({ 0: 'a' }) }),
    CacheKeyError,
    'CACHE_KEY_TYPE',
  ],
  [
    'B26',
    'a text for tags at getOrSet',
    c => c.getOrSet('k', () => 1, { tags: anything('abc') }),
    CacheTagError,
    'TAG_INVALID',
  ],
  [
    'B26',
    'a text for tags at set',
    c => c.set('k', 1, { tags: anything('abc') }),
    CacheTagError,
    'TAG_INVALID',
  ],
  [
    'B26',
    'a text for tags at invalidateTags',
    c => c.invalidateTags(anything('abc')),
    CacheTagError,
    'TAG_INVALID',
  ],
  [
    'B26',
    'a text for the tags of a policy',
    () => definePolicy('p', { tags: anything('abc') }),
    CacheTagError,
    'TAG_INVALID',
  ],
  [
    'B26',
    '33 tags at getOrSet',
    c => c.getOrSet('k', () => 1, { tags: tags(33) }),
    CacheTagError,
    'TAGS_TOO_MANY',
  ],
  [
    'B26',
    '33 tags with those of the policy',
    c => c.getOrSet('k', () => 1, { policy: definePolicy('p', { tags: ['own'] }), tags: tags(32) }),
    CacheTagError,
    'TAGS_TOO_MANY',
  ],
  ['B26', '33 tags at set', c => c.set('k', 1, { tags: tags(33) }), CacheTagError, 'TAGS_TOO_MANY'],
  [
    'B26',
    '33 tags by the loader',
    c => c.getOrSet('k', load => load.addTags(...tags(33)), { dynamicTags: true }),
    CacheTagError,
    'TAGS_TOO_MANY',
  ],
  ['A06', '10,001 keys at getMany', c => c.getMany(keys(10_001)), CacheKeyError, 'KEYS_TOO_MANY'],
  [
    'A06',
    '10,001 keys at invalidateKeys',
    c => c.invalidateKeys(keys(10_001)),
    CacheKeyError,
    'KEYS_TOO_MANY',
  ],
  [
    'A06',
    '10,001 entries at setMany',
    c => c.setMany(keys(10_001).map(key => [key, 1] as const)),
    CacheKeyError,
    'KEYS_TOO_MANY',
  ],
];

const wrongPatterns: [string, string, unknown][] = [
  ['B28', 'two stars in a row', '**'],
  ['B28', 'nine stars', 'a*b*c*d*e*f*g*h*i*'],
  ['B28', '257 bytes', 'x'.repeat(257)],
  ['B28', 'a class that does not end', '[a-'],
  ['B28', 'a lone escape', '\\'],
  ['B28', 'the end of a class', ']'],
  ['B28', 'nothing', ''],
  ['B28', 'a number', 7],
  ['B28', 'a list', ['a*']],
  ['B31', 'a million brackets', '['.repeat(1_000_000)],
  ['B31', 'ten thousand stars', '*'.repeat(10_000)],
  ['B31', 'two hundred thousand stars', 'a*'.repeat(200_000)],
];
const patternRefusals: Refusal[] = wrongPatterns.map(([row, what, pattern]): Refusal => [
  row,
  `a pattern of ${what}`,
  cache => cache.clearMatching(anything(pattern)),
  CachePatternError,
  'PATTERN_INVALID',
]);

const wrongTtls: unknown[] = [0, -1, 1.5, '60', 1e21, NaN, 2 ** 53, maxTtlMs + 1, null, Infinity];
const ttlRefusals: Refusal[] = wrongTtls.flatMap((ttlMs): Refusal[] => {
  const named = typeof ttlMs === 'string' ? `"${ttlMs}"` : String(ttlMs);
  const inLoader: Use = cache => cache.getOrSet('k', load => load.setTtlMs(anything(ttlMs)));
  return [
    [
      'B33',
      `ttlMs ${named} at set`,
      c => c.set('k', 1, { ttlMs: anything(ttlMs) }),
      CacheOptionsError,
      'TTL_INVALID',
    ],
    [
      'B33',
      `ttlMs ${named} of a policy`,
      () => definePolicy('p', { ttlMs: anything(ttlMs) }),
      CacheOptionsError,
      'TTL_INVALID',
    ],
    // A loader only shortens: whatever is above its policy's TTL, however far, changes nothing.
    ...(typeof ttlMs === 'number' && ttlMs > maxTtlMs && Number.isInteger(ttlMs)
      ? []
      : [
          [
            'B33',
            `ttlMs ${named} by the loader`,
            inLoader,
            CacheOptionsError,
            'TTL_INVALID',
          ] satisfies Refusal,
        ]),
  ];
});

const optionRefusals: Refusal[] = [
  [
    'A08',
    'a negative life beyond the TTL',
    () => definePolicy('p', { ttlMs: 10, negativeTtlMs: 11 }),
    CacheOptionsError,
    'CACHE_OPTIONS_INVALID',
  ],
  [
    'A08',
    'a jitter over a half',
    () => definePolicy('p', { jitter: 1.01 }),
    CacheOptionsError,
    'CACHE_OPTIONS_INVALID',
  ],
  [
    'A08',
    'a TTL and a stale window over 30 days together',
    () => definePolicy('p', { ttlMs: maxTtlMs, staleMs: 1 }),
    CacheOptionsError,
    'CACHE_OPTIONS_INVALID',
  ],
  [
    'A08',
    'a deadline of nothing',
    c => c.getOrSet('k', () => 1, { deadlineMs: 0 }),
    CacheOptionsError,
    'CACHE_OPTIONS_INVALID',
  ],
  [
    'A08',
    'addTags without dynamicTags',
    c => c.getOrSet('k', load => load.addTags('t')),
    CacheOptionsError,
    'CACHE_OPTIONS_INVALID',
  ],
  [
    'A08',
    'a version that is no number',
    c => c.set('k', 1, { version: anything('2') }),
    CacheOptionsError,
    'CACHE_OPTIONS_INVALID',
  ],
  [
    'A08',
    'a version below one',
    c => c.set('k', 1, { version: -1 }),
    CacheOptionsError,
    'CACHE_OPTIONS_INVALID',
  ],
];

const selfReferring: Record<string, unknown> = {};
selfReferring['self'] = selfReferring;
const wrongValues: [string, unknown, string][] = [
  ['over 1 MiB', 'x'.repeat(1_048_577), 'VALUE_TOO_LARGE'],
  ['a function', () => 1, 'VALUE_NOT_SERIALISABLE'],
  ['a function inside', { a: { run: () => 1 } }, 'VALUE_NOT_SERIALISABLE'],
  ['a symbol', Symbol('s'), 'VALUE_NOT_SERIALISABLE'],
  ['a cycle', selfReferring, 'VALUE_NOT_SERIALISABLE'],
  ['undefined', undefined, 'VALUE_NOT_SERIALISABLE'],
];
const valueRefusals: Refusal[] = wrongValues.map(([what, value, code]): Refusal => [
  'B34',
  `a value that is ${what} at set`,
  cache => cache.set('k', value),
  CacheValueError,
  code,
]);

describe('the library, badly used', () => {
  let redis: RedisServer;
  let cache: TieredCache;

  beforeAll(async () => {
    redis = await RedisServer.start(patientCommandTimeoutMs);
    cache = await coherentNode(redis);
  });
  afterAll(async () => {
    await cache.close();
    await redis.stop();
  });

  test.each([
    ...keyRefusals,
    ...tagRefusals,
    ...listRefusals,
    ...patternRefusals,
    ...ttlRefusals,
    ...optionRefusals,
    ...valueRefusals,
  ])('%s: %s is refused', async (_row, _what, use, kind, code) => {
    const before = cache.stats().totals.gets;
    const error: unknown = await (async () => use(cache))().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(kind);
    expect((error as CacheError).code).toBe(code);
    // Fit for a log: short, and in one line.
    expect((error as CacheError).message.length).toBeLessThan(250);
    expect((error as CacheError).message).not.toMatch(/[\u0000-\u001f\u202e]/);
    // A read that was refused is none, unless it was its loader that was refused.
    expect(cache.stats().totals.gets - before).toBeLessThanOrEqual(1);
    expect(await redis.admin().keys('test:1:[dxl]:*')).toEqual([]);
  });

  describe('and what it makes of what it takes', () => {
    afterEach(async () => {
      await redis.admin().flushall();
      await eventually(() => cache.status().l1Entries === 0);
    });

    test('A02: a loader that is no function is a TypeError at once', () => {
      for (const loader of [undefined, null, 1, 'f', {}, Promise.resolve(1)]) {
        expect(() => cache.getOrSet('k', anything(loader))).toThrow(TypeError);
      }
    });

    test('A03: a loader that returns undefined stores nothing; null, 0, "" and false are values', async () => {
      expect(await cache.lookup('u', () => undefined)).toMatchObject({ value: undefined, stored: false });
      expect(await cache.lookup('u', () => null)).toMatchObject({ value: null, stored: true });
      expect(await cache.get('u')).toBeNull();
    });

    test('A05: a loader that asks for its own key gets an error, on the way through others too', async () => {
      const own = cache.getOrSet('k', () => cache.getOrSet('k', () => 1));
      await expect(own).rejects.toMatchObject({ code: 'CACHE_DEADLOCK' });
      const far = cache.getOrSet('a', () => cache.getOrSet('b', () => cache.get('a')));
      await expect(far).rejects.toBeInstanceOf(CacheDeadlockError);
      expect(await cache.getOrSet('k', () => 2)).toBe(2);
    });

    test('A06: many keys, the same ones, and none', async () => {
      await cache.set('a', 1);
      expect(await cache.getMany(['a', 'a', 'b', 'a'])).toEqual(new Map([['a', 1]]));
      expect(await cache.getMany([])).toEqual(new Map());
      expect(await cache.invalidateKeys([])).toEqual({ applied: true, queued: false });
      expect(await cache.invalidate({})).toEqual({ applied: true, queued: false });
      expect(await cache.invalidateKeys(['a', 'a'])).toEqual({ applied: true, queued: false });
      expect((await cache.getMany(keys(10_000))).size).toBe(0);
    });

    test('A07: a signal before, during and after a load concerns its own caller alone', async () => {
      await expect(
        cache.getOrSet('before', () => 1, { signal: AbortSignal.abort(new Error('left')) }),
      ).rejects.toThrow('left');
      const source = held<string>();
      const abort = new AbortController();
      const leaving = cache.getOrSet('k', () => source.promise, { signal: abort.signal });
      const staying = cache.getOrSet('k', () => 'wrong');
      await eventually(() => cache.status().loadsInFlight === 1);
      abort.abort(new Error('left'));
      await expect(leaving).rejects.toThrow('left');
      source.release('v');
      expect(await staying).toBe('v');
      abort.abort(new Error('again'));
      expect(await cache.get('k')).toBe('v');
    });

    test('A12, A13, B22, B23: a key is what it says, and nothing that means something to Redis or JavaScript', async () => {
      const names = [
        'a',
        'a{b}',
        '}x',
        '{}',
        'a*',
        'a?',
        'a[12]',
        'a1',
        'a2',
        'a\\',
        'a:b',
        'a%3Ab',
        'a~b',
        'é',
        'e\u0301',
        'test:1:d:{a}',
        'test:1:t:{!ns}',
        'ns:d:{x}',
        '__redis__:invalidate',
        '!any',
        '!ns',
        '~',
        '__proto__',
        'constructor',
        'toString',
        'hasOwnProperty',
        `${'h'.repeat(300)}1`,
        `${'h'.repeat(300)}2`,
        'x'.repeat(512),
        'é'.repeat(256),
      ];
      for (const name of names)
        await cache.getOrSet(name, () => `value of ${name}`, { tags: ['constructor'] });
      const there = async (): Promise<string[]> => [...(await cache.getMany(names)).keys()];
      expect(await there()).toEqual(names);
      for (const name of names) expect(await cache.get(name)).toBe(`value of ${name}`);
      // One at a time: exactly that one goes.
      const left = [...names];
      for (const name of [
        'a*',
        'a?',
        'a[12]',
        '{}',
        'test:1:t:{!ns}',
        '__redis__:invalidate',
        '__proto__',
        'e\u0301',
      ]) {
        await cache.invalidateKeys([name]);
        left.splice(left.indexOf(name), 1);
        expect(await there()).toEqual(left);
      }
      await cache.invalidateTags(['constructor']);
      expect(await there()).toEqual([]);
    });

    test('B29: a pattern that makes regular expressions hang is matched at once', async () => {
      await Promise.all(keys(50).map(key => cache.set(`${'a'.repeat(60)}${key}`, 1)));
      const beganMs = performance.now();
      expect(await cache.clearMatching('*a*a*a*a*a*ab')).toMatchObject({ matched: 0, done: true });
      // The usual translation takes minutes for each of them.
      expect(performance.now() - beganMs).toBeLessThan(5_000);
    });

    test('B27, B30: a pattern never leaves the namespace, nor reaches what the cache keeps for itself', async () => {
      const admin = redis.admin();
      await admin.mset('other', '1', 'test:2:d:{a}', '2', 'testing:1:d:{a}', '3');
      await cache.getOrSet('a', () => 1, { tags: ['t'] });
      const tokens = await admin.mget('test:1:t:{!ns}', 'test:1:t:{t}');
      expect(tokens).not.toContain(null);
      for (const pattern of ['test:1:t:*', '../*', '*}*', '{*', 'sutazai:t:*', '?ns']) {
        expect(await cache.clearMatching(pattern)).toMatchObject({ matched: 0, removed: 0, done: true });
      }
      expect(await cache.get('a')).toBe(1);
      expect(await cache.clearMatching('*')).toMatchObject({ matched: 1, removed: 1, done: true });
      expect(await admin.mget('test:1:t:{!ns}', 'test:1:t:{t}')).toEqual(tokens);
      expect(await admin.mget('other', 'test:2:d:{a}', 'testing:1:d:{a}')).toEqual(['1', '2', '3']);
    });

    test('B32: a clear over many keys tells how far it is, lets others through, and can be stopped', async () => {
      const admin = redis.admin();
      const fill = `for i = 1, 20000 do redis.call('SET', 'test:1:d:{bulk:' .. i .. '}', '') end`;
      await admin.eval(fill, 0);
      await cache.set('other', 1);
      const left = async (): Promise<number> => (await admin.keys('test:1:d:{bulk:*')).length;
      const progress: ClearProgress[] = [];
      const stop = new AbortController();
      let others = 0;
      const clearing = cache.clearMatching('bulk:*', {
        signal: stop.signal,
        onProgress: so_far => {
          progress.push(so_far);
          if (so_far.removed > 5_000) stop.abort();
        },
      });
      let going = true;
      const traffic = (async () => {
        while (going) {
          expect(await cache.get('other')).toBe(1);
          others += 1;
          await new Promise(resolve => setImmediate(resolve));
        }
      })();
      expect((await clearing).done).toBe(false);
      going = false;
      await traffic;
      expect(others).toBeGreaterThan(5);
      const removed = progress.map(so_far => so_far.removed);
      expect(removed).toEqual([...removed].sort((a, b) => a - b));
      expect(await left()).toBe(20_000 - removed.at(-1)!);
      expect(await cache.clearMatching('bulk:*', { dryRun: true })).toMatchObject({ removed: 0, done: true });
      expect(await left()).toBe(20_000 - removed.at(-1)!);
      // The same twice at once: both end, and nothing is left.
      const both = await Promise.all([cache.clearMatching('bulk:*'), cache.clearMatching('bulk:*')]);
      expect(both.map(clear => clear.done)).toEqual([true, true]);
      expect(await left()).toBe(0);
      expect(await cache.get('other')).toBe(1);
    });

    test.each(wrongValues)(
      'B34: a loaded value that is %s is answered with, and not stored',
      async (_what, value) => {
        const answer = await cache.lookup<unknown>('k', () => value);
        expect(answer.value).toBe(value);
        expect(answer.stored).toBe(false);
        expect(await cache.get('k')).toBeUndefined();
      },
    );

    test.each([
      ['a BigInt', 2n ** 70n],
      ['a Date', new Date(7)],
      ['a Map', new Map([['a', new Set([1])]])],
      ['NaN', NaN],
      ['undefined inside', { a: undefined, b: [undefined] }],
    ])(
      'A04, B34: %s comes back as it is, from Redis and from L1, whatever readers do to it',
      async (what, value) => {
        // A key of its own: what an earlier test has left in L1 goes when word of it comes.
        const key = `rich ${what}`;
        await cache.getOrSet(key, () => value);
        for (let read = 0; read < 3; read += 1) {
          const got: unknown = await cache.get(key);
          expect(got).toStrictEqual(value);
          if (got instanceof Map) got.clear();
          if (got instanceof Date) got.setTime(0);
        }
      },
    );

    test('A14: many namespaces on one server keep apart, and a name that is none is refused', async () => {
      const names = ['a', 'a.b', 'A', 'a-1', 'a_1', 'a1', 'test1', 'x'.repeat(64)];
      const nodes = await Promise.all(names.map(namespace => coherentNode(redis, { namespace })));
      await Promise.all(nodes.map((node, at) => node.set('k', at)));
      await nodes[0]!.clear();
      await nodes[1]!.clearMatching('*');
      const values = await Promise.all(nodes.map(node => node.get('k')));
      expect(values).toEqual([undefined, undefined, 2, 3, 4, 5, 6, 7]);
      await Promise.all(nodes.map(node => node.close()));
      for (const namespace of ['', 'a:1', 'a b', 'x'.repeat(65), 'a{b}', 'é', 'a*']) {
        await expect(coherentNode(redis, { namespace })).rejects.toBeInstanceOf(CacheOptionsError);
      }
    });

    test('A15: close is one, however often; afterwards everything is refused with a code', async () => {
      const closed = await coherentNode(redis);
      await Promise.all([closed.close(), closed.close()]);
      await closed.close();
      const uses: Use[] = [
        ...keyUses.map(
          ([, use]): Use =>
            c =>
              use(c, 'k'),
        ),
        c => c.invalidateTags(['t']),
        c => c.clear(),
        c => c.clearMatching('a*'),
      ];
      for (const use of uses) {
        const error: unknown = await (async () => use(closed))().catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(CacheClosedError);
        expect(error).toMatchObject({ code: 'CACHE_CLOSED' });
      }
    });

    test('A16: a listener that throws breaks no read, load, invalidation or change of state', async () => {
      const node = await coherentNode(redis);
      const names = ['read', 'load', 'invalidate', 'remote', 'flush', 'rejected', 'corrupt'] as const;
      for (const name of names) {
        node.events.on(name, () => {
          throw new Error('mine');
        });
      }
      await redis.admin().set('test:1:d:{corrupt}', 'garbage');
      expect(await node.getOrSet('corrupt', () => 1)).toBe(1);
      expect(await node.getOrSet('k', () => 1)).toBe(1);
      expect(typeof (await node.getOrSet('fn', () => () => 1))).toBe('function');
      expect(await node.invalidateKeys(['k'])).toEqual({ applied: true, queued: false });
      await redis.admin().flushall();
      await eventually(() => node.events.listenerErrors >= 8);
      expect(await node.getOrSet('k', () => 2)).toBe(2);
      await node.close();
    });
  });
});
