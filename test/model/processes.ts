import {
  clearOrder,
  inherit,
  isValid,
  lateTokensHold,
  mayCopy,
  toCapture,
  toRemove,
} from '../../src/cache/core/protocol';
import { anyToken } from '../../src/cache/core/tokens';
import { fill, getl, inv, removeKey, setd, tok } from '../fakes/redis-scripts';
import {
  dataKey,
  entryOf,
  exec,
  forever,
  leaseKey,
  parsed,
  places,
  quadOf,
  randomToken,
  readShared,
  tokenKey,
  type Memory,
  type Process,
  type Step,
  type World,
} from './world';

/** The protocol, or a protocol that is wrong in one way: what each way breaks must be found. */
export interface Variant {
  /** A fill needs the lease. */
  lease: boolean;
  /** How a key is invalidated. */
  invalidation: 'inv' | 'data, then lease' | 'lease, then data' | 'data alone' | 'unlink data and lease';
  setRemovesLease: boolean;
  /** When the tokens of tags are captured. */
  capture: 'before' | 'after';
  tokens: 'random' | 'counted';
  anyIs: 'removed first' | 'removed last';
  anyIsChecked: boolean;
  clear: readonly string[];
  taint: boolean;
  /** Reads inside a loader ask the server. */
  strictInside: boolean;
  innerTokensAreInherited: boolean;
  tableNeedsGate: boolean;
  l1NeedsGate: boolean;
  /** A refresh names the entry that it means to replace. */
  seen: boolean;
  replay: boolean;
  readsWaitForReplay: boolean;
}

export const theProtocol: Variant = {
  lease: true,
  invalidation: 'inv',
  setRemovesLease: true,
  capture: 'before',
  tokens: 'random',
  anyIs: 'removed first',
  anyIsChecked: true,
  clear: clearOrder,
  taint: true,
  strictInside: true,
  innerTokensAreInherited: true,
  tableNeedsGate: true,
  l1NeedsGate: true,
  seen: true,
  replay: true,
  readsWaitForReplay: true,
};

const go = 'next' as const;
const done = 'done' as const;

/** The tokens of tags, made where they are missing. Counted ones begin at 1 again when they were lost. */
function ensure(world: World, variant: Variant, names: readonly string[]): [string, string][] {
  const fresh = names.map(() => (variant.tokens === 'random' ? randomToken(world) : '1'));
  const tokens = exec(world, draft => tok(draft, names.map(tokenKey), forever, fresh));
  return names.map((name, index) => [name, tokens[index]!]);
}

export interface LoaderOptions {
  key?: string;
  tags?: readonly string[];
  dynamicTags?: readonly string[];
  /** The instance on which it runs; only where that plays a part. */
  node?: string;
  /** It replaces an entry that is still served: the one with this fill id. */
  refreshOf?: string;
}

/** A read that misses and loads: look, take the lease, capture, load, fill. */
export function loader(name: string, variant: Variant, options: LoaderOptions = {}): Process {
  const { key = 'k', tags = [], dynamicTags = [], node, refreshOf } = options;
  const captured = toCapture(tags, dynamicTags.length > 0);
  const end = (world: World, version?: number): 'done' => {
    if (node !== undefined) world.nodes[node]!.flights[name]!.version = version ?? -1;
    return done;
  };
  const steps: Step[] = [
    {
      label: 'looks',
      run: (world, memory) => {
        if (node !== undefined) world.nodes[node]!.flights[name] = { key, detached: false };
        const found = refreshOf === undefined ? readShared(world, key) : undefined;
        if (found?.valid) return end(world, found.entry.version);
        memory.seen = refreshOf ?? found?.entry.fillId ?? '';
        return go;
      },
    },
    {
      label: 'takes the lease',
      run: (world, memory) => {
        memory.lease = randomToken(world);
        const keys = { data: dataKey(key), lease: leaseKey(key) };
        const reply = exec(world, draft => {
          if (variant.seen) return getl(draft, keys, memory.lease!, forever, memory.seen!, places).kind;
          if (draft.get(keys.lease) !== undefined) return 'busy';
          draft.set(keys.lease, memory.lease!, forever);
          return 'acquired';
        });
        return reply === 'acquired' || !variant.lease ? go : end(world);
      },
    },
    {
      label: 'captures tokens',
      run: (world, memory) => {
        memory.captured = ensure(world, variant, variant.capture === 'before' ? captured : []);
        memory.anyBefore = new Map(memory.captured).get(anyToken)!;
        return go;
      },
    },
    {
      label: 'loads',
      run: (world, memory) => {
        memory.version = world.version;
        world.loads += 1;
        return go;
      },
    },
  ];
  if (variant.capture === 'after')
    steps.push({
      label: 'captures tokens, too late',
      run: (world, memory) => {
        memory.captured = ensure(world, variant, captured);
        return go;
      },
    });
  if (dynamicTags.length > 0)
    steps.push(
      {
        label: 'captures the tags that it has learned',
        run: (world, memory) => {
          memory.captured = [...memory.captured!, ...ensure(world, variant, dynamicTags)];
          return go;
        },
      },
      {
        label: 'looks at !any again',
        run: (world, memory) => {
          const now = exec(world, draft => draft.get(tokenKey(anyToken)));
          return variant.anyIsChecked && !lateTokensHold(memory.anyBefore, now) ? end(world) : go;
        },
      },
    );
  steps.push({
    label: 'fills',
    run: (world, memory) => {
      const entry = entryOf(memory.lease!, memory.version!, memory.captured!);
      exec(world, draft => {
        if (!variant.lease) draft.set(dataKey(key), entry, forever);
        else fill(draft, { data: dataKey(key), lease: leaseKey(key) }, memory.lease!, entry, forever);
      });
      return end(world, memory.version);
    },
  });
  return { name, steps };
}

