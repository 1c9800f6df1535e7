import type { NearEntry } from './near-cache';
import type { CachePolicy } from './policy';
import type { ReadProfile } from './read-profile';
import type { CacheStats } from './stats';

/** So many entries, and so many bytes of them, are held for their counts at most; they may have left L1 meanwhile. */
export const maxEntriesHeld = 4_096;
const maxBytesHeld = 8 * 1_048_576;

/**
 * Counts plain hits: reads that L1 answers with a fresh value, and which ask for nothing else. Nearly every read is one, so each
 * adds one to a number in the entry, which it has in its hands anyway. The first of them, under a policy and for a while, is
 * counted in full, and says until when the others are alike: not longer than the entry is fresh and not due for a refresh, than
 * the sample may be content with a number, and than the present bucket of the statistics lasts. So everything is in its bucket
 * when somebody looks: the counts are taken over whenever a bucket ends or statistics are read (`settle`).
 */
export class PlainHits {
  #entries: NearEntry[] = [];
  #bytes = 0;

  constructor(
    private readonly stats: CacheStats,
    private readonly profile: ReadProfile,
  ) {
    stats.onLook(() => this.settle());
  }

  /** Entries that are held until their hits have been taken over. */
  get held(): number {
    return this.#entries.length;
  }

  /** One more, like the one before. */
  again(entry: NearEntry): void {
    entry.plainHits += 1;
  }

  /** One that may be the first of several. The entry is fresh, and not negative. */
  begin(entry: NearEntry, policy: CachePolicy, nowMs: number): void {
    this.#take(entry);
    this.stats.hit(policy.name, 'l1_hit', nowMs);
    if (entry.probe !== undefined) this.profile.hit(entry.probe, 'l1_hit', nowMs, entry.bornAtMs);
    if (entry.countedFor === undefined) this.#add(entry);
    entry.countedFor = policy;
    const lookAtMs = entry.probe === undefined ? Infinity : entry.probe.nextLookAtMs;
    // A whole number: V8 keeps others apart from the object.
    entry.plainUntilMs = Math.floor(
      Math.min(entry.refreshAtMs, entry.staleAtMs, this.stats.bucketEndsAtMs, lookAtMs),
    );
  }

  /** What has been counted in entries is in the statistics and in the sample from now on. */
  settle(): void {
    const entries = this.#entries;
    this.#entries = [];
    this.#bytes = 0;
    for (const entry of entries) {
      this.#take(entry);
      entry.countedFor = undefined;
    }
  }

  #add(entry: NearEntry): void {
    if (this.#entries.length >= maxEntriesHeld || this.#bytes >= maxBytesHeld) this.settle();
    this.#entries.push(entry);
    this.#bytes += entry.held.size;
  }

  #take(entry: NearEntry): void {
    const { plainHits, countedFor, probe } = entry;
    if (plainHits === 0) return;
    entry.plainHits = 0;
    this.stats.addPlainHits(countedFor!.name, plainHits);
    if (probe !== undefined) probe.repeats += plainHits;
  }
}
