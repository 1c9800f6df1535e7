import {
  definePolicy,
  SystemClock,
  type Clock,
  type ManyAnswers,
  type TieredCache,
} from '../../src/cache/core';
import { redisTierDefaults } from '../../src/cache/redis';
import { CommandRecorder } from './command-recorder';
import { coherentNode, eventually, held, type CacheNodeOptions } from './cache-node';
import { patientCommandTimeoutMs, RedisServer } from './redis-server';

const tags = ['t1', 't2', 't3'];
const tagged = definePolicy('tagged', { ttlMs: 60_000, jitter: 0, tags });
const local = definePolicy('host', { tier: 'local', jitter: 0 });
const brief = definePolicy('brief', { tier: 'local', jitter: 0, ttlMs: 100 });
const untracked = definePolicy('large', { tier: 'redis', jitter: 0 });
const ahead = definePolicy('ahead', { ttlMs: 2_000, staleMs: 60_000, jitter: 0, refreshAheadFraction: 0.1 });
const policy = tagged;
const wrong = (): never => {
  throw new Error('must not be loaded');
};
const names = (count: number): string[] => Array.from({ length: count }, (_, n) => `k${n}`);
const times = async (count: number, run: () => Promise<unknown>): Promise<void> => {
  for (let n = 0; n < count; n += 1) await run();
};

/** Two instances: what `a` is asked for is counted; `b` is the rest of the cluster. */
interface Cluster {
  a: TieredCache;
  b: TieredCache;
}

interface Row {
  operation: string;
  /** Runs before anything is counted; what it returns goes to `act`. */
  arrange?(cluster: Cluster): Promise<unknown>;
  act(cluster: Cluster): Promise<unknown>;
  commands: string[];
  trips: number;
}

const load = ['mget', 'getl', 'tok', 'fill'];
/** Both instances have heard of everything that was written before. */
const heardAll = async (caches: readonly TieredCache[]): Promise<void> => {
  const sinceMs = performance.now();
  await eventually(() =>
    caches.every(cache => (cache.status().gate.ageMs ?? Infinity) < performance.now() - sinceMs),
  );
};
/** In L1 of `a`, tags included. */
const near = async ({ a }: Cluster, key = 'k', with_ = policy): Promise<void> => {
  await a.getOrSet(key, () => 'v', { policy: with_ });
  await eventually(async () => (await a.lookup(key, wrong, { policy: with_ })).source === 'l1');
};
/** In Redis, put there by `b`. */
const far = async ({ b }: Cluster, key = 'k', with_ = policy): Promise<void> => {
  await b.getOrSet(key, () => 'v', { policy: with_ });
};
/** `a` knows the tokens of the namespace and of the tags. */
const knowsTokens = (cluster: Cluster): Promise<void> => near(cluster, 'other');

const reads: Row[] = [
  {
    operation: 'an L1 hit',
    arrange: near,
    act: ({ a }) => a.getOrSet('k', wrong, { policy }),
    commands: [],
    trips: 0,
  },
  {
    operation: '100 L1 hits of an entry with tags',
    arrange: near,
    act: ({ a }) => times(100, () => a.getOrSet('k', wrong, { policy })),
    commands: [],
    trips: 0,
  },
  {
    operation: 'an L2 hit',
    arrange: async cluster => (await knowsTokens(cluster), await far(cluster)),
    act: ({ a }) => a.getOrSet('k', wrong, { policy }),
    commands: ['get'],
    trips: 1,
  },
  {
    operation: 'an L2 hit whose tags the caller names and this instance does not know yet',
    arrange: far,
    act: ({ a }) => a.getOrSet('k', wrong, { policy }),
    commands: ['mget'],
    trips: 1,
  },
  {
    operation: 'an L2 hit whose tags nobody here knows',
    arrange: far,
    act: ({ a }) => a.getOrSet('k', wrong),
    commands: ['mget', 'mget'],
    trips: 2,
  },
  {
    operation: 'a hit of the redis tier',
    arrange: async cluster => far(cluster, 'k', untracked),
    act: ({ a }) => a.getOrSet('k', wrong, { policy: untracked }),
    commands: ['mget'],
    trips: 1,
  },
  {
    operation: '50 L2 hits in one turn of the event loop',
    arrange: async cluster => Promise.all(names(50).map(key => far(cluster, key))),
    act: ({ a }) => Promise.all(names(50).map(key => a.getOrSet(key, wrong, { policy }))),
    commands: ['mget'],
    trips: 1,
  },
  {
    operation: 'getMany of 100 keys that Redis has',
    arrange: async cluster => Promise.all(names(100).map(key => far(cluster, key))),
    act: ({ a }) => a.getMany(names(100), { policy }),
    commands: ['mget'],
    trips: 1,
  },
  {
    operation: 'a plain get of nothing',
    act: ({ a }) => a.get('k', { policy }),
    commands: ['mget'],
    trips: 1,
  },
];

