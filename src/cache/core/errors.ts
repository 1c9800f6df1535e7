/**
 * Errors on which a caller can act. Each carries a stable `code`; none knows HTTP, and none carries
 * text of Redis or of a connection beyond its `cause`.
 */
export class CacheError extends Error {
  constructor(
    readonly code: string,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A key that cannot be used: wrong type, empty, too long, or with characters that are refused. */
export class CacheKeyError extends CacheError {
  constructor(
    message: string,
    code: 'CACHE_KEY_TYPE' | 'CACHE_KEY_INVALID' | 'KEYS_TOO_MANY' = 'CACHE_KEY_INVALID',
  ) {
    super(code, message);
  }
}

/** A tag that cannot be used: wrong type, empty, too long, reserved, or too many of them. */
export class CacheTagError extends CacheError {
  constructor(message: string, code: 'TAG_INVALID' | 'TAG_RESERVED' | 'TAGS_TOO_MANY' = 'TAG_INVALID') {
    super(code, message);
  }
}

/** A pattern that cannot be used; `position` is the index of the offending character, if one is to blame. */
export class CachePatternError extends CacheError {
  constructor(
    message: string,
    readonly position?: number,
    code: 'PATTERN_INVALID' | 'PATTERN_TOO_BROAD' = 'PATTERN_INVALID',
  ) {
    super(code, message);
  }
}

/** An option outside its range, or two options that contradict each other. Names the option and the value. */
export class CacheOptionsError extends CacheError {
  constructor(message: string, code: 'CACHE_OPTIONS_INVALID' | 'TTL_INVALID' = 'CACHE_OPTIONS_INVALID') {
    super(code, message);
  }
}

/** A value that cannot be stored. `getOrSet` still answers with it; `set` rejects. */
export class CacheValueError extends CacheError {
  constructor(
    message: string,
    code: 'VALUE_TOO_LARGE' | 'VALUE_NOT_SERIALISABLE',
    options?: { cause?: unknown },
  ) {
    super(code, message, options);
  }
}

/** A loader asked, directly or through others, for the key that it is loading. */
export class CacheDeadlockError extends CacheError {
  constructor(key: string) {
    super('CACHE_DEADLOCK', `the loader of ${quoteKey(key)} asks for its own key`);
  }
}

/** A loader did not settle within `loaderTimeoutMs`; its late result is dropped. */
export class CacheLoadTimeoutError extends CacheError {
  constructor(key: string, timeoutMs: number) {
    super('CACHE_LOAD_TIMEOUT', `the loader of ${quoteKey(key)} did not settle within ${timeoutMs} ms`);
  }
}

/** A caller's own `deadlineMs` passed; the load goes on for others. */
export class CacheDeadlineError extends CacheError {
  constructor(key: string, deadlineMs: number) {
    super('CACHE_DEADLINE', `no answer for ${quoteKey(key)} within ${deadlineMs} ms`);
  }
}

/** The policy's bulkhead is full, and so is its queue, or the wait in it was too long. */
export class CacheOverloadError extends CacheError {
  constructor(policy: string, maxConcurrentLoads: number) {
    super(
      'CACHE_OVERLOADED',
      `policy ${policy} already runs ${maxConcurrentLoads} loads and has no place for another`,
    );
  }
}

/** The cache has been closed. */
export class CacheClosedError extends CacheError {
  constructor() {
    super('CACHE_CLOSED', 'the cache is closed');
  }
}

/**
 * The shared tier could not be used: it is down, the breaker is open, or a command timed out or failed.
 * The core turns it into a load or a queued invalidation; callers of the cache never see it.
 */
export class RemoteUnavailableError extends CacheError {
  /** Of an invalidation that reached some of several servers: what was made all the same. */
  readonly made: { readonly keys: readonly string[]; readonly tokens: readonly string[] } | undefined;

  constructor(message: string, options?: { cause?: unknown; made?: RemoteUnavailableError['made'] }) {
    super('REMOTE_UNAVAILABLE', message, options);
    this.made = options?.made;
  }
}

const maxCauses = 5;

/**
 * Why something of the application failed, for a line in the log: the words of the innermost cause. Those around it may be a statement
 * with its values, which nobody is to read there.
 */
export function messageOf(error: unknown): string {
  let reason = error;
  for (
    let depth = 0;
    depth < maxCauses && reason instanceof Error && !(reason instanceof CacheError);
    depth += 1
  ) {
    if (!(reason.cause instanceof Error)) break;
    reason = reason.cause;
  }
  return reason instanceof Error ? reason.message : String(reason);
}

/** Characters that JSON leaves as they are, and that hide or turn around text in a log or a terminal. */
const unseen = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** A key as it may stand in a message: control characters escaped, at most 64 characters. */
export function quoteKey(key: string): string {
  const escaped = JSON.stringify(key).replace(
    unseen,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return escaped.length <= 66 ? escaped : `${escaped.slice(0, 63)}…"`;
}
