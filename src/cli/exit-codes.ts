/** How the program ends; scripts rely on these. */
export const exitCodes = {
  ok: 0,
  /** The backend could not do it, or not all of it. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** No answer from the backend. */
  unreachable: 3,
  /** No key, a wrong one, or one that may not. */
  refused: 4,
  /** Taken on, and not done yet: Redis is away. */
  queued: 5,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Ends the program with a message for people. */
export class CliError extends Error {
  constructor(
    message: string,
    readonly exitCode: ExitCode,
    /** Of the backend; for programs. */
    readonly code = 'CLI_ERROR',
    /** The backend wants to be asked again after so long; undefined when it does not say. */
    readonly retryAfterMs?: number,
  ) {
    super(message);
  }
}
