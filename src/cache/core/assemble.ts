import { KeyNames } from './cache-key';
import { Background } from './background';
import type { Clock } from './clock';
import { EntryCodec, type CodecOptions } from './entry-codec';
import { CacheEvents } from './events';
import { InvalidationLog } from './invalidation-log';
import { KeyMemory } from './key-memory';
import { Leases } from './leases';
import type { LoadScope } from './load-scope';
import { NearCache, type NearEntry } from './near-cache';
import { checkOptions, type TieredCacheOptions } from './options';
import type { CacheParts, SharedParts } from './parts';
import type {
  Hash,
  LocalStore,
  RemoteTier,
  RemoteTierListener,
  ScopeContext,
  TokenName,
  Tracer,
} from './ports';
import { PlainHits } from './plain-hits';
import { PolicyOverrides } from './policy-overrides';
import { ReadProfile } from './read-profile';
import { SharedReader } from './shared-reader';
import { FlightTable } from './single-flight';
import { CacheStats } from './stats';
import { keyToken, tagToken, TokenTable } from './tokens';
import { Waiters } from './waiters';

const maxTagTokensRemembered = 10_000;

export interface TieredCacheDependencies {
  clock: Clock;
  hash: Hash;
  local: LocalStore<NearEntry>;
  scopes: ScopeContext<LoadScope>;
  codec: CodecOptions;
  /** The tier that instances share; without one everything lives in this process. */
  remote?: RemoteTier;
  /** Without one there are no spans. */
  tracer?: Tracer | undefined;
  /** For jitter; from 0 to 1. Default `Math.random`. */
  random?: () => number;
}

/** Builds what the rooms of a cache have in common, and attaches the shared tier. */
export function assemble(
  dependencies: TieredCacheDependencies,
  given: TieredCacheOptions,
  listener: RemoteTierListener,
): CacheParts {
  const { clock, hash, local, scopes, tracer } = dependencies;
  const options = checkOptions(given);
  const codec = new EntryCodec(dependencies.codec, clock);
  const flights = new FlightTable();
  const stats = new CacheStats(clock, codec);
  const profile = new ReadProfile(clock, hash);
  const plainHits = new PlainHits(stats, profile);
  const memory = new KeyMemory();
  const events = new CacheEvents();
  local.onEvict(name => {
    stats.count('evictions');
    memory.changed(name, 'evicted_l1');
  });
  const remote = dependencies.remote?.attach(listener);
  const names = new KeyNames(text => hash.sha256(text));
  const log = new InvalidationLog(key => keyToken(names.encode(key)));
  const tokens = new TokenTable(remote && (token => remote.coherence.gateOf(token)));
  const shared: SharedParts | undefined = remote && {
    ...remote,
    reader: new SharedReader(
      remote.store,
      remote.coherence,
      tokens,
      log,
      flights,
      codec,
      hash,
      clock,
      stats,
      events,
    ),
  };
  const tagTokens = new Map<string, TokenName>();
  const background = new Background();
  return {
    clock,
    hash,
    random: dependencies.random ?? Math.random,
    scopes,
    options,
    policies: new PolicyOverrides(),
    names,
    near: new NearCache(
      local,
      (name, expiresAtMs) => memory.cut(name, expiresAtMs),
      () => plainHits.settle(),
    ),
    codec,
    tokens,
    ownTokens: new TokenTable(undefined),
    flights,
    waiters: new Waiters(clock),
    log,
    memory,
    stats,
    profile,
    plainHits,
    events,
    background,
    leases: new Leases(remote?.store, background, clock),
    shared,
    tracer,
    tokenOf: tag => {
      let token = tagTokens.get(tag);
      if (token === undefined) {
        if (tagTokens.size >= maxTagTokensRemembered) tagTokens.clear();
        tagTokens.set(tag, (token = tagToken(tag, text => hash.sha256(text))));
      }
      return token;
    },
  };
}