const choosing = (cache: TieredCache, key: string): Promise<string> =>
  cache.getOrSet(key, control => (control.addTags('chosen'), 'v'), { policy, dynamicTags: true });

const loads: Row[] = [
  {
    operation: 'a miss that is loaded here: two trips before the loader, one after it',
    act: ({ a }) => a.getOrSet('k', () => 'v', { policy }),
    commands: load,
    trips: 3,
  },
  {
    operation: '100 callers of a key that is missing',
    act: ({ a }) => Promise.all(names(100).map(() => a.getOrSet('k', () => 'v', { policy }))),
    commands: load,
    trips: 3,
  },
  {
    operation: 'an entry that is there and whose tag has been invalidated',
    arrange: async cluster => {
      await far(cluster);
      await cluster.b.invalidateTags(['t2']);
      await far(cluster, 'other');
    },
    act: ({ a }) => a.getOrSet('k', () => 'new', { policy }),
    commands: load,
    trips: 3,
  },
  {
    operation:
      'a load whose tags the loader chooses: they are captured after it, and the guard is read again',
    arrange: ({ b }) => choosing(b, 'other'),
    act: ({ a }) => choosing(a, 'k'),
    commands: ['mget', 'getl', 'tok', 'tok', 'get', 'fill'],
    trips: 5,
  },
  {
    operation: 'a load that fails: its lease is given back',
    act: ({ a }) => a.getOrSet('k', () => Promise.reject(new Error('down')), { policy }).catch(String),
    commands: ['mget', 'getl', 'tok', 'rel'],
    trips: 3,
  },
  {
    operation: 'a loaded value that cannot be stored: the lease is given back',
    act: ({ a }) => a.getOrSet('k', () => () => 'function', { policy }),
    commands: ['mget', 'getl', 'tok', 'rel'],
    trips: 3,
  },
  {
    operation: 'a refresh ahead: nothing for the caller, then lease and fill behind the answer',
    arrange: async cluster => {
      await near(cluster, 'k', ahead);
      const { freshMs } = await cluster.a.lookup('k', wrong, { policy: ahead });
      // Its life as told, not a guess: up to the tenth from which on it is refreshed.
      await new Promise(resolve => setTimeout(resolve, Math.max(0, freshMs - 1_800) + 20));
      await eventually(() => cluster.a.status().gate.open);
    },
    act: async ({ a }) => {
      const answer = await a.lookup('k', () => 'v2', { policy: ahead });
      expect(answer).toMatchObject({ value: 'v', source: 'l1' });
    },
    commands: ['getl', 'tok', 'fill'],
    trips: 2,
  },
  {
    operation: 'a local entry that is loaded again while its tokens are known',
    arrange: async ({ a }) => {
      for (const value of ['v0', 'v1']) {
        const { freshMs } = await a.lookup('k', () => value, { policy: brief });
        await heardAll([a]);
        await new Promise(resolve => setTimeout(resolve, freshMs + 20));
      }
    },
    act: async ({ a }) => expect(await a.getOrSet('k', () => 'v2', { policy: brief })).toBe('v2'),
    commands: [],
    trips: 0,
  },
  {
    operation: 'a local entry that is there',
    arrange: async ({ a }) => {
      await a.getOrSet('k', () => 'v', { policy: local });
      await eventually(async () => (await a.lookup('k', wrong, { policy: local })).source === 'l1');
    },
    act: ({ a }) => times(10, () => a.getOrSet('k', wrong, { policy: local })),
    commands: [],
    trips: 0,
  },
];

