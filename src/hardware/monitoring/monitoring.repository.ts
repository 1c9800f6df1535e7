import { Injectable } from '@nestjs/common';
import { eq } from 'drizzle-orm';
import { CacheDatabaseQuery } from '../../cache';
import { Database } from '../../database/database';
import { hardwareMonitoring } from '../../database/schema';
import { hardwareCache } from '../cache';
import {
  mergeMonitoring,
  monitoringDefaults,
  type MonitoringChange,
  type MonitoringConfig,
} from './monitoring-config';

/** The configuration with who gave it; null for both while nobody has. */
export interface StoredMonitoring {
  config: MonitoringConfig;
  updatedAt: string | null;
  updatedBy: string | null;
}

const onlyRow = 1;

/** The one row of the configuration of the monitoring. Without it everything has its default. */
@Injectable()
export class MonitoringRepository {
  constructor(private readonly database: Database) {}

  /** As it was last written by any instance: the cache is coherent, so that asking each second costs no query. */
  @CacheDatabaseQuery(hardwareCache.monitoringQuery)
  async read(): Promise<StoredMonitoring> {
    const [row] = await this.database.orm
      .select()
      .from(hardwareMonitoring)
      .where(eq(hardwareMonitoring.id, onlyRow));
    return {
      config: mergeMonitoring(monitoringDefaults, row?.document ?? {}),
      updatedAt: row?.updatedAt ?? null,
      updatedBy: row?.updatedBy ?? null,
    };
  }

  /** Lays a change over the configuration. `check` sees the result and throws to refuse. Of two at once, one comes after the other. */
  async change(
    change: MonitoringChange,
    by: string,
    check: (next: MonitoringConfig) => void,
  ): Promise<StoredMonitoring> {
    return this.database.orm.transaction(async transaction => {
      await transaction
        .insert(hardwareMonitoring)
        .values({ id: onlyRow, document: {}, updatedBy: by })
        .onConflictDoNothing();
      const [row] = await transaction
        .select()
        .from(hardwareMonitoring)
        .where(eq(hardwareMonitoring.id, onlyRow))
        .for('update');
      const config = mergeMonitoring(mergeMonitoring(monitoringDefaults, row?.document ?? {}), change);
      check(config);
      const updatedAt = new Date().toISOString();
      await transaction
        .update(hardwareMonitoring)
        .set({ document: { ...config }, updatedAt, updatedBy: by })
        .where(eq(hardwareMonitoring.id, onlyRow));
      return { config, updatedAt, updatedBy: by };
    });
  }
}
