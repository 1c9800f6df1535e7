/** One kind of read: how often, over how many keys, how long it lives, how often what is behind it changes. All in model time. */
export interface ReadClass {
  readonly name: string;
  readonly readsPerSecond: number;
  readonly keys: number;
  /** Exponent of Zipf's law: the key of rank r is read in proportion to r^−alpha. */
  readonly alpha: number;
  readonly ttlSeconds: number;
  readonly writesPerSecond: number;
  /** Whether writes go to keys as reads do, or to each alike. */
  readonly writesLikeReads: boolean;
  readonly originMs: number;
  readonly bytes: number;
}

/** The traffic of an API for AI agents: 200 reads a second. */
export const classes: readonly ReadClass[] = [
  ['health', 20, 6, 0.6, 10, 0, false, 15, 400],
  ['metrics', 10, 8, 0.6, 10, 0, false, 60, 6_000],
  ['agents', 16, 70, 0.8, 30, 0.05, true, 80, 3_000],
  ['settings', 8, 24, 0.7, 60, 0.01, false, 40, 1_500],
  ['hardware', 10, 6, 0.6, 30, 0, false, 120, 2_500],
  ['models', 6, 12, 0.9, 3_600, 0.002, false, 250, 20_000],
  ['session', 60, 5_000, 0.9, 1_800, 0.5, true, 25, 900],
  ['query', 70, 20_000, 1, 300, 1, true, 45, 2_200],
].map(
  ([name, readsPerSecond, keys, alpha, ttlSeconds, writesPerSecond, writesLikeReads, originMs, bytes]) => ({
    name,
    readsPerSecond,
    keys,
    alpha,
    ttlSeconds,
    writesPerSecond,
    writesLikeReads,
    originMs,
    bytes,
  }),
) as ReadClass[];

export type ClassName =
  'health' | 'metrics' | 'agents' | 'settings' | 'hardware' | 'models' | 'session' | 'query';

/** What happens at one moment. */
export interface WorkloadEvent {
  /** Model seconds since the start. */
  readonly at: number;
  readonly kind: 'read' | 'write';
  /** Index into `classes`. */
  readonly of: number;
  readonly key: number;
  /** Which instance it comes to. */
  readonly instance: number;
}

/** Numbers from 0 to 1 by a seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    let t = (state += 0x6d2b79f5);
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Independent Poisson streams of reads and writes over Zipf's keys, in the order of time. The same seed, the same events. */
export function workload(seed: number, seconds: number, instances: number): WorkloadEvent[] {
  const events: WorkloadEvent[] = [];
  for (const [of, each] of classes.entries()) {
    const random = randomOf(seed * 1_000 + of);
    const zipf = zipfOf(each.keys, each.alpha);
    const stream = (kind: 'read' | 'write', perSecond: number, keyOf: () => number): void => {
      if (perSecond === 0) return;
      for (let at = gap(random, perSecond); at < seconds; at += gap(random, perSecond))
        events.push({ at, kind, of, key: keyOf(), instance: Math.floor(random() * instances) });
    };
    const asRead = (): number => zipf(random());
    stream('read', each.readsPerSecond, asRead);
    stream(
      'write',
      each.writesPerSecond,
      each.writesLikeReads ? asRead : () => Math.floor(random() * each.keys),
    );
  }
  return events.sort((a, b) => a.at - b.at);
}

function gap(random: () => number, perSecond: number): number {
  return -Math.log(1 - random()) / perSecond;
}

/** The key of a number from 0 to 1. */
function zipfOf(keys: number, alpha: number): (share: number) => number {
  const sums = new Float64Array(keys);
  let sum = 0;
  for (let at = 0; at < keys; at += 1) sums[at] = sum += (at + 1) ** -alpha;
  return share => {
    let [low, high] = [0, keys - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle]! > share * sum) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

/**
 * The hits that any cache can have that is filled by demand alone, of the very same events: the first read after the end of a
 * life loads, which takes no time, and the next life begins with it. By class, and which events they are.
 *
 * @param lifeOf seconds that a class lives
 * @param fullAt everything is loaded then, and nothing before; undefined: nothing is there at the start
 */
export function idealHits(
  events: readonly WorkloadEvent[],
  lifeOf: (each: ReadClass) => number = each => each.ttlSeconds,
  fullAt?: number,
): { hits: number[]; reads: number[] } {
  const [hits, reads] = [classes.map(() => 0), classes.map(() => 0)];
  const freshUntil = classes.map(each =>
    new Float64Array(each.keys).fill(fullAt === undefined ? -1 : fullAt + lifeOf(each)),
  );
  for (const { at, kind, of, key } of events) {
    if (kind === 'write') {
      freshUntil[of]![key] = -1;
      continue;
    }
    reads[of]! += 1;
    if (at < freshUntil[of]![key]!) hits[of]! += 1;
    else freshUntil[of]![key] = at + lifeOf(classes[of]!);
  }
  return { hits, reads };
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
