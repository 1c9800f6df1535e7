/** What lies at the bottom of an error, for the log: `fetch failed` says nothing, what it wraps does. */
export function causeOf(error: Error): string {
  let last: unknown = error.cause;
  while (typeof last === 'object' && last !== null && 'cause' in last && last.cause !== undefined)
    last = last.cause;
  return typeof last === 'object' && last !== null && 'message' in last ? `: ${String(last.message)}` : '';
}
