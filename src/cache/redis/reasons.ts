/** What an error says about the server, without addresses, credentials or arguments of commands. */
export function reasonOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (typeof code === 'string') return code;
  const message = error instanceof Error ? error.message : String(error);
  if (/timed? ?out/i.test(message)) return 'timeout';
  return /^[A-Z]{2,20}\b/.exec(message)?.[0] ?? 'connection failed';
}
