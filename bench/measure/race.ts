/** One way to do something, measured beside others. */
export interface Contender {
  readonly name: string;
  /** Does it so many times. Throws when it did not do what is being measured: a hit that was none. */
  run(times: number): Promise<void>;
  /** Operations in one of those times, such as 100 keys. Default 1. */
  readonly operations?: number;
  /** Resolves when it can do what is measured, before each turn: a gate that a busy machine has shut is open again. */
  readonly ready?: () => Promise<void>;
}

/** What came of one contender: one value a round. */
export interface Measured {
  readonly name: string;
  readonly values: readonly number[];
  /** What else is to be said of it, in a column of its own. */
  readonly note?: string;
}

export interface Rounds {
  readonly rounds: number;
  /** About how long one contender runs in one round, in milliseconds. */
  readonly roundMs: number;
}

/**
 * Lets contenders take turns, and tells the microseconds that one operation of each took, round by round. Each runs about
 * as long as the others; who begins changes with the round, so that none always follows the one that leaves the most garbage.
 */
export async function race(
  contenders: readonly Contender[],
  { rounds, roundMs }: Rounds,
): Promise<Measured[]> {
  const times = new Map<Contender, number>();
  // In two steps: the first guess is that of code that has not been compiled yet.
  for (const shareOfRound of [0.3, 1]) {
    for (const contender of contenders) {
      await settle(contender);
      times.set(contender, await timesWithin(contender, roundMs * shareOfRound, times.get(contender) ?? 1));
    }
  }
  const values = new Map<Contender, number[]>(contenders.map(contender => [contender, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < contenders.length; turn += 1) {
      const contender = contenders[(turn + round) % contenders.length]!;
      const count = times.get(contender)!;
      await settle(contender);
      const ms = await timed(contender, count);
      values.get(contender)!.push((ms * 1_000) / (count * (contender.operations ?? 1)));
    }
  }
  return contenders.map(contender => ({ name: contender.name, values: values.get(contender)! }));
}

async function timesWithin(contender: Contender, limitMs: number, first: number): Promise<number> {
  for (let times = first; ; times *= 2) {
    const ms = await timed(contender, times);
    if (ms > limitMs / 4) return Math.max(1, Math.round((times * limitMs) / ms));
  }
}

async function timed(contender: Contender, times: number): Promise<number> {
  const beganAtMs = performance.now();
  await contender.run(times);
  return performance.now() - beganAtMs;
}

/** A heartbeat that is due goes out and comes back meanwhile: loops that only await what is there leave no turn for it. */
const restMs = 20;

/**
 * Each begins without the young garbage of the one before, and with nothing that should have been done before. Not with a whole
 * collection: of objects that live no longer than a turn none is there then, and V8 throws away what it has compiled for them
 * ("weak objects" in `--trace-deopt`), which happens to nobody who is not made to collect ten times a second.
 */
async function settle({ ready }: Contender): Promise<void> {
  collectYoung();
  await new Promise(resolve => setTimeout(resolve, restMs));
  await ready?.();
}

/** What has died young, where the process was started with `--expose-gc`. */
export function collectYoung(): void {
  (globalThis.gc as ((options: { type: 'minor' }) => void) | undefined)?.({ type: 'minor' });
}

/** Where the process was started with `--expose-gc`. */
export function collect(): void {
  globalThis.gc?.();
}