const commit: Step = {
  label: 'commits',
  run: (world, memory) => {
    world.version += 1;
    memory.version = world.version;
    return go;
  },
};

/** The promise to the one who has waited for the invalidation: he reads nothing older. */
function acknowledgedAndRead(key: string): Step[] {
  return [
    {
      label: 'is told that it is done',
      run: (world, memory) => {
        world.acked = Math.max(world.acked, memory.version!);
        memory.floor = world.acked;
        return go;
      },
    },
    {
      label: 'reads',
      ready: world => world.greeted,
      run: (world, memory) => {
        const found = readShared(world, key);
        if (found?.valid && found.entry.version < memory.floor!) {
          world.wrong = `read ${found.entry.version} after the invalidation for ${memory.floor} was acknowledged`;
        }
        return done;
      },
    },
  ];
}

/** Changes the source, invalidates the key, and reads. */
export function keyWriter(name: string, variant: Variant, keys: readonly string[] = ['k']): Process {
  const unlink =
    (...kinds: ((key: string) => string)[]) =>
    (world: World): typeof go => {
      exec(world, draft => {
        for (const key of keys) for (const kind of kinds) draft.unlink(kind(key));
      });
      return go;
    };
  const ways: Record<Variant['invalidation'], Step[]> = {
    inv: [
      {
        label: 'invalidates',
        run: world => {
          world.recent.push(...keys);
          exec(world, draft => inv(draft, keys.map(quadOf), []));
          return go;
        },
      },
    ],
    'unlink data and lease': [{ label: 'unlinks data and lease', run: unlink(dataKey, leaseKey) }],
    'data alone': [{ label: 'unlinks data', run: unlink(dataKey) }],
    'data, then lease': [
      { label: 'unlinks data', run: unlink(dataKey) },
      { label: 'unlinks the lease', run: unlink(leaseKey) },
    ],
    'lease, then data': [
      { label: 'unlinks the lease', run: unlink(leaseKey) },
      { label: 'unlinks data', run: unlink(dataKey) },
    ],
  };
  return { name, steps: [commit, ...ways[variant.invalidation], ...acknowledgedAndRead(keys[0]!)] };
}

/** Changes the source, removes the tokens of tags (in a Cluster one after the other), and reads. */
export function tagWriter(
  name: string,
  variant: Variant,
  tag: string,
  { key = 'k', cluster = false }: { key?: string; cluster?: boolean } = {},
): Process {
  const order = toRemove([tag]);
  if (variant.anyIs === 'removed last') order.reverse();
  const remove = (world: World, names: readonly string[]): void =>
    exec(world, draft => {
      for (const token of names.map(tokenKey)) {
        if (variant.tokens === 'random') draft.unlink(token);
        else draft.set(token, String(Number(draft.get(token) ?? 1) + 1), forever);
      }
    });
  const removals: Step[] = (cluster ? order.map(one => [one]) : [order]).map(names => ({
    label: `removes ${names.join(' and ')}`,
    run: world => {
      remove(world, names);
      return go;
    },
  }));
  return { name, steps: [commit, ...removals, ...acknowledgedAndRead(key)] };
}

/** Changes the source and stores what it has written. */
export function setter(name: string, variant: Variant): Process {
  return {
    name,
    steps: [
      commit,
      {
        label: 'sets',
        run: (world, memory) => {
          const entry = entryOf(randomToken(world), memory.version!, []);
          exec(world, draft => {
            if (!variant.setRemovesLease) draft.set(dataKey('k'), entry, forever);
            else setd(draft, quadOf('k'), dataKey('k'), entry, forever, forever, 0, places);
          });
          return done;
        },
      },
    ],
  };
}