const writes: Row[] = [
  {
    operation: 'a set: the tokens of its tags, then data, lease and version in one script',
    act: ({ a }) => a.set('k', 'v', { tags }),
    commands: ['tok', 'setd'],
    trips: 2,
  },
  {
    operation: 'a set whose tokens are known: both at once',
    arrange: knowsTokens,
    act: ({ a }) => a.set('k', 'v', { tags }),
    commands: ['tok', 'setd'],
    trips: 1,
  },
  {
    operation: 'a set after another one with the same tags, which has told the tokens: both at once',
    arrange: ({ a }) => a.set('other', 'v', { tags }),
    act: ({ a }) => a.set('k', 'v', { tags }),
    commands: ['tok', 'setd'],
    trips: 1,
  },
  {
    operation: 'a set of 100 keys: the tokens once, and 32 keys a command',
    arrange: knowsTokens,
    act: ({ a }) =>
      a.setMany(
        names(100).map(key => [key, 'v'] as const),
        { tags },
      ),
    commands: ['tok', 'setd', 'setd', 'setd', 'setd'],
    trips: 1,
  },
  {
    operation: 'the invalidation of a key',
    arrange: far,
    act: ({ a }) => a.invalidateKeys(['k']),
    commands: ['inv'],
    trips: 1,
  },
  {
    operation: 'the invalidation of 100 keys and 3 tags',
    arrange: async cluster => Promise.all(names(100).map(key => far(cluster, key))),
    act: ({ a }) => a.invalidate({ keys: names(100), tags }),
    commands: ['inv'],
    trips: 1,
  },
  {
    operation: 'the invalidation of a tag',
    arrange: far,
    act: ({ a }) => a.invalidateTags(['t1']),
    commands: ['unlink'],
    trips: 1,
  },
  {
    operation: 'the invalidation of 20 tags with 100 entries',
    arrange: async cluster => Promise.all(names(100).map(key => far(cluster, key))),
    act: ({ a }) => a.invalidateTags([...tags, ...names(17)]),
    commands: ['unlink'],
    trips: 1,
  },
  {
    operation: 'a clear of the namespace',
    arrange: async cluster => Promise.all(names(100).map(key => far(cluster, key))),
    act: ({ a }) => a.clear(),
    commands: ['unlink'],
    trips: 1,
  },
  {
    operation:
      'a clear by pattern: one scan each of leases, data of both tiers and key tokens, and what they found',
    arrange: async cluster => Promise.all(names(3).map(key => far(cluster, key))),
    act: ({ a }) => a.clearMatching('k*'),
    commands: ['scan', 'scan', 'inv', 'scan', 'scan'],
    trips: 5,
  },
];

/**
 * What an operation costs in Redis. A change of a number here is a change of what every request pays: it belongs into
 * the same commit as the reason for it.
 */
