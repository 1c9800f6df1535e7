import type { TokenName } from './ports';
import { namespaceToken } from './tokens';

export interface PendingInvalidations {
  keys: string[];
  tokens: TokenName[];
  /** Number of the last addition that is part of it. */
  addedUntil: number;
}

/**
 * Invalidations that Redis has not confirmed (`pending`), and those of the last minute (`recent`), which are made
 * again when another server takes over: it may never have heard of them. Both are bounded; what does not fit is
 * replaced by something that invalidates more, never dropped.
 */
export class InvalidationLog {
  readonly #pendingKeys = new Map<string, number>();
  /** The tokens of those keys' local entries, which the same invalidation removes. */
  readonly #pendingKeyTokens = new Set<TokenName>();
  readonly #pendingTokens = new Map<TokenName, number>();
  #additions = 0;
  readonly #recentKeys = new Map<string, number>();
  readonly #recentTokens = new Map<TokenName, number>();
  /** Times that the pending list overflowed into a clear of the namespace. */
  overflows = 0;

  constructor(
    private readonly keyTokenOf: (key: string) => TokenName,
    readonly maxEntries = 10_000,
    readonly recentMs = 60_000,
  ) {}

  get pending(): number {
    return this.#pendingKeys.size + this.#pendingTokens.size;
  }

  /** Whether an invalidation of this key, or of everything, is pending: what Redis has of it must not be read. */
  concernsKey(key: string): boolean {
    return this.#pendingKeys.has(key) || this.#pendingTokens.has(namespaceToken);
  }

  /** Whether the removal of this token is pending: whatever Redis says, it is not valid any more. */
  concernsToken(token: TokenName): boolean {
    return this.#pendingTokens.has(token) || this.#pendingKeyTokens.has(token);
  }

  /** Not confirmed: must be made before what it concerns is read from Redis. */
  addPending(keys: Iterable<string>, tokens: Iterable<TokenName>): void {
    this.#additions += 1;
    for (const key of keys) {
      this.#pendingKeys.set(key, this.#additions);
      this.#pendingKeyTokens.add(this.keyTokenOf(key));
    }
    for (const token of tokens) this.#pendingTokens.set(token, this.#additions);
    const overflow = this.pending > this.maxEntries;
    if (overflow) this.overflows += 1;
    if (overflow || this.#pendingTokens.has(namespaceToken)) {
      this.#pendingKeys.clear();
      this.#pendingKeyTokens.clear();
      this.#pendingTokens.clear();
      this.#pendingTokens.set(namespaceToken, this.#additions);
    }
  }

  /** What is pending now; it stays pending until `confirm`. */
  pendingNow(): PendingInvalidations {
    return {
      keys: [...this.#pendingKeys.keys()],
      tokens: [...this.#pendingTokens.keys()],
      addedUntil: this.#additions,
    };
  }

  /** These have been made. What was added again in the meantime stays pending: it may have come after the command. */
  confirm(made: PendingInvalidations): void {
    for (const key of made.keys) {
      if (confirmOne(this.#pendingKeys, key, made.addedUntil))
        this.#pendingKeyTokens.delete(this.keyTokenOf(key));
    }
    for (const token of made.tokens) confirmOne(this.#pendingTokens, token, made.addedUntil);
  }

  /** Made at this time, whether or not confirmed. */
  addRecent(keys: Iterable<string>, tokens: Iterable<TokenName>, nowMs: number): void {
    for (const key of keys) refresh(this.#recentKeys, key, nowMs);
    for (const token of tokens) refresh(this.#recentTokens, token, nowMs);
    dropOld(this.#recentKeys, nowMs - this.recentMs);
    dropOld(this.#recentTokens, nowMs - this.recentMs);
    if (this.#recentKeys.size + this.#recentTokens.size > this.maxEntries) {
      this.#recentKeys.clear();
      this.#recentTokens.clear();
      this.#recentTokens.set(namespaceToken, nowMs);
    }
  }

  recent(nowMs: number): { keys: string[]; tokens: TokenName[] } {
    const young = ([, atMs]: [string, number]): boolean => atMs >= nowMs - this.recentMs;
    const names = (map: Map<string, number>): string[] => [...map].filter(young).map(([name]) => name);
    return { keys: names(this.#recentKeys), tokens: names(this.#recentTokens) };
  }
}

/** Maps keep the order of insertion: putting a name in anew makes it the youngest. */
function refresh(map: Map<string, number>, name: string, nowMs: number): void {
  map.delete(name);
  map.set(name, nowMs);
}

function dropOld(map: Map<string, number>, beforeMs: number): void {
  for (const [name, atMs] of map) {
    if (atMs >= beforeMs) return;
    map.delete(name);
  }
}

function confirmOne(pending: Map<string, number>, name: string, addedUntil: number): boolean {
  return (pending.get(name) ?? Infinity) <= addedUntil && pending.delete(name);
}
