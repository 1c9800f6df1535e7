import { startSharedPostgres } from './shared-postgres';

/** What Jest runs once before all files; with `npm run e2e:postgres` it starts the server that they share. */
export default async function setup(): Promise<void> {
  (globalThis as { endSharedPostgres?: () => Promise<void> }).endSharedPostgres = await startSharedPostgres();
}