describe('commands and round trips', () => {
  let redis: RedisServer;
  let recorder: CommandRecorder;
  const nodes: TieredCache[] = [];
  const node = async (options: CacheNodeOptions = {}): Promise<TieredCache> => {
    const cache = await coherentNode(redis, options);
    nodes.push(cache);
    return cache;
  };

  beforeAll(async () => {
    redis = await RedisServer.start(patientCommandTimeoutMs);
    recorder = await CommandRecorder.attach(redis);
  });
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(cache => cache.close()));
    await redis.admin().flushall();
  });
  afterAll(() => redis.stop());

  test.each([...reads, ...loads, ...writes])('$operation', async row => {
    const cluster: Cluster = { a: await node(), b: await node() };
    // The tokens exist: one that is created is announced, and whoever has just captured it reads it once more.
    await far(cluster, 'first');
    await row.arrange?.(cluster);
    await heardAll(nodes);
    const recording = await recorder.during(() => row.act(cluster), row.commands.length);
    expect(recording).toEqual({ commands: [...row.commands].sort(), trips: row.trips });
  });

  test('1,000 keys, half of them in L1, a quarter in Redis, a quarter missing: one read, one loader, one lease a key', async () => {
    const [a, b] = [await node(), await node()];
    const all = names(1_000);
    await b.setMany(
      all.slice(0, 750).map(key => [key, 'there'] as const),
      { policy },
    );
    // Word of these writes would empty the memory of `a` of what it has just read.
    await heardAll(nodes);
    await a.getMany(all.slice(0, 500), { policy });
    expect(a.status().l1Entries).toBe(500);
    const asked: (readonly string[])[] = [];
    const failing = all[900]!;
    let answers!: ManyAnswers<string>;
    const recording = await recorder.during(async () => {
      answers = await a.getOrSetMany(
        all,
        keys => {
          asked.push(keys);
          return new Map(keys.map(key => [key, key === failing ? new Error('no') : 'loaded'] as const));
        },
        { policy },
      );
    }, 502);
    expect(asked).toEqual([all.slice(750)]);
    expect([...answers.errors.keys()]).toEqual([failing]);
    expect(answers.values.size).toBe(999);
    const counts: Record<string, number> = {};
    for (const name of recording.commands) counts[name] = (counts[name] ?? 0) + 1;
    expect(counts).toEqual({
      mget: 1,
      tok: 1,
      getl: 250,
      fill: 249,
      rel: 1,
    });
    expect(recording.trips).toBe(3);
    // Whoever asks next finds all but the one that failed.
    expect((await b.getMany(all, { policy })).size).toBe(999);
  });

  test('a miss that another instance loads: asks, waits without asking again, and reads when it hears of the fill', async () => {
    const a = await node({ clock: new PatientClock() });
    const b = await node();
    await far({ a, b }, 'first');
    await heardAll([b]);
    const source = held<string>();
    const loading = b.getOrSet('k', () => source.promise, { policy });
    await eventually(() => b.status().loadsInFlight === 1);
    const asking = await recorder.during(async () => {
      void a.getOrSet('k', wrong, { policy });
    }, 3);
    expect(asking).toEqual({ commands: ['getl', 'mget', 'tok'], trips: 2 });
    // A third caller joins the one that waits.
    const answers = a.lookup('k', wrong, { policy });
    const filled = await recorder.during(async () => {
      source.release('v');
      expect((await answers).value).toBe('v');
      await loading;
    }, 2);
    // The word of the fill may overtake its reply, so that the two overlap: trips are those of one instance.
    expect(filled.commands).toEqual(['fill', 'get']);
  });

  test('a load that is over looks no more at its tokens, and gives back no lease that it has not', async () => {
    const [a, b] = [await node(), await node()];
    // Every one of them creates tokens, or hears at once that somebody has.
    await Promise.all(names(100).map(key => far({ a, b }, key)));
    const recording = await recorder.during(async () => {
      await a.invalidateTags(tags);
      await heardAll([b]);
    }, 1);
    expect(recording.commands.filter(name => name === 'rel')).toEqual([]);
  });

  test('a load that outlives a third of its lease renews it, one command a time', async () => {
    const a = await node();
    await far({ a, b: a }, 'first');
    await heardAll([a]);
    const source = held<string>();
    const slow = definePolicy('slow', { leaseMs: 900 });
    const recording = await recorder.during(async () => {
      const loading = a.getOrSet('k', () => source.promise, { policy: slow });
      await recorder.heard('renew', 3);
      source.release('v');
      await loading;
    }, 7);
    const renewals = recording.commands.filter(name => name === 'renew');
    expect(renewals.length).toBeGreaterThanOrEqual(3);
    expect(recording.commands.filter(name => name !== 'renew')).toEqual([...load].sort());
    expect(recording.trips).toBe(3 + renewals.length);
  });

  test('a heartbeat is a touch, the time and a canary, in one trip, twice a second', async () => {
    expect(redisTierDefaults.heartbeatMs).toBe(500);
    await node();
    // The first canary of each of the eight keys has to be written once: from then on they are only renewed.
    await recorder.heartbeats(3 * 8 + 8);
    const beats = await recorder.heartbeats(3 * 8);
    // Over two connections, so the server may see them in any order, and the first or the last beat in part.
    expect(new Set(beats)).toEqual(new Set(['time', 'touch', 'pexpire']));
    for (const name of ['time', 'touch', 'pexpire']) {
      const count = beats.filter(command => command === name).length;
      expect([name, count >= 7 && count <= 9]).toEqual([name, true]);
    }
  });
});

/** Timers run a hundred times later: whoever waits hears a message, or waits for long. */
class PatientClock implements Clock {
  readonly #system = new SystemClock();

  nowMs(): number {
    return this.#system.nowMs();
  }

  coarseMs(): number {
    return this.#system.coarseMs();
  }

  schedule(delayMs: number, run: () => void): { cancel(): void } {
    return this.#system.schedule(delayMs * 100, run);
  }
}
