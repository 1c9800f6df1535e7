import { Injectable } from '@nestjs/common';
import { desc, eq, lt } from 'drizzle-orm';
import { CacheStaticData, InvalidatesCache } from '../cache';
import { Database } from '../database/database';
import { settings, settingsHistory } from '../database/schema';
import { settingsCache, settingsWrites } from './cache';
import {
  mergeSettings,
  settingsDefaults,
  type SettingsChange,
  type SettingsDocument,
} from './settings.document';

export interface VersionedSettings {
  version: number;
  document: SettingsDocument;
}

export type HistoryRow = typeof settingsHistory.$inferSelect;

/** As it is stored: what it does not say has the default of whoever reads it. */
type StoredRow = Pick<typeof settings.$inferSelect, 'version' | 'document'>;

const onlyRow = 1;

/** The one row of settings and its history. */
@Injectable()
export class SettingsRepository {
  constructor(private readonly database: Database) {}

  /** Makes the row where it is missing: version 1, everything at its default. */
  async createIfMissing(): Promise<void> {
    await this.database.orm
      .insert(settings)
      .values({ id: onlyRow, version: 1, document: {} })
      .onConflictDoNothing();
  }

  /** The settings; from the cache, so that asking for them costs no query. A change is seen by the next call here. */
  async read(): Promise<VersionedSettings> {
    return versionedOf(await this.row());
  }

  /**
   * The settings from the database, for answers that are about them: such an answer has a stale window of its own, and would
   * be stored as fresh with a row that is not.
   */
  async latest(): Promise<VersionedSettings> {
    return versionedOf(await this.select());
  }

  /** The defaults are not part of it: instances of two releases share what is cached. */
  @CacheStaticData(settingsCache.row)
  async row(): Promise<StoredRow | null> {
    return this.select();
  }

  /**
   * Lays a change over the settings and keeps a record of it, in one transaction with the row locked, so that of two
   * writers with the same version one finds it gone. `check` sees the locked state and the next one, and throws to refuse.
   */
  @InvalidatesCache(settingsWrites.change)
  async change(
    change: SettingsChange,
    changedBy: string,
    check: (current: VersionedSettings, next: SettingsDocument) => void,
  ): Promise<VersionedSettings> {
    return this.database.orm.transaction(async transaction => {
      const [row] = await transaction.select().from(settings).where(eq(settings.id, onlyRow)).for('update');
      const current = versionedOf(row);
      const document = mergeSettings(current.document, change);
      check(current, document);
      const version = current.version + 1;
      const stored = { version, document: { ...document }, updatedAt: new Date().toISOString() };
      await transaction
        .insert(settings)
        .values({ id: onlyRow, ...stored })
        .onConflictDoUpdate({ target: settings.id, set: stored });
      await transaction
        .insert(settingsHistory)
        .values({ version, document: { ...document }, change: { ...change }, changedBy });
      return { version, document };
    });
  }

  /** The latest changes first; with `before`, those older than that version. */
  async history(limit: number, before?: number): Promise<HistoryRow[]> {
    return this.database.orm
      .select()
      .from(settingsHistory)
      .where(before === undefined ? undefined : lt(settingsHistory.version, before))
      .orderBy(desc(settingsHistory.version))
      .limit(limit);
  }

  private async select(): Promise<StoredRow | null> {
    const [row] = await this.database.orm
      .select({ version: settings.version, document: settings.document })
      .from(settings)
      .where(eq(settings.id, onlyRow));
    return row ?? null;
  }
}

function versionedOf(row: StoredRow | null | undefined): VersionedSettings {
  return { version: row?.version ?? 1, document: mergeSettings(settingsDefaults, row?.document ?? {}) };
}
