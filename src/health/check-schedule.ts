import { Logger } from '@nestjs/common';
import type { Clock, TimerHandle } from '../cache';

/** Between two checks of every service when nobody asks. */
export const checkEveryMs = 10_000;

/**
 * Checks by schedule, so that the uptime is that of the services and not that of the curiosity about them. A check that a
 * probe has just made is not made again: both ask through the cache.
 */
export class CheckSchedule {
  readonly #log = new Logger('Health');
  #timer: TimerHandle | undefined;
  #checking: Promise<void> = Promise.resolve();
  #stopped = false;

  /** @param checkAll checks every service; a service that is away is no failure of it */
  constructor(
    private readonly checkAll: () => Promise<unknown>,
    private readonly clock: Clock,
  ) {}

  /** Checks now, behind whoever starts it, and then by schedule. */
  start(): void {
    this.#checking = this.#check().then(() => this.#plan());
  }

  /** Waits for the checks under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#checking;
  }

  #plan(): void {
    if (!this.#stopped) this.#timer = this.clock.schedule(checkEveryMs, () => this.start());
  }

  async #check(): Promise<void> {
    try {
      await this.checkAll();
    } catch (error) {
      this.#log.warn(`the services could not be checked: ${(error as Error).message}`);
    }
  }
}
