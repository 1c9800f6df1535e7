import type { ExtractTablesWithRelations } from 'drizzle-orm';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import type * as schema from './schema';

/** Typed queries over the schema, the same over both drivers. */
export type Orm = PgDatabase<PgQueryResultHKT, typeof schema, ExtractTablesWithRelations<typeof schema>>;

/** One of the two drivers behind the database. */
export interface Driver {
  readonly orm: Orm;
  /** Runs the missing migrations; resolves to their names. Aborting ends the connection that they run on. */
  migrate(signal: AbortSignal): Promise<string[]>;
  /** One trip to the database and back. */
  ping(): Promise<void>;
  /** How many statements are watched because nobody knows whether they were carried out. */
  unsettled?(): number;
  close(): Promise<void>;
}
