import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../database/database-errors';
import { AppConfig } from '../config/app-config';
import type { Actor } from './actor.decorator';
import { AuditRepository, type AuditRow, type NewAuditRow } from './audit.repository';
import { shownName } from './shown-name';

/** What administrators do that is written down. */
export type AuditAction =
  | 'invalidate'
  | 'clear_all'
  | 'clear_pattern'
  | 'clear_cancel'
  | 'warm'
  | 'key_create'
  | 'key_revoke'
  | 'model_pull'
  | 'breakers_reset'
  | 'benchmark'
  | 'optimize'
  | 'task_cancel'
  | 'monitoring_change'
  | 'alert_acknowledge';

/**
 * How it ended: `applied`; `queued`, because Redis is away; `job`, which goes on behind the answer and has a second entry
 * when it ends, as `done`, `cancelled` or `failed`.
 */
export type AuditResult = 'applied' | 'queued' | 'job' | 'done' | 'cancelled' | 'failed';

export interface AuditEntry {
  readonly action: AuditAction;
  /** What it was done to: names and lists of names. Each is cut to 64 escaped characters, a list to 20. */
  readonly target: Readonly<Record<string, string | boolean | readonly string[]>>;
  /** How many keys, tags or entries; null while nobody knows. */
  readonly count: number | null;
  readonly result: AuditResult;
  readonly jobId?: string;
}

export const maxNamesShown = 20;
const maxQueued = 1_000;
const maxBatch = 100;
const firstRetryMs = 250;
const maxRetryMs = 10_000;
const closeLimitMs = 1_500;
const pageWaitMs = 500;
/** Rows written between two looks at how many there are. */
const pruneEvery = 100;

/**
 * Writes down who did what to the cache, the keys and the hosts. A request never waits for it: entries go into a queue of at most
 * 1,000 and from there into the database, in their order; past that the newest are dropped, counted and told in the log.
 */
@Injectable()
export class AuditLog implements OnApplicationShutdown {
  readonly #log = new Logger('Audit');
  readonly #queue: NewAuditRow[] = [];
  readonly #closed = new AbortController();
  #writing: Promise<void> | undefined;
  #isAway = false;
  #isFull = false;
  #sincePrune = pruneEvery;
  #written = 0;
  #dropped = 0;

  constructor(
    private readonly config: AppConfig,
    private readonly repository: AuditRepository,
  ) {}

  /** Entries in the queue, written, and dropped because the queue was full. */
  get counts(): { queued: number; written: number; dropped: number } {
    return { queued: this.#queue.length, written: this.#written, dropped: this.#dropped };
  }

  record(actor: Pick<Actor, 'id' | 'requestId'>, entry: AuditEntry): void {
    if (this.#queue.length >= maxQueued) {
      if (!this.#isFull) this.#log.error('the queue is full: entries are dropped until the database answers');
      this.#isFull = true;
      this.#dropped += 1;
      return;
    }
    this.#queue.push({
      at: new Date().toISOString(),
      who: actor.id,
      action: entry.action,
      target: Object.fromEntries(Object.entries(entry.target).map(([name, value]) => [name, shown(value)])),
      count: entry.count,
      result: entry.result,
      jobId: entry.jobId ?? null,
      requestId: actor.requestId ?? null,
      entryId: randomUUID(),
    });
    this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
  }

  /** The latest entries first. What this instance has queued is written before, unless the database takes too long for that. */
  async page(limit: number, before?: number): Promise<AuditRow[]> {
    await this.#settleWithin(pageWaitMs);
    return this.repository.page(limit, before);
  }

  /** Writes what is queued; what the database does not take within 1.5 s goes into the log instead. */
  async onApplicationShutdown(): Promise<void> {
    await this.#settleWithin(closeLimitMs);
    this.#closed.abort();
    await this.#writing;
    for (const row of this.#queue.splice(0)) this.#log.warn({ msg: 'not in the audit log', ...row });
  }

  async #settleWithin(limitMs: number): Promise<void> {
    const late = new AbortController();
    await Promise.race([
      this.#writing,
      sleep(limitMs, undefined, { signal: late.signal, ref: false }).catch((error: Error) => {
        if (error.name !== 'AbortError') throw error;
      }),
    ]);
    late.abort();
  }

  async #write(): Promise<void> {
    let delayMs = firstRetryMs;
    while (this.#queue.length > 0 && !this.#closed.signal.aborted) {
      const batch = this.#queue.slice(0, maxBatch);
      try {
        await this.repository.insert(batch);
        this.#queue.splice(0, batch.length);
        this.#written += batch.length;
        this.#sincePrune += batch.length;
        if (this.#isAway) this.#log.log('entries are written again');
        this.#isAway = false;
        this.#isFull = false;
        delayMs = firstRetryMs;
        if (this.#sincePrune >= pruneEvery) {
          this.#sincePrune = 0;
          await this.repository.prune(this.config.admin.auditMaxRows);
        }
      } catch (error) {
        if (!this.#isAway) this.#log.warn(`entries wait for the database: ${reasonOf(error)}`);
        this.#isAway = true;
        await sleep(delayMs, undefined, { signal: this.#closed.signal, ref: false }).catch(
          (reason: Error) => {
            if (reason.name !== 'AbortError') throw reason;
          },
        );
        delayMs = Math.min(2 * delayMs, maxRetryMs);
      }
    }
  }
}

function shown(value: string | boolean | readonly string[]): unknown {
  if (typeof value === 'boolean') return value;
  return typeof value === 'string' ? shownName(value) : value.slice(0, maxNamesShown).map(shownName);
}
