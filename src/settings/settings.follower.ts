import { Logger } from '@nestjs/common';
import { reasonOf } from '../database/database-errors';
import type { Clock, TimerHandle } from '../cache';
import type { SettingsDocument } from './settings.document';
import type { VersionedSettings } from './settings.repository';

/** Between two looks at the settings. One that finds them in the memory of this process costs nothing else. */
export const followEveryMs = 500;

/** Makes a part of the settings true in this process. Called with each version, at least once. */
export type SettingsEffect = (document: SettingsDocument) => void;

/**
 * Puts the settings into force on this instance. A change made here is in force when `changed` returns; one made on another
 * instance with the next look after the cache has heard of it: Δ and half a second at most, or, without Redis, the life of
 * the cached row. While they cannot be read the last ones stay in force.
 */
export class SettingsFollower {
  readonly #log = new Logger('Settings');
  #inForce: VersionedSettings | undefined;
  /** Counts what was put into force, so that a look that began before does not undo it. */
  #changes = 0;
  #isAway = false;
  #timer: TimerHandle | undefined;
  #looking: Promise<void> | undefined;
  #stopped = false;

  /** @param read the settings as the cache has them */
  constructor(
    private readonly read: () => Promise<VersionedSettings>,
    private readonly effects: Readonly<Record<string, SettingsEffect>>,
    private readonly clock: Clock,
  ) {}

  /** What is in force on this instance; undefined when nothing could be read yet. */
  get inForce(): SettingsDocument | undefined {
    return this.#inForce?.document;
  }

  /** Looks for the first time, and then by schedule; resolves when that first look is over. */
  async start(): Promise<void> {
    await this.#look();
    this.#plan();
  }

  /** A change that was made here; of two that come in the wrong order the later version stays. */
  changed(next: VersionedSettings): void {
    if (this.#inForce === undefined || next.version > this.#inForce.version) this.#apply(next);
  }

  /** Waits for the look under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  #plan(): void {
    if (this.#stopped) return;
    this.#timer = this.clock.schedule(followEveryMs, () => {
      this.#looking = this.#look().then(() => this.#plan());
    });
  }

  async #look(): Promise<void> {
    const changesBefore = this.#changes;
    try {
      const found = await this.read();
      if (this.#isAway) this.#log.log('the settings can be read again');
      this.#isAway = false;
      if (changesBefore === this.#changes && found.version !== this.#inForce?.version) this.#apply(found);
    } catch (error) {
      if (!this.#isAway)
        this.#log.warn(`the settings cannot be read, the last ones stay in force: ${reasonOf(error)}`);
      this.#isAway = true;
    }
  }

  #apply(next: VersionedSettings): void {
    const { document } = next;
    this.#changes += 1;
    this.#inForce = next;
    for (const [what, effect] of Object.entries(this.effects)) {
      try {
        effect(document);
      } catch (error) {
        // Checked before they were stored: somebody else has written to the database.
        this.#log.error(`${what} of the settings cannot be put into force: ${(error as Error).message}`);
      }
    }
  }
}
