import { DrizzleQueryError } from 'drizzle-orm';

/** The database cannot be reached, or gave up a statement for its own reasons; the cause is kept for the log only. */
export class DatabaseUnavailableError extends Error {
  readonly code = 'DATABASE_UNAVAILABLE';
  /** Of a statement that was handed to the database and not answered: resolves when whatever it did can be read. */
  readonly settled?: () => Promise<void>;

  constructor(
    message = 'the database cannot be reached',
    options?: { cause?: unknown; settled?: (() => Promise<void>) | undefined },
  ) {
    super(message, options);
    this.name = 'DatabaseUnavailableError';
    if (options?.settled) this.settled = options.settled;
  }
}

/** Another process works on the folder of the embedded database. */
export class DataDirInUseError extends Error {
  constructor(folder: string, owner: string) {
    super(
      `DATA_DIR ${folder} is in use by ${owner}: the embedded database serves one process. Stop that one, set another DATA_DIR, or set DATABASE_URL to share a PostgreSQL server.`,
    );
    this.name = 'DataDirInUseError';
  }
}

/** PostgreSQL's class 08 (connection), 53 (resources), 57P0x (shutting down), 57014 (statement timeout). */
const unavailableStates = /^(08|53|57P0)|^57014$/;
const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
]);
const driverTexts =
  /connection terminated|connection timeout|timeout exceeded when trying to connect|query read timeout|client has encountered a connection error|not queryable|cannot use a pool after/i;

/** PostgreSQL's own word that a statement was not carried out: too little of something, cancelled, not let in. */
const refusedStates = /^53|^57014$|^57P03$/;
/** The driver has handed nothing over. */
const unsentTexts = /not queryable|cannot use a pool after/i;

/** Whether a statement that failed so may have been carried out all the same: its connection was lost, or nothing came back. */
export function mayHaveHappened(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && refusedStates.test(code)) return false;
  return (
    !unsentTexts.test(String(message)) && translateDatabaseError(error) instanceof DatabaseUnavailableError
  );
}

/**
 * Of what a write threw: undefined when it has certainly not been carried out; otherwise resolves when whatever it did can be read.
 */
export function outcomeUnknown(error: unknown): Promise<void> | undefined {
  return findCause(error, cause =>
    cause instanceof DatabaseUnavailableError ? cause.settled : undefined,
  )?.();
}

/** The error of a driver as `DatabaseUnavailableError` when the database is away, otherwise as it is. */
export function translateDatabaseError(error: unknown): unknown {
  if (typeof error !== 'object' || error === null) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  const isAway =
    (typeof code === 'string' && (unavailableStates.test(code) || networkCodes.has(code))) ||
    (typeof message === 'string' && driverTexts.test(message));
  return isAway ? new DatabaseUnavailableError(undefined, { cause: error }) : error;
}

/** Whether an error says that the database is away, itself or in its causes (drizzle wraps what the driver throws). */
export function isDatabaseAway(error: unknown): boolean {
  return findCause(error, cause => cause instanceof DatabaseUnavailableError || undefined) ?? false;
}

/**
 * Why a statement failed, in the words of the database, for a line in the log. drizzle's own words are the statement and its values,
 * which may be what nobody is to read, and not why.
 */
export function reasonOf(error: unknown): string {
  const { cause } = (error ?? {}) as { cause?: unknown };
  if (cause !== undefined && error instanceof DrizzleQueryError) return reasonOf(cause);
  if (cause !== undefined && error instanceof DatabaseUnavailableError)
    return `${error.message}: ${reasonOf(cause)}`;
  const { message, code } = (error ?? {}) as { message?: unknown; code?: unknown };
  return String(message || code || error);
}

/** PostgreSQL's SQLSTATE of an error, looked for in its causes as well (drizzle wraps what the driver throws). */
export function sqlState(error: unknown): string | undefined {
  return findCause(error, cause =>
    typeof cause['code'] === 'string' && /^[0-9A-Z]{5}$/.test(cause['code']) ? cause['code'] : undefined,
  );
}

/** Name of the constraint that a statement broke, or undefined. */
export function brokenConstraint(error: unknown): string | undefined {
  return findCause(error, cause =>
    typeof cause['constraint'] === 'string' ? cause['constraint'] : undefined,
  );
}

function findCause<T>(
  error: unknown,
  pick: (cause: Record<string, unknown>) => T | undefined,
): T | undefined {
  for (let cause = error, depth = 0; typeof cause === 'object' && cause !== null && depth < 5; depth += 1) {
    const found = pick(cause as Record<string, unknown>);
    if (found !== undefined) return found;
    cause = (cause as { cause?: unknown }).cause;
  }
  return undefined;
}
