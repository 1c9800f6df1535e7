import { Answers, type CacheAnswer, type Reading } from './answers';
import { joinTags, type KeyName } from './cache-key';
import type { Call, CallOptions } from './call';
import { Caller, isWithin, type CallerParts, type Reader } from './caller';
import { CacheClosedError } from './errors';
import { Flying } from './flying';
import { foundOf, tokensOf } from './found';
import { Joining } from './joining';
import type { LoadBatch } from './load-batch';
import type { Loading } from './loading';
import type { Loader } from './loader';
import type { LoadScope } from './load-scope';
import type { NearEntry } from './near-cache';
import type { CacheParts } from './parts';
import { checkDuration, type CachePolicy, type CacheTier } from './policy';
import type { TokenName } from './ports';
import { Refreshes } from './refreshes';
import { keyToken, namespaceToken } from './tokens';

/** The way of a read: L1, or the flight that a caller joins or begins; see the head of `tiered-cache.ts`. */
export class Lookups {
  readonly #refreshes: Refreshes;
  readonly #flying: Flying;
  readonly #answers: Answers;
  readonly #callers: CallerParts;
  /** A policy never changes; one that is made for a call goes with it. */
  readonly #policyTokens = new WeakMap<CachePolicy, readonly TokenName[]>();
  #closed = false;

