import { Injectable } from '@nestjs/common';
import { desc, lt, lte, sql } from 'drizzle-orm';
import { Database } from '../database/database';
import { auditLog } from '../database/schema';

export type AuditRow = typeof auditLog.$inferSelect;
export type NewAuditRow = Omit<AuditRow, 'id'>;

/** The rows of the audit log. */
@Injectable()
export class AuditRepository {
  constructor(private readonly database: Database) {}

  /** Those that are there already stay as they are. */
  async insert(rows: readonly NewAuditRow[]): Promise<void> {
    await this.database.orm
      .insert(auditLog)
      .values([...rows])
      .onConflictDoNothing();
  }

  /** The latest first; with `before`, those written before that row. */
  async page(limit: number, before: number | undefined): Promise<AuditRow[]> {
    return this.database.orm
      .select()
      .from(auditLog)
      .where(before === undefined ? undefined : lt(auditLog.id, before))
      .orderBy(desc(auditLog.id))
      .limit(limit);
  }

  /** Drops all but the latest `maxRows`. */
  async prune(maxRows: number): Promise<void> {
    const newestToDrop = this.database.orm
      .select({ id: auditLog.id })
      .from(auditLog)
      .orderBy(desc(auditLog.id))
      .limit(1)
      .offset(maxRows);
    await this.database.orm.delete(auditLog).where(lte(auditLog.id, sql`(${newestToDrop})`));
  }
}
