import type { Background } from './background';
import type { KeyNames } from './cache-key';
import type { Clock } from './clock';
import type { EntryCodec } from './entry-codec';
import type { CacheEvents } from './events';
import type { InvalidationLog } from './invalidation-log';
import type { KeyMemory } from './key-memory';
import type { Leases } from './leases';
import type { LoadScope } from './load-scope';
import type { NearCache } from './near-cache';
import type { CacheOptions } from './options';
import type { Coherence, Hash, RemoteStore, ScopeContext, TokenName, Tracer } from './ports';
import type { PlainHits } from './plain-hits';
import type { PolicyOverrides } from './policy-overrides';
import type { ReadProfile } from './read-profile';
import type { SharedReader } from './shared-reader';
import type { FlightTable } from './single-flight';
import type { CacheStats } from './stats';
import type { TokenTable } from './tokens';
import type { Waiters } from './waiters';

/** The shared tier as the core uses it. */
export interface SharedParts {
  readonly store: RemoteStore;
  readonly coherence: Coherence;
  readonly reader: SharedReader;
}

/** What the rooms of the cache have in common. Built once by `TieredCache`; nothing in it is replaced later. */
export interface CacheParts {
  readonly clock: Clock;
  readonly hash: Hash;
  readonly random: () => number;
  readonly scopes: ScopeContext<LoadScope>;
  readonly options: CacheOptions;
  /** Every policy that comes in with a call goes through here: what it brings back is in force. */
  readonly policies: PolicyOverrides;
  readonly names: KeyNames;
  readonly near: NearCache;
  readonly codec: EntryCodec;
  /** Tokens as they are in Redis. */
  readonly tokens: TokenTable;
  /** Tokens of this process, for entries that depend on no other: there is no shared tier, or it is away. */
  readonly ownTokens: TokenTable;
  readonly flights: FlightTable;
  readonly waiters: Waiters;
  readonly log: InvalidationLog;
  readonly leases: Leases;
  readonly memory: KeyMemory;
  readonly stats: CacheStats;
  readonly profile: ReadProfile;
  readonly plainHits: PlainHits;
  readonly events: CacheEvents;
  readonly background: Background;
  readonly shared: SharedParts | undefined;
  readonly tracer: Tracer | undefined;
  /** The token of a tag. */
  readonly tokenOf: (tag: string) => TokenName;
}

/** The shared tier, if it is reachable. */
export function usableShared(parts: CacheParts): SharedParts | undefined {
  return parts.shared?.store.available ? parts.shared : undefined;
}

/**
 * The shared tier, if it may be asked for this key and what depends on these tokens: it is reachable, and no invalidation made
 * here of any of them is still to be made there. Reading before that would bring back what was invalidated.
 */
export function sharedFor(
  parts: CacheParts,
  key: string,
  tokens: Iterable<TokenName>,
): SharedParts | undefined {
  const { log } = parts;
  if (log.pending > 0) {
    if (log.concernsKey(key)) return undefined;
    for (const token of tokens) if (log.concernsToken(token)) return undefined;
  }
  return usableShared(parts);
}