  constructor(
    private readonly parts: CacheParts,
    loading: Loading,
  ) {
    this.#flying = new Flying(parts, loading);
    this.#answers = new Answers(parts);
    const joining = new Joining(parts, this.#flying, loading);
    this.#refreshes = new Refreshes(parts, call => joining.begin(call).result);
    this.#callers = { parts, answers: this.#answers, joining, refreshes: this.#refreshes };
  }

  close(): void {
    this.#closed = true;
    this.#flying.close();
    this.#refreshes.close();
  }

  refuseWhenClosed(): void {
    if (this.#closed) throw new CacheClosedError();
  }

  /** Tells `reader` what is found under `key`, or what `loader` brings, or why there is neither. */
  read(
    key: string,
    loader: Loader<unknown> | undefined,
    options: CallOptions,
    reader: Reader,
    batch?: LoadBatch,
  ): void {
    let caller: Caller | CacheAnswer<unknown> | undefined;
    try {
      caller = this.#begin(key, loader, options, reader, batch);
    } catch (error) {
      return reader.failed(error);
    }
    if (caller instanceof Caller) caller.go();
    else if (caller) reader.answered(caller);
  }

  /** `read` for whoever awaits all of the answer. */
  answer(
    key: string,
    loader: Loader<unknown> | undefined,
    options: CallOptions,
  ): Promise<CacheAnswer<unknown>> {
    return new Promise((answered, failed) => this.read(key, loader, options, { answered, failed }));
  }

  /** `read` for whoever awaits the value; undefined: there is none. */
  value(key: string, loader: Loader<unknown> | undefined, options: CallOptions): Promise<unknown> {
    return new Promise((resolve, reject) =>
      this.read(key, loader, options, new ValueReader(resolve, reject)),
    );
  }

  /** The answer of L1, or whoever goes to look elsewhere, or neither: somebody is on his way to something fresher already. */
  #begin(
    key: string,
    loader: Loader<unknown> | undefined,
    options: CallOptions,
    reader: Reader,
    batch: LoadBatch | undefined,
  ): Caller | CacheAnswer<unknown> | undefined {
    const { clock, near, names, scopes, stats } = this.parts;
    const policy = this.#policyOf(options);
    const scope = scopes.current();
    this.refuseWhenClosed();
    // Inside a loader L1 is not trusted: its copy may be older than the tokens that the outer entry has captured. Alone it
    // is exact, because every invalidation is made here.
    const tier = this.#tierOf(policy);
    const asksNear =
      (scope?.load === undefined || !this.parts.shared) && tier !== 'redis' && typeof key === 'string';
    const counted = scope === undefined || scope.purpose === 'request';
    if (asksNear) {
      const nowMs = clock.coarseMs();
      const entry = near.read(names.nameOf(key), tier, nowMs, policy);
      if (entry && (nowMs < entry.staleAtMs || loader)) {
        scope?.load?.inherit(tokensOf(entry));
        let refreshing = false;
        const reading = { key, policy, scope };
        if (loader && (nowMs >= entry.refreshAtMs || this.#isWithin(reading, options, entry, nowMs))) {
          const call = this.callOf(key, loader, options, scope, batch);
          const patient = nowMs >= entry.staleAtMs && policy.softDeadlineMs > 0;
          if (patient) {
            if (counted) stats.add(policy.name, 'l1Hits');
            const caller = new Caller(this.#callers, call, options, false, reader);
            void caller.waitForFresher(foundOf(entry), 'l1', entry.fillId);
            return undefined;
          }
          refreshing = this.#refreshes.start(call, entry.fillId) !== undefined;
        }
        this.#answers.countNear(key, policy, scope, entry, nowMs, refreshing);
        return this.#answers.ofNear(entry);
      }
    }
    const named = names.of(key);
    if (options.tags) joinTags(policy.tags, options.tags);
    if (options.deadlineMs !== undefined)
      checkDuration('call', 'deadlineMs', options.deadlineMs, 1, 3_600_000);
    const looksHere = asksNear && counted;
    if (looksHere) stats.add(policy.name, 'l1Misses');
    const call = this.#callOf(key, named, loader, options, scope, batch);
    return new Caller(this.#callers, call, options, looksHere, reader);
  }

  /** A caller whose own threshold fails gets its error, and is counted. */
  #isWithin(reading: Reading, options: CallOptions, entry: NearEntry, nowMs: number): boolean {
    try {
      return isWithin(options, reading.scope, entry, nowMs);
    } catch (error) {
      this.#answers.error(reading);
      throw error;
    }
  }

  /**
   * The way of nearly every hit in L1, without a promise and without an answer object: what is fresh and not due for a refresh,
   * for a reader who is inside no load and acts for a user. It is counted. Undefined: `read` has to see what is to be done.
   */
  hit(key: string, options: CallOptions): NearEntry | undefined {
    const { clock, events, plainHits } = this.parts;
    const policy = this.#policyOf(options);
    const nowMs = clock.coarseMs();
    const entry = options.refreshWithinMs === undefined ? this.#near(key, policy, nowMs) : undefined;
    if (entry === undefined) return undefined;
    // The way of nearly all of them, short enough for the compiler to put it where it is called.
    if (entry.countedFor === policy && nowMs < entry.plainUntilMs && !events.hearsReads)
      plainHits.again(entry);
    else if (!isFresh(entry, nowMs)) return undefined;
    else this.#countFresh(key, policy, entry, nowMs);
    return entry;
  }

  /** A hit that is not like the one before it. */
  #countFresh(key: string, policy: CachePolicy, entry: NearEntry, nowMs: number): void {
    const { events, plainHits } = this.parts;
    if (entry.negative || events.hearsReads)
      this.#answers.countNear(key, policy, undefined, entry, nowMs, false);
    else plainHits.begin(entry, policy, nowMs);
  }

  /** `hit` for several keys: puts the values into `found`, and returns the keys that have to be looked for elsewhere, each once. */
  hits(keys: readonly string[], options: CallOptions, found: Map<string, unknown>): Set<string> {
    const { clock, events, near, names, plainHits, scopes } = this.parts;
    const policy = this.#policyOf(options);
    const tier = this.#tierOf(policy);
    // What concerns all of them is asked once.
    if (this.#closed || tier === 'redis' || options.refreshWithinMs !== undefined || scopes.current())
      return new Set(keys);
    const missing = new Set<string>();
    const nowMs = clock.coarseMs();
    const isHeard = events.hearsReads;
    for (const key of keys) {
      const name = typeof key === 'string' ? names.knownNameOf(key) : undefined;
      const entry = name === undefined ? undefined : near.read(name, tier, nowMs, policy);
      if (entry === undefined || !isFresh(entry, nowMs)) {
        missing.add(key);
        continue;
      }
      const already = found.size;
      found.set(key, entry.held.read());
      // Named twice, read once.
      if (found.size === already) continue;
      // Not before the value is read: a serialiser that asks for statistics ends that the entry counts.
      if (entry.countedFor === policy && nowMs < entry.plainUntilMs && !isHeard) plainHits.again(entry);
      else this.#countFresh(key, policy, entry, nowMs);
    }
    return missing;
  }

  /** What `hit` has found, for whoever wants to know more than the value. */
  answerOf(entry: NearEntry): CacheAnswer<unknown> {
    return this.#answers.ofNear(entry);
  }

  /** What L1 may serve, to a reader who is inside no load. */
  #near(key: string, policy: CachePolicy, nowMs: number): NearEntry | undefined {
    if (this.#closed || typeof key !== 'string') return undefined;
    const { near, names, scopes } = this.parts;
    const tier = this.#tierOf(policy);
    if (tier === 'redis') return undefined;
    const name = names.knownNameOf(key);
    if (name === undefined || scopes.current() !== undefined) return undefined;
    return near.read(name, tier, nowMs, policy);
  }

  /** See `TieredCache.peekFresh`. */
  peekFresh(key: string, policy: CachePolicy): CacheAnswer<unknown> | undefined {
    const nowMs = this.parts.clock.coarseMs();
    const entry = this.#near(key, this.parts.policies.of(policy), nowMs);
    return entry?.held.shared && isFresh(entry, nowMs) ? this.answerOf(entry) : undefined;
  }

  /** See `TieredCache.countPeeked`. */
  countPeeked(key: string, policy: CachePolicy, { outcome }: CacheAnswer<unknown>): void {
    const { clock, names, near, profile, stats } = this.parts;
    const nowMs = clock.coarseMs();
    stats.hit(policy.name, outcome, nowMs);
    const entry = near.look(names.nameOf(key));
    if (entry?.probe !== undefined) profile.hit(entry.probe, outcome, nowMs, entry.bornAtMs);
    this.#answers.tell({ key, policy, scope: undefined }, { outcome, source: 'l1', stored: true });
  }

  /** @throws CacheKeyError */
  callOf(
    key: string,
    loader: Loader<unknown> | undefined,
    options: CallOptions,
    scope: LoadScope | undefined,
    batch?: LoadBatch,
  ): Call {
    return this.#callOf(key, this.parts.names.of(key), loader, options, scope, batch);
  }

  #callOf(
    key: string,
    { name, encoded }: KeyName,
    loader: Loader<unknown> | undefined,
    options: CallOptions,
    scope: LoadScope | undefined,
    batch: LoadBatch | undefined,
  ): Call {
    const { scopes, shared, tokenOf } = this.parts;
    const policy = this.#policyOf(options);
    let tokens = this.#tokensOf(policy);
    if (options.tags) tokens = [...new Set([...tokens, ...options.tags.map(tag => tokenOf(tag))])];
    // In the shared tiers the key itself is what an invalidation removes; a local entry needs a token for that.
    if (shared && policy.tier === 'local') tokens = [...tokens, keyToken(encoded)];
    return {
      key,
      name,
      remoteKey: { key, encoded, tracked: policy.tier === 'shared' },
      policy,
      loader,
      tokens,
      dynamicTags: options.dynamicTags ?? false,
      scope,
      place: scopes.place(),
      purpose: scope?.purpose ?? 'request',
      batch,
      refreshOf: undefined,
    };
  }

  /** What every entry of a policy depends on. */
  #tokensOf(policy: CachePolicy): readonly TokenName[] {
    let tokens = this.#policyTokens.get(policy);
    if (tokens === undefined) {
      tokens = [...new Set([namespaceToken, ...policy.tags.map(tag => this.parts.tokenOf(tag))])];
      this.#policyTokens.set(policy, tokens);
      this.parts.tokens.listOf(tokens);
    }
    return tokens;
  }

  #policyOf({ policy }: CallOptions): CachePolicy {
    return this.parts.policies.of(policy ?? this.parts.options.defaultPolicy);
  }

  /** With no shared tier everything is local. */
  #tierOf(policy: CachePolicy): CacheTier {
    return this.parts.shared ? policy.tier : 'local';
  }
}

/** Whether it is served without anything being done about it. */
function isFresh(entry: NearEntry, nowMs: number): boolean {
  return nowMs < entry.refreshAtMs && nowMs < entry.staleAtMs;
}

/** Takes the value of an answer. */
class ValueReader implements Reader {
  constructor(
    private readonly resolve: (value: unknown) => void,
    readonly failed: (error: unknown) => void,
  ) {}

  answered({ value }: CacheAnswer<unknown>): void {
    this.resolve(value);
  }
}
