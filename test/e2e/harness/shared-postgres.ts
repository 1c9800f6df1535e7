import { createHash } from 'node:crypto';
import { Client } from 'pg';
import { sqlState } from '../../../src/database/database-errors';
import { PostgresServer } from './postgres-server';

/** Where the server listens that `startSharedPostgres` started; workers of Jest inherit it. */
const urlName = 'E2E_POSTGRES_URL';
const duplicateDatabase = '42P04';

/** Starts one PostgreSQL server for all test files, when `E2E_DATABASE=server` asks for it. Resolves to what ends it. */
export async function startSharedPostgres(): Promise<() => Promise<void>> {
  if (process.env['E2E_DATABASE'] !== 'server') return () => Promise.resolve();
  const server = await PostgresServer.start(500);
  process.env[urlName] = server.url;
  return () => server.stop();
}

/** The URL of the database that belongs to a folder, made where it is missing; undefined without a shared server. */
export async function databaseOnSharedServer(dataDir: string): Promise<string | undefined> {
  const url = process.env[urlName];
  if (url === undefined) return undefined;
  const name = `e2e_${createHash('sha256').update(dataDir).digest('hex').slice(0, 24)}`;
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${name}`);
  } catch (error) {
    if (sqlState(error) !== duplicateDatabase) throw error;
  } finally {
    await client.end();
  }
  return Object.assign(new URL(url), { pathname: `/${name}` }).href;
}
