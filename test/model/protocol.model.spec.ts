import { explore, type Exploration } from './explore';
import {
  clearer,
  copier,
  deaf,
  failover,
  joiner,
  keyWriter,
  loader,
  loses,
  nothingStale,
  outerLoader,
  reader,
  readerAfterFailover,
  replication,
  setter,
  tagWriter,
  theProtocol,
  type Variant,
} from './processes';
import { newNode, newWorld, seed, systemOf, type Process, type World } from './world';

/**
 * Every interleaving of a few processes, over the same pure decisions and scripts that the cache runs. Each row is a situation that must
 * come out right; below it stand the ways to get it wrong, and each of those must be found. `atLeast` keeps an exploration from shrinking
 * to nothing unnoticed.
 */
interface Situation {
  name: string;
  world?: () => World;
  processes: (variant: Variant) => Process[];
  wrongAtEnd?: (world: World) => string | undefined;
  /** Interleavings. */
  atLeast: number;
  /** Ways to get it wrong, by what they change. */
  wrong: Record<string, Partial<Variant>>;
}

const twoNodes = (): World => newWorld({ a: newNode(), b: newNode() });

const situations: Situation[] = [
  {
    name: 'two loads and two invalidations of a key',
    processes: variant => [
      loader('load 1', variant),
      loader('load 2', variant),
      keyWriter('write 1', variant),
      keyWriter('write 2', variant),
    ],
    atLeast: 100_000,
    wrong: {
      'a fill without a lease': { lease: false },
      'data removed, then the lease': { invalidation: 'data, then lease' },
      'the lease left alone': { invalidation: 'data alone' },
    },
  },
  {
    name: 'the lease removed before the data, where it cannot be one command',
    processes: variant => [
      loader('load 1', variant),
      loader('load 2', variant),
      keyWriter('write', {
        ...variant,
        invalidation: variant.invalidation === 'inv' ? 'lease, then data' : variant.invalidation,
      }),
    ],
    atLeast: 1_000,
    wrong: { 'the other way round': { invalidation: 'data, then lease' } },
  },
  {
    name: 'a lease that ends, or is evicted, at the worst of moments, twice',
    processes: variant => [
      loader('load 1', variant),
      loader('load 2', variant),
      keyWriter('write', variant),
      loses('l:k', 2),
    ],
    atLeast: 10_000,
    wrong: { 'a fill without a lease': { lease: false } },
  },
  {
    name: 'two loads and two invalidations of their tag',
    processes: variant => [
      loader('load 1', variant, { tags: ['t'] }),
      loader('load 2', variant, { tags: ['t'] }),
      tagWriter('write 1', variant, 't'),
      tagWriter('write 2', variant, 't'),
    ],
    atLeast: 100_000,
    wrong: { 'tokens captured after the load': { capture: 'after' } },
  },
  {
    name: 'a token that is evicted and made again',
    world: () => {
      const world = newWorld();
      seed(world, 'k', 1, { t: '1' });
      return world;
    },
    processes: variant => [
      tagWriter('write', variant, 't'),
      loader('load another of the tag', variant, { key: 'other', tags: ['t'] }),
      loses('t:t', 2),
    ],
    atLeast: 500,
    wrong: { 'tokens that are counted': { tokens: 'counted' } },
  },
  {
    name: 'tags that only the loader knows, in a Cluster',
    processes: variant => [
      loader('load 1', variant, { dynamicTags: ['t'] }),
      loader('load 2', variant, { dynamicTags: ['t'] }),
      tagWriter('write', variant, 't', { cluster: true }),
    ],
    atLeast: 10_000,
    wrong: {
      '!any removed last': { anyIs: 'removed last' },
      '!any not looked at again': { anyIsChecked: false },
    },
  },
  {
    name: 'tags that only the loader knows, and two invalidations',
    processes: variant => [
      loader('load', variant, { dynamicTags: ['t'] }),
      tagWriter('write 1', variant, 't', { cluster: true }),
      tagWriter('write 2', variant, 't', { cluster: true }),
    ],
    atLeast: 10_000,
    wrong: { '!any not looked at again': { anyIsChecked: false } },
  },
  {
    name: 'a value that is set while others load',
    processes: variant => [loader('load 1', variant), loader('load 2', variant), setter('set', variant)],
    atLeast: 500,
    wrong: { 'a set that leaves the lease': { setRemovesLease: false } },
  },
  {
    name: 'a clear by pattern under three loads',
    processes: variant => [
      loader('load k 1', variant),
      loader('load k 2', variant),
      loader('load j', variant, { key: 'j' }),
      clearer('clear', variant, ['j', 'k']),
    ],
    wrongAtEnd: nothingStale(['k', 'j']),
    atLeast: 100_000,
    wrong: {
      'data alone': { clear: ['d'] },
      'data, then leases': { clear: ['d', 'l'] },
    },
  },
  {
    name: 'a copy into L1 that word of a change overtakes',
    world: () => {
      const world = twoNodes();
      seed(world, 'k', 1, {});
      return world;
    },
    processes: variant => [
      copier('read', variant, 'b'),
      keyWriter('write', variant),
      loader('load', variant),
    ],
    atLeast: 1_000,
    wrong: { 'no taint': { taint: false } },
  },
  {
    name: 'a cold load on another instance that is invalidated',
    world: () => {
      const world = twoNodes();
      delete world.nodes['a'];
      return world;
    },
    processes: variant => [
      loader('load', variant, { node: 'b' }),
      keyWriter('write', variant),
      joiner('caller', 'b', 'load'),
    ],
    atLeast: 1_000,
    wrong: { 'a plain UNLINK of data and lease': { invalidation: 'unlink data and lease' } },
  },
  {
    name: 'a loader that reads another key, both under the tag that is invalidated',
    world: () => withInnerInL1(),
    processes: variant => [
      outerLoader('load', variant, 'a', { tags: ['t'], innerTags: ['t'] }),
      tagWriter('write', variant, 't', { key: 'outer' }),
    ],
    wrongAtEnd: nothingStale(['outer']),
    atLeast: 100,
    wrong: { 'L1 trusted inside a loader': { strictInside: false } },
  },
  {
    name: 'a loader that reads another key, both invalidated by key',
    world: () => withInnerInL1(),
    processes: variant => [
      outerLoader('load', variant, 'a', { tags: [], innerTags: ['t'] }),
      keyWriter('write', variant, ['inner', 'outer']),
    ],
    wrongAtEnd: nothingStale(['outer']),
    atLeast: 100,
    wrong: { 'L1 trusted inside a loader': { strictInside: false } },
  },
  {
    name: 'a loader that reads another key whose tag it does not carry itself',
    world: () => withInnerInL1(),
    processes: variant => [
      outerLoader('load', variant, 'a', { tags: [], innerTags: ['t'] }),
      tagWriter('write', variant, 't', { key: 'outer' }),
    ],
    wrongAtEnd: nothingStale(['outer']),
    atLeast: 100,
    wrong: { 'tokens of inner entries not taken along': { innerTokensAreInherited: false } },
  },
  {
    name: 'an instance that has not heard of an invalidation for longer than Δ',
    world: () => {
      const world = newWorld({ b: newNode() });
      seed(world, 'k', 1, { t: 'r0' });
      world.nodes['b']!.table = { t: 'r0' };
      world.nodes['b']!.l1 = { k: { version: 1, copied: [['t', 'r0']] } };
      return world;
    },
    processes: variant => [
      tagWriter('write', variant, 't'),
      deaf('b'),
      reader('read', variant, 'b', world => !world.nodes['b']!.gateOpen),
    ],
    wrongAtEnd: () => undefined,
    atLeast: 5,
    wrong: {
      'tokens of the table trusted': { tableNeedsGate: false },
      'L1 trusted': { l1NeedsGate: false },
    },
  },
  {
    name: 'another server that has not heard of an acknowledged invalidation',
    world: () => {
      const world = newWorld();
      seed(world, 'k', 1, {});
      return world;
    },
    processes: variant => [
      keyWriter('write', variant),
      replication(),
      failover(variant),
      readerAfterFailover(variant),
    ],
    atLeast: 20,
    wrong: {
      'nothing invalidated again': { replay: false },
      'reads that do not wait for it': { readsWaitForReplay: false },
    },
  },
  {
    name: 'two refreshes of one entry: one load',
    world: () => {
      const world = newWorld();
      seed(world, 'k', 1, {});
      return world;
    },
    processes: variant => [
      loader('refresh 1', variant, { refreshOf: 'seed-k' }),
      loader('refresh 2', variant, { refreshOf: 'seed-k' }),
    ],
    wrongAtEnd: world => (world.loads > 1 ? `${world.loads} loads of one entry` : undefined),
    atLeast: 20,
    wrong: { 'a refresh that does not say what it replaces': { seen: false } },
  },
];

/** An instance whose L1 still holds what the writer will change. */
function withInnerInL1(): World {
  const world = newWorld({ a: newNode() });
  seed(world, 'inner', 1, { t: 'r0' });
  world.nodes['a']!.table = { t: 'r0' };
  world.nodes['a']!.l1 = { inner: { version: 1, copied: [['t', 'r0']] } };
  return world;
}

function run(
  { world = newWorld, processes, wrongAtEnd = nothingStale() }: Situation,
  variant: Variant,
): Exploration {
  return explore(systemOf(world(), processes(variant), wrongAtEnd));
}

describe.each(situations)('$name', situation => {
  test('comes out right, whatever the order', () => {
    const { violation, interleavings, states } = run(situation, theProtocol);
    expect(violation).toBeUndefined();
    expect(interleavings).toBeGreaterThanOrEqual(situation.atLeast);
    expect(states).toBeGreaterThan(1);
  });

  test.each(Object.entries(situation.wrong))('%s is found out', (_name, change) => {
    const { violation } = run(situation, { ...theProtocol, ...change });
    expect(violation?.what).toEqual(expect.any(String));
    expect(violation!.trace.length).toBeGreaterThan(2);
  });
});
