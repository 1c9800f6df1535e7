import type { HeldValue } from './entry-codec';
import type { Gate, LocalStore, TokenName } from './ports';
import type { CachePolicy, CacheTier } from './policy';
import { cutLife } from './policy-overrides';
import type { Probe } from './read-profile';
import type { TokenRecord, TokenTable } from './tokens';

/** An entry of L1. Times are local monotonic milliseconds. */
export interface NearEntry {
  readonly held: HeldValue;
  readonly negative: boolean;
  readonly tier: CacheTier;
  readonly fillId: string;
  readonly bornAtMs: number;
  /** These three may come sooner than they were stored with, when the policy is overridden. */
  refreshAtMs: number;
  staleAtMs: number;
  expiresAtMs: number;
  /** Until then the fail-safe may fall back on it; not before the end of its life. */
  readonly keptUntilMs: number;
  /** What it depends on: the record says what the token is now, `tokens` what it was at the load. */
  readonly records: readonly TokenRecord[];
  readonly tokens: readonly string[];
  /** Where the records are, and its count of changes when all tokens were last found to be equal. */
  readonly table: TokenTable;
  equalAtChange: number;
  /** All must be open for it to be served. */
  readonly gates: readonly Gate[];
  /** The connection under which it was stored; with an older one it is suspect. */
  readonly epoch: number;
  /** Where its hits are looked at more closely, for a sample of the keys. */
  readonly probe: Probe | undefined;
  /** Plain hits not yet in the statistics, the policy under which they were made, and until when one is like the other. */
  plainHits: number;
  countedFor: CachePolicy | undefined;
  plainUntilMs: number;
}

/** Bookkeeping around the value, for the bounds of L1: keys, record pointers, the entry object. */
const overheadBytes = 200;

/**
 * L1 as the protocol sees it: an entry is served only while nothing can have been missed about it. A lost connection
 * makes everything suspect at once, by one number; being armed again empties it.
 */
export class NearCache {
  #epoch = 0;
  #closed = false;

  /** @param onCut hears of an entry that ends sooner than it was stored with; @param onClear, that all of them are gone */
  constructor(
    private readonly store: LocalStore<NearEntry>,
    private readonly onCut: (name: string, expiresAtMs: number) => void,
    private readonly onClear: () => void = () => undefined,
  ) {}

  get epoch(): number {
    return this.#epoch;
  }

  get entries(): number {
    return this.store.entries;
  }

  get bytes(): number {
    return this.store.bytes;
  }

  /** The entry if it may be served now, fresh or stale, under the policy in force. */
  read(name: string, tier: CacheTier, nowMs: number, policy: CachePolicy): NearEntry | undefined {
    const entry = this.store.get(name);
    if (entry === undefined || entry.epoch !== this.#epoch) return undefined;
    // Where an earlier hit has found that so many others are like it, its life and its policy are not asked again.
    const isPlain = entry.countedFor === policy && nowMs < entry.plainUntilMs;
    if (!isPlain && !this.#lives(name, entry, tier, nowMs, policy)) return undefined;
    for (let index = 0; index < entry.gates.length; index += 1) {
      if (!entry.gates[index]!.isOpen(nowMs)) return undefined;
    }
    return entry.equalAtChange === entry.table.changes || hasEqualTokens(entry) ? entry : undefined;
  }

  #lives(name: string, entry: NearEntry, tier: CacheTier, nowMs: number, policy: CachePolicy): boolean {
    if (entry.tier !== tier) return false;
    if (policy.overridden) this.#cut(name, entry, policy);
    if (nowMs < entry.expiresAtMs) return true;
    if (nowMs >= entry.keptUntilMs) this.store.delete(name);
    return false;
  }

  /** The entry whether or not its tokens are known to be valid; for whoever is about to read them. */
  peek(name: string, tier: CacheTier, nowMs: number, policy: CachePolicy): NearEntry | undefined {
    const entry = this.store.get(name);
    if (!entry || entry.tier !== tier || entry.epoch !== this.#epoch) return undefined;
    if (policy.overridden) this.#cut(name, entry, policy);
    return nowMs < entry.expiresAtMs ? entry : undefined;
  }

  /** Whatever is held under the name, servable or not; for looking only. */
  look(name: string): NearEntry | undefined {
    return this.store.peek(name);
  }

  /** An entry from before the connection was lost, or loaded while it was away, for the fail-safe. */
  suspect(name: string, nowMs: number): NearEntry | undefined {
    const entry = this.store.get(name);
    const valid = entry?.records.every((record, index) => record.token === entry.tokens[index]);
    return entry && valid && nowMs < entry.keptUntilMs ? entry : undefined;
  }

  keep(name: string, entry: NearEntry): boolean {
    return (
      !this.#closed &&
      this.store.set(name, entry, entry.held.size + name.length * 2 + overheadBytes, entry.keptUntilMs)
    );
  }

  drop(name: string): void {
    this.store.delete(name);
  }

  names(): Iterable<string> {
    return this.store.keys();
  }

  /** Drops every entry whose own name, or a token of which, is in question. */
  dropWhere(isOf: (name: string, tokens: readonly TokenName[]) => boolean): void {
    for (const name of [...this.store.keys()]) {
      const tokens = this.store.peek(name)?.records.map(record => record.name) ?? [];
      if (isOf(name, tokens)) this.store.delete(name);
    }
  }

  /** In its place, so that only the first read after a change of the policy does anything. */
  #cut(name: string, entry: NearEntry, policy: CachePolicy): void {
    const { bornAtMs } = entry;
    const stored = { softTtlMs: entry.staleAtMs - bornAtMs, hardTtlMs: entry.expiresAtMs - bornAtMs };
    const { softTtlMs, hardTtlMs } = cutLife(stored, policy);
    if (softTtlMs === stored.softTtlMs && hardTtlMs === stored.hardTtlMs) return;
    const isRefreshed = entry.refreshAtMs < entry.expiresAtMs;
    // Whoever reads it under a policy that is not overridden, or not any more, looks at what is left of its life.
    entry.plainUntilMs = 0;
    entry.staleAtMs = bornAtMs + softTtlMs;
    entry.expiresAtMs = bornAtMs + hardTtlMs;
    const refreshAtMs = bornAtMs + softTtlMs * (policy.refreshAheadFraction || 1);
    entry.refreshAtMs = isRefreshed ? Math.min(entry.refreshAtMs, refreshAtMs) : entry.expiresAtMs;
    this.onCut(name, entry.expiresAtMs);
  }

  /** What was stored until now is not served any more, but stays for the fail-safe. */
  suspectAll(): void {
    this.#epoch += 1;
  }

  clear(): void {
    this.#epoch += 1;
    this.store.clear();
    this.onClear();
  }

  /** Nothing enters any more: a load that did not end in time may still bring something. */
  close(): void {
    this.#closed = true;
    this.clear();
  }
}

/** Compared one by one only where something has changed since the last time. */
function hasEqualTokens(entry: NearEntry): boolean {
  for (let index = 0; index < entry.records.length; index += 1) {
    if (entry.records[index]!.token !== entry.tokens[index]) return false;
  }
  entry.equalAtChange = entry.table.changes;
  return true;
}
