import { Injectable, Logger } from '@nestjs/common';
import { and, count, desc, eq, isNull, isNotNull, lt, notInArray, or, sql } from 'drizzle-orm';
import { CacheSessionData, InvalidatesCache, methodKey } from '../cache';
import { Database } from '../database/database';
import { reasonOf } from '../database/database-errors';
import { adminKeys } from '../database/schema';
import { authCache, authWrites } from './cache';

export type AdminKeyRow = typeof adminKeys.$inferSelect;
export type NewAdminKey = Pick<AdminKeyRow, 'id' | 'sha256' | 'name' | 'scopes' | 'createdBy'>;

/** What a request is told about the key that it shows. */
export interface FoundKey {
  readonly id: string;
  readonly sha256: string;
  readonly scopes: readonly string[];
}

const maxRevokedKept = 1_000;

/** The keys that administrators made. */
@Injectable()
export class AdminKeysRepository {
  private readonly log = new Logger('AdminKeys');

  constructor(private readonly database: Database) {}

  /**
   * The key of a digest unless it is revoked; without Redis, looked up in the database each time. That there is none is not
   * remembered (`undefined` is not stored): guesses leave nothing behind, and a key works as soon as it is made.
   */
  @CacheSessionData(authCache.adminKey)
  async find(digest: string): Promise<FoundKey | undefined> {
    const [row] = await this.database.orm
      .select({ id: adminKeys.id, sha256: adminKeys.sha256, scopes: adminKeys.scopes })
      .from(adminKeys)
      .where(and(eq(adminKeys.sha256, digest), isNull(adminKeys.revokedAt)));
    return row;
  }

  /** The cache key under which `find` keeps its answer. */
  lookupKey(digest: string): string {
    return methodKey(authCache.adminKey.key, authCache.adminKey.args(digest));
  }

  /** Adds a key unless there are `maxActive` that are not revoked; undefined then. */
  async insert(key: NewAdminKey, maxActive: number): Promise<AdminKeyRow | undefined> {
    return this.database.orm.transaction(async transaction => {
      // One at a time: two that count at once would both find a place.
      await transaction.execute(sql`LOCK TABLE admin_keys IN SHARE ROW EXCLUSIVE MODE`);
      const [active] = await transaction
        .select({ count: count() })
        .from(adminKeys)
        .where(isNull(adminKeys.revokedAt));
      if ((active?.count ?? 0) >= maxActive) return undefined;
      const [row] = await transaction.insert(adminKeys).values(key).returning();
      return row;
    });
  }

  /** All keys, the latest first. */
  async all(): Promise<AdminKeyRow[]> {
    return this.database.orm.select().from(adminKeys).orderBy(desc(adminKeys.createdAt), desc(adminKeys.id));
  }

  /** Revokes a key; null when there is none of this id. One that is revoked stays as it is. Of revoked keys the last thousand are kept. */
  @InvalidatesCache(authWrites.revoke)
  async revoke(id: string, revokedBy: string): Promise<AdminKeyRow | null> {
    const [row] = await this.database.orm
      .update(adminKeys)
      .set({
        revokedAt: sql`coalesce(${adminKeys.revokedAt}, now())`,
        revokedBy: sql`coalesce(${adminKeys.revokedBy}, ${revokedBy})`,
      })
      .where(eq(adminKeys.id, id))
      .returning();
    // It is revoked whatever becomes of the others: the next one drops them.
    if (row)
      await this.#dropOldRevoked().catch((error: unknown) =>
        this.log.warn(`revoked keys of long ago are left: ${reasonOf(error)}`),
      );
    return row ?? null;
  }

  /** Notes that a key was used, unless that was noted within the last `everySeconds`. */
  async touch(id: string, everySeconds: number): Promise<void> {
    const before = sql`now() - make_interval(secs => ${everySeconds})`;
    await this.database.orm
      .update(adminKeys)
      .set({ lastUsedAt: sql`now()` })
      .where(and(eq(adminKeys.id, id), or(isNull(adminKeys.lastUsedAt), lt(adminKeys.lastUsedAt, before))));
  }

  async #dropOldRevoked(): Promise<void> {
    const kept = this.database.orm
      .select({ id: adminKeys.id })
      .from(adminKeys)
      .where(isNotNull(adminKeys.revokedAt))
      .orderBy(desc(adminKeys.revokedAt))
      .limit(maxRevokedKept);
    await this.database.orm
      .delete(adminKeys)
      .where(and(isNotNull(adminKeys.revokedAt), notInArray(adminKeys.id, kept)));
  }
}
