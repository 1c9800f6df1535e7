import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { reasonOf } from '../database/database-errors';
import { AdminKeysRepository } from './admin-keys.repository';

const everySeconds = 60;
const maxRemembered = 1_000;
const maxWrites = 4;

/**
 * Notes when keys were last used: at most once a minute for each key, at most four writes at once, and never in the way of
 * a request. A write that fails is tried again a minute later.
 */
@Injectable()
export class KeyUsage implements OnApplicationShutdown {
  readonly #log = new Logger('Auth');
  readonly #notedAtMs = new Map<string, number>();
  readonly #writes = new Set<Promise<void>>();

  constructor(private readonly repository: AdminKeysRepository) {}

  note(id: string): void {
    const nowMs = performance.now();
    const notedAtMs = this.#notedAtMs.get(id);
    if (notedAtMs !== undefined && nowMs - notedAtMs < everySeconds * 1_000) return;
    if (this.#writes.size >= maxWrites) return; // the next request notes it
    if (this.#notedAtMs.size >= maxRemembered) this.#notedAtMs.clear();
    this.#notedAtMs.set(id, nowMs);
    const write: Promise<void> = this.repository
      .touch(id, everySeconds)
      .catch((error: unknown) => this.#log.debug(`the use of key ${id} was not noted: ${reasonOf(error)}`))
      .finally(() => this.#writes.delete(write));
    this.#writes.add(write);
  }

  /** Waits for the writes under way, before the database is closed. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.#writes);
  }
}
