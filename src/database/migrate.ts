import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One connection that runs SQL: of the pool, or PGlite. `exec` runs several statements without parameters. */
export interface MigrationConnection {
  query(sql: string, parameters: unknown[]): Promise<{ rows: unknown[] }>;
  exec(sql: string): Promise<unknown>;
}

export const migrationsFolder = join(__dirname, 'migrations');

/** Any number, the same for every instance: who holds this advisory lock may migrate. */
const lockId = 7_351_001;

/**
 * Runs the files of `migrations/` that have not run yet, in the order of their names, in one transaction under a lock:
 * of two instances that start at once, the second waits and finds the work done. Resolves to the names that ran.
 * @throws Error when a file changed after it ran
 */
export async function migrate(connection: MigrationConnection, folder = migrationsFolder): Promise<string[]> {
  const files = readdirSync(folder)
    .filter(name => name.endsWith('.sql'))
    .sort();
  await connection.exec('BEGIN');
  try {
    await connection.query('SELECT pg_advisory_xact_lock($1)', [lockId]);
    await connection.exec(
      'CREATE TABLE IF NOT EXISTS schema_migrations (name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())',
    );
    const { rows } = await connection.query('SELECT name, sha256 FROM schema_migrations', []);
    const applied = new Map((rows as { name: string; sha256: string }[]).map(row => [row.name, row.sha256]));
    const ran: string[] = [];
    for (const name of files) {
      const sql = readFileSync(join(folder, name), 'utf8');
      const sha256 = createHash('sha256').update(sql).digest('hex');
      const before = applied.get(name);
      if (before !== undefined && before !== sha256)
        throw new Error(`migration ${name} changed after it ran on this database`);
      if (before !== undefined) continue;
      await connection.exec(sql);
      await connection.query('INSERT INTO schema_migrations (name, sha256) VALUES ($1, $2)', [name, sha256]);
      ran.push(name);
    }
    await connection.exec('COMMIT');
    return ran;
  } catch (error) {
    await connection.exec('ROLLBACK');
    throw error;
  }
}
