import type { PGlite } from '@electric-sql/pglite';
import { drizzle } from 'drizzle-orm/pglite';
import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DataDirLock } from './data-dir-lock';
import type { Driver, Orm } from './driver';
import { EmbeddedDatabase } from './embedded-database';
import { migrate } from './migrate';
import * as schema from './schema';

const ownerOnly = 0o700;

/**
 * PostgreSQL in a thread of this process, on a folder that it holds alone. A statement that is not answered within `limitMs` fails.
 * @throws DataDirInUseError when another process holds the folder
 */
export async function openEmbedded(dataDir: string, onQuery: () => void, limitMs?: number): Promise<Driver> {
  const lock = await DataDirLock.take(dataDir);
  try {
    const folder = join(dataDir, 'pg');
    // As PostgreSQL itself has it: PGlite makes files that everybody may write.
    mkdirSync(folder, { recursive: true, mode: ownerOnly });
    if (statSync(folder).uid === process.getuid?.()) chmodSync(folder, ownerOnly);
    const client = await EmbeddedDatabase.open(folder, { ...(limitMs !== undefined && { limitMs }) });
    // Of a PGlite drizzle asks for `query` and `transaction`.
    const orm = drizzle(client as unknown as PGlite, {
      schema,
      logger: { logQuery: onQuery },
    }) as unknown as Orm;
    return {
      orm,
      migrate: () =>
        migrate({
          query: (sql, parameters) => client.unlimited.query(sql, parameters),
          exec: sql => client.unlimited.exec(sql),
        }),
      ping: async () => void (await client.query('SELECT 1')),
      close: async () => {
        await client.close();
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}
