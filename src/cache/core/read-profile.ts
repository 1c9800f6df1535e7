import type { Clock } from './clock';
import { KeySample } from './key-sample';
import { missCauses, outcomes, type MissCause, type Outcome } from './outcomes';
import type { CachePolicy } from './policy';
import type { Hash } from './ports';
import { StackDistance, type Stacked } from './stack-distance';

/** Lives that a policy is tried with, as multiples of its own. */
export const lifeFactors: readonly number[] = Object.freeze([1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16]);

const maxKeys = 2_048;
/** Reads of one key that follow each other faster are counted, and nothing else is done for them; less where a life is short. */
const repeatMs = 250;
const repeatsOfLife = 64;
/** A key that was not read for so long leaves the sample; counts half as often count half. */
const halveEveryMs = 30 * 60_000;
const forgetAfterMs = 60 * 60_000;
/** Of the distances: so many a doubling. */
const distancesPerOctave = 4;
const distanceBuckets = 24 * distancesPerOctave;

const outcomeAt = placesOf(outcomes, 0);
const causeAt = placesOf(missCauses, outcomes.length);

/** What is known of one key of the sample. */
export class Probe implements Stacked {
  // These two first, so that a hit touches one place in memory; whole numbers, because V8 keeps others apart from the object.
  /** Hits in L1 since it was looked at last. */
  repeats = 0;
  /** Until then, hits in L1 are only counted. Milliseconds, rounded up. */
  nextLookAtMs = 0;
  /** Hits in L2 since then, where the policy keeps nothing in L1. */
  l2Repeats = 0;
  position = 0;
  /** Reads by outcome, then misses by cause. */
  readonly counts = new Float64Array(outcomes.length + missCauses.length);
  /** With each life: reads that would have been fresh hits, and stale ones. */
  readonly hits = new Float64Array(lifeFactors.length);
  /** Reads that would have been fresh hits with every one of them, beside those in `hits`. */
  hitsAlways = 0;
  /** Until then every read would be one of them, unless something is invalidated. */
  alwaysUntilMs = 0;
  readonly stale = new Float64Array(lifeFactors.length);
  /** With each life: when the entry would have been loaded last. */
  readonly loadedAtMs = new Float64Array(lifeFactors.length).fill(-Infinity);
  /** Loads of what had been loaded before and was not invalidated since, and those that brought the same again. */
  reloads = 0;
  unchanged = 0;
  payloadHash: number | undefined;
  lastReadAtMs = 0;

  constructor(readonly policy: CachePolicy) {}
}

/** Reads of a key that the sample tells of, scaled up to all keys. */
export interface KeyProfile {
  readonly key: string;
  /** Name of its policy, and what that says for this key, overrides included. */
  readonly policy: string;
  readonly ttlMs: number;
  readonly staleMs: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly causes: Readonly<Record<MissCause, number>>;
  /** By `lifeFactors`. */
  readonly hitsByLife: readonly number[];
  readonly staleByLife: readonly number[];
  readonly reloads: number;
  readonly unchanged: number;
  /** Of what was loaded last, by this instance. */
  readonly contentHash: number | undefined;
}

export interface ReadProfileSnapshot {
  /** Share of all keys that the sample holds; counts of keys and reads are to be divided by it. */
  readonly rate: number;
  readonly keys: readonly KeyProfile[];
  /** The share of reads of L1 that an LRU of so many entries would answer, as far as entries live long enough. */
  readonly hitShareOfSize: (entries: number) => number | undefined;
}

/**
 * A sample of what is read and what becomes of it, for whoever wants to know what would help: for some keys, all reads. Each is
 * played through with other lives than its policy gives (with its stale window and its refresh ahead of time), and the distances
 * between reads tell what more or less room would do. Its size is fixed; hits of keys that are not in the sample pay one
 * comparison, and of those that are, most pay an addition.
 */
export class ReadProfile {
  readonly #sample = new KeySample<Probe>(maxKeys, probe => this.#stack.remove(probe));
  readonly #stack = new StackDistance(maxKeys + 1);
  /** Reads by the distance to the last one, scaled up to all keys; the last bucket: first reads. */
  readonly #distances = new Float64Array(distanceBuckets + 1);
  #halveAtMs: number;

