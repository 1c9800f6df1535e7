/** Items of `errors` that an answer has at most, and characters of a path in one. */
export const maxItems = 50;
export const maxPathCharacters = 64;

/** One thing wrong with a request: where, a stable code, and a sentence that names the limit. */
export interface ProblemItem {
  /** Place in the body, the query or the path, as `keys[3]` or `limit`; `$` is the whole body. */
  path: string;
  code: string;
  message: string;
}

/**
 * An answer that is an error, as a feature states it; `ProblemFilter` writes it as problem+json. `code` is stable and
 * in CAPITALS, `title` and `detail` are for people and never hold internal text.
 */
export class ProblemException extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title?: string,
    readonly detail?: string,
    readonly errors?: readonly ProblemItem[],
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail ?? title ?? code);
    this.name = 'ProblemException';
  }
}