/** Changes the source and clears by pattern: kind by kind, as a scan meets them, each key with all that belongs to it. */
export function clearer(name: string, variant: Variant, keys: readonly string[]): Process {
  const passes = variant.clear.flatMap(kind =>
    keys.map((key): Step => {
      const at = ['d', 'x', 'l', 'k'].indexOf(kind);
      return {
        label: `passes ${kind}:${key}`,
        run: world => {
          exec(world, draft => {
            if (draft.get(quadOf(key)[at]!) === undefined) return;
            // The wrong ways remove what they have met, and nothing else.
            if (variant.clear === clearOrder) removeKey(draft, quadOf(key));
            else draft.unlink(quadOf(key)[at]!);
          });
          return go;
        },
      };
    }),
  );
  return { name, steps: [commit, ...passes] };
}

/** A key of the server is gone: its life is over, or it was evicted. */
export function loses(key: string, times = 1): Process {
  return {
    name: 'server',
    optional: true,
    steps: Array.from({ length: times }, () => ({
      label: `loses ${key}`,
      ready: world => world.redis[key] !== undefined,
      run: world => {
        exec(world, draft => draft.unlink(key));
        return go;
      },
    })),
  };
}

/** A read of the server whose reply may be overtaken by word of a change; it is copied into L1. */
export function copier(name: string, variant: Variant, node: string): Process {
  return {
    name,
    steps: [
      {
        label: 'asks',
        run: world => {
          world.nodes[node]!.flights[name] = { key: 'k', detached: false };
          return go;
        },
      },
      {
        label: 'is answered by the server',
        run: (world, memory) => {
          const found = readShared(world, 'k');
          memory.reply = found
            ? { version: found.entry.version, copied: found.entry.copied, valid: found.valid }
            : null;
          return go;
        },
      },
      {
        label: 'gets the answer',
        run: (world, memory) => {
          const here = world.nodes[node]!;
          const { reply } = memory;
          const tainted = variant.taint && here.flights[name]!.detached;
          if (reply?.valid && mayCopy(tainted, forever))
            here.l1['k'] = { version: reply.version, copied: reply.copied };
          delete here.flights[name];
          return done;
        },
      },
    ],
  };
}

/** What a caller on this instance may not be answered with: anything older than what has been acknowledged and heard. */
function floorOf(world: World, node: string): number {
  return world.nodes[node]!.inbox.length === 0 ? world.acked : 0;
}

/** A caller who shares the load under way on his instance, if he may. */
export function joiner(name: string, node: string, flight: string): Process {
  return {
    name,
    steps: [
      {
        label: 'comes',
        ready: world => world.nodes[node]!.flights[flight] !== undefined,
        run: (world, memory) => {
          const joined = world.nodes[node]!.flights[flight]!;
          if (joined.detached || joined.version !== undefined) return done;
          memory.floor = floorOf(world, node);
          return go;
        },
      },
      {
        label: 'is answered',
        ready: world => world.nodes[node]!.flights[flight]!.version !== undefined,
        run: (world, memory) => {
          const version = world.nodes[node]!.flights[flight]!.version!;
          if (version >= 0 && version < memory.floor!)
            world.wrong = `joined a load of ${version} after word of ${memory.floor} had come`;
          return done;
        },
      },
    ],
  };
}

/** A read on an instance that has L1 and a table of tokens, with a gate over both. */
export function reader(
  name: string,
  variant: Variant,
  node: string,
  ready: (world: World) => boolean,
): Process {
  return {
    name,
    steps: [
      {
        label: 'reads',
        ready,
        run: world => {
          const here = world.nodes[node]!;
          const kept = here.l1['k'];
          if (kept && (here.gateOpen || !variant.l1NeedsGate)) {
            if (isValid(kept.copied, token => here.table[token])) return judge(world, kept.version);
          }
          const trusted = here.gateOpen || !variant.tableNeedsGate;
          const found = readShared(
            world,
            'k',
            (draft, token) => (trusted ? here.table[token] : undefined) ?? draft.get(tokenKey(token)),
          );
          return found?.valid ? judge(world, found.entry.version) : done;
        },
      },
    ],
  };
  function judge(world: World, version: number): 'done' {
    if (version < world.acked) world.wrong = `read ${version}, and ${world.acked} was acknowledged long ago`;
    return done;
  }
}

/** What was on its way to an instance is lost, and Δ passes: the gate shuts. */
export function deaf(node: string): Process {
  return {
    name: 'network',
    steps: [
      {
        label: `loses all word to ${node}`,
        ready: world => world.acked > 0,
        run: world => {
          world.nodes[node]!.inbox = [];
          world.nodes[node]!.gateOpen = false;
          return done;
        },
      },
    ],
  };
}

