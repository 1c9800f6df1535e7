/** What Jest runs once after all files. */
export default async function teardown(): Promise<void> {
  await (globalThis as { endSharedPostgres?: () => Promise<void> }).endSharedPostgres?.();
}