  constructor(
    private readonly clock: Clock,
    private readonly hash: Hash,
  ) {
    this.#halveAtMs = clock.nowMs() + halveEveryMs;
  }

  /** Where hits of a key are to be counted; undefined when it is not in the sample. */
  probeOf(key: string, policy: CachePolicy): Probe | undefined {
    if (!this.#sample.admits(key)) return undefined;
    const known = this.#sample.get(key);
    // Overrides make a policy of their own for each route, and a call may bring one for itself.
    if (known && known.policy.name === policy.name && known.policy.ttlMs === policy.ttlMs) return known;
    const probe = new Probe(policy);
    if (known) this.#stack.remove(known);
    this.#sample.add(key, probe);
    return this.#sample.get(key);
  }

  /** A hit in L1 of a key that has a probe. */
  hit(probe: Probe, outcome: Outcome, nowMs: number, bornAtMs: number): void {
    if (nowMs < probe.nextLookAtMs && outcome === 'l1_hit') probe.repeats += 1;
    else this.#look(probe, outcome, undefined, nowMs, bornAtMs);
  }

  /** Any other read. @param bornAtMs of what was found, in local time; undefined when nothing was */
  read(
    key: string,
    policy: CachePolicy,
    outcome: Outcome,
    cause: MissCause | undefined,
    bornAtMs: number | undefined,
  ): void {
    if (outcome === 'bypass' || outcome === 'error') return;
    const probe = this.probeOf(key, policy);
    if (!probe) return;
    const nowMs = this.clock.coarseMs();
    if (outcome === 'l2_hit' && policy.tier === 'redis' && nowMs < probe.nextLookAtMs) probe.l2Repeats += 1;
    else this.#look(probe, outcome, cause, nowMs, bornAtMs);
  }

  /** A load has brought a value. @param again whether because its life was over or nearly, and not because it was invalidated */
  loaded(key: string, policy: CachePolicy, payload: Uint8Array, again: boolean): void {
    const probe = this.probeOf(key, policy);
    if (!probe) return;
    const hash = this.hash.crc32(payload);
    if (again && probe.payloadHash !== undefined) {
      probe.reloads += 1;
      if (probe.payloadHash === hash) probe.unchanged += 1;
    }
    probe.payloadHash = hash;
  }

  snapshot(): ReadProfileSnapshot {
    this.#halveIfDue(this.clock.nowMs());
    const keys = this.#sample.entries().map(([key, probe]): KeyProfile => {
      this.#takeRepeats(probe);
      return {
        key,
        policy: probe.policy.name,
        ttlMs: probe.policy.ttlMs,
        staleMs: probe.policy.staleMs,
        outcomes: countsOf(probe, outcomeAt),
        causes: countsOf(probe, causeAt),
        hitsByLife: [...probe.hits].map(hits => hits + probe.hitsAlways),
        staleByLife: [...probe.stale],
        reloads: probe.reloads,
        unchanged: probe.unchanged,
        contentHash: probe.payloadHash,
      };
    });
    const distances = this.#distances.slice();
    return { rate: this.#sample.rate, keys, hitShareOfSize: entries => hitShare(distances, entries) };
  }