/** Replication, which is late. */
export function replication(): Process {
  return {
    name: 'replica',
    optional: true,
    steps: [
      {
        label: 'hears of what was done',
        run: world => {
          world.replica = world.redis;
          return done;
        },
      },
    ],
  };
}

/** Another server takes over with what it has heard; the instance greets it. */
export function failover(variant: Variant): Process {
  return {
    name: 'failover',
    steps: [
      {
        label: 'another server answers',
        ready: world => world.acked > 0,
        run: world => {
          world.redis = world.replica;
          world.greeted = false;
          return go;
        },
      },
      {
        label: 'what was invalidated lately is invalidated again',
        run: world => {
          if (variant.replay) exec(world, draft => inv(draft, world.recent.map(quadOf), []));
          return go;
        },
      },
      {
        label: 'the server is greeted',
        run: world => {
          world.greeted = true;
          return done;
        },
      },
    ],
  };
}

/** A read by the instance that has invalidated, after another server has taken over. */
export function readerAfterFailover(variant: Variant): Process {
  return {
    name: 'read',
    steps: [
      {
        label: 'reads',
        ready: world => world.acked > 0 && (world.greeted || !variant.readsWaitForReplay),
        run: world => {
          const found = readShared(world, 'k');
          if (found?.valid && found.entry.version < world.acked)
            world.wrong = `read ${found.entry.version} after ${world.acked} was acknowledged`;
          return done;
        },
      },
    ],
  };
}

/** A loader that reads another cached key, `inner`, which it loads where that is not to be had. */
export function outerLoader(
  name: string,
  variant: Variant,
  node: string,
  { tags, innerTags }: { tags: readonly string[]; innerTags: readonly string[] },
): Process {
  const take = (memory: Memory, version: number, copied: readonly (readonly [string, string])[]): void => {
    memory.version = version;
    const captured = new Map(memory.captured);
    if (variant.innerTokensAreInherited) inherit(captured, copied);
    memory.captured = [...captured];
  };
  return {
    name,
    steps: [
      {
        label: 'takes the lease',
        run: (world, memory) => {
          memory.lease = randomToken(world);
          const keys = { data: dataKey('outer'), lease: leaseKey('outer') };
          const reply = exec(world, draft => getl(draft, keys, memory.lease!, forever, '', places));
          return reply.kind === 'acquired' ? go : done;
        },
      },
      {
        label: 'captures tokens',
        run: (world, memory) => {
          memory.captured = ensure(world, variant, tags);
          return go;
        },
      },
      {
        label: 'reads the inner key',
        run: (world, memory) => {
          const here = world.nodes[node]!;
          const kept = here.l1['inner'];
          if (!variant.strictInside && kept && isValid(kept.copied, token => here.table[token])) {
            take(memory, kept.version, kept.copied);
            return go;
          }
          const found = readShared(world, 'inner');
          if (found?.valid) take(memory, found.entry.version, found.entry.copied);
          return go;
        },
      },
      {
        label: 'captures the tokens of the inner key',
        run: (world, memory) => {
          if (memory.version === undefined)
            memory.reply = { version: 0, copied: ensure(world, variant, innerTags), valid: true };
          return go;
        },
      },
      {
        label: 'loads the inner key',
        run: (world, memory) => {
          if (memory.version === undefined) take(memory, world.version, memory.reply!.copied);
          return go;
        },
      },
      {
        label: 'fills',
        run: (world, memory) => {
          const entry = entryOf(memory.lease!, memory.version!, memory.captured!);
          const keys = { data: dataKey('outer'), lease: leaseKey('outer') };
          exec(world, draft => fill(draft, keys, memory.lease!, entry, forever));
          return done;
        },
      },
    ],
  };
}

/** At the end nothing that is valid may be older than the source. */
export function nothingStale(keys: readonly string[] = ['k']): (world: World) => string | undefined {
  return world => {
    for (const key of keys) {
      const stored = world.redis[dataKey(key)];
      if (!stored) continue;
      const { version, copied } = parsed(stored.value);
      if (version < world.version && isValid(copied, name => world.redis[tokenKey(name)]?.value))
        return `${key} stays at ${version}, the source is at ${world.version}`;
    }
    for (const [name, node] of Object.entries(world.nodes)) {
      for (const [key, kept] of Object.entries(node.l1)) {
        if (
          node.gateOpen &&
          kept.version < world.version &&
          isValid(kept.copied, token => world.redis[tokenKey(token)]?.value)
        )
          return `L1 of ${name} keeps ${key} at ${kept.version}, the source is at ${world.version}`;
      }
    }
    return undefined;
  };
}
