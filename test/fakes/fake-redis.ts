import type { Clock } from '../../src/cache/core';
import { birthOffset, fillIdOf } from '../../src/cache/core/entry';
import { Draft, type EntryPlaces, type RedisState } from './redis-scripts';

/** Entries are bytes, everything else is text. */
export type Value = string | Uint8Array;

export const entryPlaces: EntryPlaces<Value> = {
  fillIdOf: entry => (typeof entry === 'string' ? '' : fillIdOf(entry)),
  versionOf: entry =>
    typeof entry === 'string' ? 0 : new DataView(entry.buffer, entry.byteOffset).getFloat64(32),
};

/** What tracking tells: the keys that changed, or null when everything may have. */
export type Announcement = readonly string[] | null;

/** A Redis server in memory: one thread of commands, lives by a clock, and word of every change to those who track. */
export class FakeRedis {
  #state: RedisState<Value> = {};
  #starts = 1;
  readonly #trackers = new Set<(announcement: Announcement) => void>();

  constructor(readonly clock: Clock) {}

  /** Differs after every start. */
  get runId(): string {
    return `run-${this.#starts}`;
  }

  get keys(): string[] {
    return Object.keys(this.#state);
  }

  /** One command, or one script, at once. Its changes are announced when it is done. */
  run<R>(command: (draft: Draft<Value>) => R): R {
    const draft = new Draft(this.#state, this.clock.nowMs());
    const reply = command(draft);
    this.#state = draft.state;
    if (draft.changed.length > 0) this.#announce([...new Set(draft.changed)]);
    return reply;
  }

  /** The entry with its birth, in server milliseconds. */
  stamped(entry: Uint8Array): Uint8Array {
    const bytes = entry.slice();
    new DataView(bytes.buffer).setFloat64(birthOffset, Math.floor(this.clock.nowMs()));
    return bytes;
  }

  track(hear: (announcement: Announcement) => void): () => void {
    this.#trackers.add(hear);
    return () => this.#trackers.delete(hear);
  }

  flushAll(): void {
    this.#state = {};
    this.#announce(null);
  }

  /** As eviction does it: gone, and announced. */
  evict(key: string): boolean {
    return this.run(draft => draft.unlink(key));
  }

  /** Gone and come back under another identity: empty, or, from a snapshot, with what it held. */
  restart(keepsData = false): void {
    this.#starts += 1;
    if (!keepsData) this.#state = {};
  }

  #announce(announcement: Announcement): void {
    for (const hear of [...this.#trackers]) hear(announcement);
  }
}