  #look(
    probe: Probe,
    outcome: Outcome,
    cause: MissCause | undefined,
    nowMs: number,
    bornAtMs: number | undefined,
  ): void {
    this.#halveIfDue(nowMs);
    this.#takeRepeats(probe);
    probe.nextLookAtMs = Math.ceil(nowMs + Math.min(repeatMs, probe.policy.ttlMs / repeatsOfLife));
    probe.lastReadAtMs = nowMs;
    probe.counts[outcomeAt[outcome]]! += 1;
    if (cause !== undefined) probe.counts[causeAt[cause]]! += 1;
    const isInvalidated = cause === 'invalidated';
    if (nowMs < probe.alwaysUntilMs && !isInvalidated) probe.hitsAlways += 1;
    else playThrough(probe, isInvalidated, nowMs, bornAtMs);
    if (probe.policy.tier === 'redis') return;
    const distance = this.#stack.access(probe);
    const { rate } = this.#sample;
    const bucket = distance === undefined ? distanceBuckets : bucketOf(distance / rate);
    this.#distances[bucket]! += 1 / rate;
  }

  /** Hits in quick succession are hits with any life, and in an L1 of any size. */
  #takeRepeats(probe: Probe): void {
    const { repeats, l2Repeats } = probe;
    if (repeats + l2Repeats === 0) return;
    probe.repeats = probe.l2Repeats = 0;
    probe.counts[outcomeAt.l1_hit]! += repeats;
    probe.counts[outcomeAt.l2_hit]! += l2Repeats;
    probe.hitsAlways += repeats + l2Repeats;
    this.#distances[0]! += repeats / this.#sample.rate;
  }

  #halveIfDue(nowMs: number): void {
    if (nowMs < this.#halveAtMs) return;
    this.#halveAtMs = nowMs + halveEveryMs;
    this.#sample.dropUnless(({ lastReadAtMs }) => nowMs - lastReadAtMs < forgetAfterMs);
    for (const [, probe] of this.#sample.entries()) {
      this.#takeRepeats(probe);
      for (const row of [probe.counts, probe.hits, probe.stale])
        for (let at = 0; at < row.length; at += 1) row[at]! /= 2;
      probe.hitsAlways /= 2;
      probe.reloads /= 2;
      probe.unchanged /= 2;
    }
    for (let at = 0; at < this.#distances.length; at += 1) this.#distances[at]! /= 2;
  }
}

/** What this read would have found with each life. */
function playThrough(probe: Probe, invalidated: boolean, nowMs: number, bornAtMs: number | undefined): void {
  const { ttlMs, staleMs, jitter, refreshAheadFraction } = probe.policy;
  const shareOfLife = refreshAheadFraction > 0 ? refreshAheadFraction : 1;
  let alwaysUntilMs = Infinity;
  for (let at = 0; at < lifeFactors.length; at += 1) {
    const lifeMs = ttlMs * lifeFactors[at]! * (1 - jitter / 2);
    // Loaded by another instance, at a time when it would have been over with this life too.
    const own = probe.loadedAtMs[at]!;
    const loadedAtMs = bornAtMs !== undefined && bornAtMs - own >= lifeMs ? bornAtMs : own;
    const ageMs = nowMs - loadedAtMs;
    if (invalidated || ageMs >= lifeMs + staleMs) probe.loadedAtMs[at] = nowMs;
    else if (ageMs >= lifeMs) {
      probe.stale[at]! += 1;
      probe.loadedAtMs[at] = nowMs;
    } else {
      probe.hits[at]! += 1;
      const refreshes = ageMs >= lifeMs * shareOfLife;
      probe.loadedAtMs[at] = refreshes ? nowMs : loadedAtMs;
    }
    alwaysUntilMs = Math.min(alwaysUntilMs, probe.loadedAtMs[at]! + lifeMs * shareOfLife);
  }
  probe.alwaysUntilMs = alwaysUntilMs;
}

function placesOf<N extends string>(names: readonly N[], from: number): Readonly<Record<N, number>> {
  return Object.fromEntries(names.map((name, at) => [name, from + at])) as Record<N, number>;
}

function countsOf<N extends string>(
  { counts }: Probe,
  places: Readonly<Record<N, number>>,
): Record<N, number> {
  const names = Object.keys(places) as N[];
  return Object.fromEntries(names.map(name => [name, counts[places[name]]!])) as Record<N, number>;
}

function bucketOf(distance: number): number {
  return Math.min(distanceBuckets - 1, Math.floor(Math.log2(distance + 1) * distancesPerOctave));
}

function hitShare(distances: Float64Array, entries: number): number | undefined {
  const all = distances.reduce((sum, count) => sum + count, 0);
  if (all === 0) return undefined;
  // Distances up to `entries` − 1 are hits; of the bucket in which the border lies, a part.
  let hits = 0;
  for (let at = 0; at < distanceBuckets; at += 1) {
    const from = Math.ceil(2 ** (at / distancesPerOctave));
    const to = Math.ceil(2 ** ((at + 1) / distancesPerOctave));
    const part = to > from ? (entries + 1 - from) / (to - from) : 0;
    hits += distances[at]! * Math.min(1, Math.max(0, part));
  }
  return hits / all;
}
