import { encodeKey } from './cache-key';
import type { Gate, NamePart, TokenName } from './ports';

/**
 * Tokens: random 96-bit strings that an entry copies when it is loaded and that must still be there, equal, when it
 * is read. Removing one invalidates everything that copied it, in one command, whatever the number of entries; a
 * token that was lost invalidates too. They are never counters: a counter that is lost starts again at numbers
 * already given out (symfony/symfony#44015).
 */

/** Every entry depends on it; removing it clears the namespace. */
export const namespaceToken: TokenName = '!ns';
/** Removed by every tag invalidation: loads that choose their tags only at the end hold on to it (protocol 1.2, 8). */
export const anyToken: TokenName = '!any';
const keyTokenPrefix = '!key:';

/** The token that a local-tier entry of this encoded key depends on. */
export function keyToken(encodedKey: string): TokenName {
  return keyTokenPrefix + encodedKey;
}

/** The encoded key that a key token stands for; undefined for other tokens. */
export function keyOfToken(token: TokenName): string | undefined {
  return token.startsWith(keyTokenPrefix) ? token.slice(keyTokenPrefix.length) : undefined;
}

/** Whether it is the token of a tag: none of the cache's own, whose names begin with a sign that no tag has. */
export function isTag(token: TokenName): boolean {
  return !token.startsWith('!');
}

export function tagToken(tag: string, sha256: (text: string) => string): TokenName {
  return encodeKey(tag, sha256);
}

/** Tokens and their values, as an entry has copied them. */
export type Copied = readonly (readonly [TokenName, string])[];

/** What this process knows of one token. Entries in L1 point to it, so a check is a comparison and no look-up. */
export interface TokenRecord {
  readonly name: TokenName;
  /** As last read from Redis; undefined when not known or no longer to be trusted. */
  token: string | undefined;
  /** Counts changes heard or made; a value read before a change must not be learned after it. */
  changes: number;
  readonly gate: Gate | undefined;
}

/**
 * The tokens known to this process. Bounded: over the bound the oldest are forgotten, which costs a read, never
 * a stale answer, because a forgotten record no longer equals anything.
 */
export class TokenTable {
  readonly #records = new Map<TokenName, TokenRecord>();
  /** Counts changes of what is known, of whichever token: while it stands still, what was found to be equal still is. */
  changes = 0;
  /** Counts how often records were dropped: who holds some may hold one that learns nothing any more. */
  drops = 0;
  readonly #lists = new WeakMap<readonly TokenName[], TokenList>();

  constructor(
    private readonly gateOf: ((token: TokenName) => Gate) | undefined,
    readonly maxTokens = 50_000,
  ) {}

  get size(): number {
    return this.#records.size;
  }

  record(name: TokenName): TokenRecord {
    let record = this.#records.get(name);
    if (!record) {
      if (this.#records.size >= this.maxTokens) this.#forgetOldest();
      record = { name, token: undefined, changes: 0, gate: this.gateOf?.(name) };
      this.#records.set(name, record);
    }
    return record;
  }

  /**
   * All of these tokens, if all are known and may be trusted. Those of one call alone are looked up: a list for each costs twenty
   * times that.
   */
  knownOf(names: readonly TokenName[], nowMs: number): Copied | undefined {
    const list = this.#lists.get(names);
    if (list !== undefined) return list.known(nowMs);
    const copied: [TokenName, string][] = [];
    for (const name of names) {
      const record = this.#records.get(name);
      if (record?.token === undefined || !(record.gate?.isOpen(nowMs) ?? true)) return undefined;
      copied.push([name, record.token]);
    }
    return copied;
  }

  /** The records of these names, the same for the same array: for names that many calls have in common. */
  listOf(names: readonly TokenName[]): TokenList {
    let list = this.#lists.get(names);
    if (list === undefined) this.#lists.set(names, (list = new TokenList(this, names)));
    return list;
  }

  /** The token changed or may have: it is not known any more. */
  forget(name: TokenName): void {
    const record = this.#records.get(name);
    if (record) this.#forget(record);
  }

  /**
   * Learns a token that was read while `record.changes` was `changesBefore`. Without an open gate nothing is learned:
   * the message that would take it back might never be heard.
   */
  learn(record: TokenRecord, token: string | undefined, changesBefore: number, nowMs: number): void {
    if (token === undefined || token === record.token || record.changes !== changesBefore) return;
    if (!(record.gate?.isOpen(nowMs) ?? true)) return;
    record.token = token;
    this.changes += 1;
  }

  /** Whether all of these are known to be so now. */
  hold(copied: Copied, nowMs: number): boolean {
    for (const [name, token] of copied) {
      const record = this.#records.get(name);
      if (record?.token !== token || !(record.gate?.isOpen(nowMs) ?? true)) return false;
    }
    return true;
  }

  /** Names of the tokens whose value is known here. */
  *known(): Iterable<TokenName> {
    for (const record of this.#records.values()) if (record.token !== undefined) yield record.name;
  }

  /** All of a part may have changed. */
  forgetPart(part: NamePart): void {
    for (const name of this.#records.keys()) if (part(name)) this.forget(name);
  }

  /** Everything may have changed. */
  clear(): void {
    for (const record of this.#records.values()) this.#forget(record);
    this.#records.clear();
    this.drops += 1;
  }

  #forgetOldest(): void {
    let left = Math.ceil(this.maxTokens / 10);
    this.drops += 1;
    for (const [name, record] of this.#records) {
      // Every entry depends on this one.
      if (name === namespaceToken) continue;
      this.#forget(record);
      this.#records.delete(name);
      if (--left <= 0) return;
    }
  }

  #forget(record: TokenRecord): void {
    record.token = undefined;
    record.changes += 1;
    this.changes += 1;
  }
}

/** What entries under the same names copy: worked out once, until what is known of a token changes. */
export class TokenList {
  #records: readonly TokenRecord[] = [];
  #gates: readonly Gate[] = [];
  #copied: Copied | undefined;
  #atChange = -1;
  #atDrop = -1;

  constructor(
    private readonly table: TokenTable,
    private readonly names: readonly TokenName[],
  ) {}

  /** All of the tokens, if all are known and may be trusted. */
  known(nowMs: number): Copied | undefined {
    if (this.#atChange !== this.table.changes) this.#workOut();
    for (const gate of this.#gates) if (!gate.isOpen(nowMs)) return undefined;
    return this.#copied;
  }

  #workOut(): void {
    const { table } = this;
    if (this.#atDrop !== table.drops) {
      // Noted before: to make a record may be to drop others, of these too.
      this.#atDrop = table.drops;
      this.#records = this.names.map(name => table.record(name));
      this.#gates = [...new Set(this.#records.flatMap(({ gate }) => gate ?? []))];
    }
    this.#atChange = table.changes;
    const copied: [TokenName, string][] = [];
    for (const { name, token } of this.#records) if (token !== undefined) copied.push([name, token]);
    this.#copied = copied.length === this.#records.length ? copied : undefined;
  }
}
