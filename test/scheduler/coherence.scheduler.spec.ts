import fc, { type Scheduler } from 'fast-check';
import { Cluster, policy, type Instance } from './cluster';

/**
 * The real cache, several instances of it, on a fake Redis that passes the contract of the real one. What is asked of them, what
 * goes wrong, and in which order everything arrives is chosen at random and shrunk when it fails.
 */
const keys = ['a', 'b', 'outer', 'dynamic'] as const;
type Key = (typeof keys)[number];
const tagsOf: Record<Key, readonly string[]> = { a: ['t'], b: ['t'], outer: [], dynamic: [] };

function read(cluster: Cluster, { cache }: Instance, key: Key): Promise<number> {
  const load = cluster.load(key);
  const tags = tagsOf[key];
  if (key === 'outer')
    // What it answers is what it has read of another key, under that key's tags.
    return cache.getOrSet('outer', () => cache.getOrSet('a', cluster.load('a'), { policy, tags: tagsOf.a }), {
      policy,
    });
  if (key !== 'dynamic') return cache.getOrSet(key, load, { policy, tags });
  return cache.getOrSet(
    key,
    async control => {
      const version = await load();
      control.addTags('late');
      return version;
    },
    { policy, dynamicTags: true },
  );
}

/** Keys whose source changes with this one. */
const changedWith = (key: Key): Key[] => (key === 'a' || key === 'outer' ? ['a', 'outer'] : [key]);

async function write(
  cluster: Cluster,
  instance: Instance,
  what: { key: Key } | { tag: 't' | 'late' },
): Promise<void> {
  const changed =
    'key' in what
      ? changedWith(what.key)
      : what.tag === 't'
        ? (['a', 'b', 'outer'] as Key[])
        : (['dynamic'] as Key[]);
  const versions = changed.map(key => [key, cluster.bump(key)] as const);
  const result = await instance.cache.invalidate('key' in what ? { keys: changed } : { tags: [what.tag] });
  if (!result.applied) return;
  for (const [key, version] of versions)
    instance.acked.set(key, Math.max(version, instance.acked.get(key) ?? 1));
}

async function perform(cluster: Cluster, action: Action): Promise<void> {
  const instance = cluster.instances[action.on]!;
  switch (action.do) {
    case 'read':
      return cluster.check(instance, action.key, () => read(cluster, instance, action.key));
    case 'look':
      return cluster.check(instance, action.key, () => instance.cache.get<number>(action.key, { policy }));
    case 'invalidate key':
      return write(cluster, instance, { key: action.key });
    case 'invalidate tag':
      return write(cluster, instance, { tag: action.key === 'dynamic' ? 'late' : 't' });
    case 'clear': {
      const versions = keys.map(key => [key, cluster.bump(key)] as const);
      const { applied } = await instance.cache.clear();
      if (applied) for (const [key, version] of versions) instance.acked.set(key, version);
      return;
    }
    case 'clear by pattern': {
      if (!instance.tier.available) return;
      const version = cluster.bump('b');
      // Cut off in the middle nobody knows what is gone: then the key is invalidated, as the application would.
      const done = await instance.cache.clearMatching('b*').then(
        progress => progress.done,
        async () => (await instance.cache.invalidateKeys(['b'])).applied,
      );
      if (done) instance.acked.set('b', Math.max(version, instance.acked.get('b') ?? 1));
      return;
    }
    case 'evict token':
      return void cluster.redis.evict('test:1:t:{t}');
    case 'evict entry':
      return void cluster.redis.evict(`test:1:d:{${action.key}}`);
    case 'flush all':
      return cluster.redis.flushAll();
    case 'cut data':
      instance.tier.cutData();
      return instance.tier.connect();
    case 'cut word':
      instance.tier.cutWord();
      return instance.tier.connect();
    case 'cut both':
      instance.tier.cutData();
      instance.tier.cutWord();
      return instance.tier.connect();
  }
}

const doings = [
  'read',
  'look',
  'invalidate key',
  'invalidate tag',
  'clear',
  'clear by pattern',
  'evict token',
  'evict entry',
  'flush all',
  'cut data',
  'cut word',
  'cut both',
] as const;
interface Action {
  do: (typeof doings)[number];
  on: number;
  key: Key;
}
const weighted = (weights: Partial<Record<Action['do'], number>>): fc.Arbitrary<Action> =>
  fc.record({
    do: fc.oneof(
      ...Object.entries(weights).map(([doing, weight]) => ({
        weight,
        arbitrary: fc.constant(doing as Action['do']),
      })),
    ),
    on: fc.nat(1),
    key: fc.constantFrom(...keys),
  });

async function histories(scheduler: Scheduler, actions: readonly Action[]): Promise<Cluster> {
  const cluster = new Cluster(scheduler, 2);
  await cluster.run(Promise.all(cluster.instances.map(({ cache }) => cache.ready())));
  // Each begins when the scheduler says so.
  const all = actions.map((action, at) =>
    scheduler
      .schedule(Promise.resolve(), `${at}: ${action.do} ${action.key} on ${'ab'[action.on]!}`)
      .then(() => perform(cluster, action)),
  );
  await cluster.run(Promise.all(all));
  await cluster.expectQuiet(keys, (instance, key) => read(cluster, instance, key as Key));
  await cluster.close();
  return cluster;
}

describe('whatever is asked of instances, in whatever order everything arrives', () => {
  const reads = { read: 8, look: 2 };
  const writes = { 'invalidate key': 3, 'invalidate tag': 3 };

  test('nobody reads what he was told is gone, and in the end everybody reads what the source holds', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(weighted({ ...reads, ...writes }), { minLength: 3, maxLength: 10 }),
        async (scheduler, actions) => {
          expect((await histories(scheduler, actions)).wrong).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  }, 120_000);

  test('nor with clears, lost tokens and entries, an emptied server and lost connections', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(
          weighted({
            ...reads,
            ...writes,
            clear: 1,
            'clear by pattern': 1,
            'evict token': 1,
            'evict entry': 1,
            'flush all': 1,
            'cut data': 1,
            'cut word': 1,
            'cut both': 1,
          }),
          { minLength: 4, maxLength: 14 },
        ),
        async (scheduler, actions) => {
          expect((await histories(scheduler, actions)).wrong).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  }, 120_000);

  test('reads alone load each key once in the cluster', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(
          weighted({ read: 1 }).filter(({ key }) => key === 'a' || key === 'b'),
          { minLength: 2, maxLength: 8 },
        ),
        async (scheduler, actions) => {
          const cluster = await histories(scheduler, actions);
          expect(cluster.wrong).toEqual([]);
          for (const loads of cluster.loadsOf.values()) expect(loads).toBe(1);
        },
      ),
      { numRuns: 100 },
    );
  }, 120_000);
});
