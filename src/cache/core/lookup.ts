import { checkKey, joinTags } from './cache-key';
import type { Call, CallOptions } from './call';
import { CacheClosedError, CacheDeadlockError } from './errors';
import { Flying } from './flying';
import { foundOf, isUsable, tokensOf } from './found';
import { withinLimits, withinPatience, type CallerLimits } from './limits';
import type { LoadBatch } from './load-batch';
import type { Loading } from './loading';
import type { Loader } from './loader';
import type { LoadScope } from './load-scope';
import type { NearEntry } from './near-cache';
import type { AnswerSource, MissCause, Outcome } from './outcomes';
import type { CacheParts } from './parts';
import { checkDuration, type CachePolicy, type CacheTier } from './policy';
import type { TokenName } from './ports';
import { mayJoinInside } from './protocol';
import { Refreshes } from './refreshes';
import type { Flight, FlightResult, FoundEntry } from './single-flight';
import { keyToken, namespaceToken } from './tokens';

/** An answer, and how it came about. Durations are milliseconds. */
export interface CacheAnswer<T> {
  /** Plain data deep-frozen; anything else decoded for this caller. */
  value: T;
  outcome: Outcome;
  /** Why there was no fresh entry; for a miss. */
  cause: MissCause | undefined;
  source: AnswerSource | undefined;
  /** Since the value was stored; 0 for one just loaded. */
  ageMs: number;
  /** Fresh life left; negative when stale. */
  freshMs: number;
  /** Stale window left after the fresh life. */
  staleMs: number;
  /** Whether the cache holds the value now. */
  stored: boolean;
}

/** The way of a read: L1, the flight that it joins or begins, and the answer; see the head of `tiered-cache.ts`. */
export class Lookups {
  readonly #refreshes: Refreshes;
  readonly #flying: Flying;
  /** A policy never changes; one that is made for a call goes with it. */
  readonly #policyTokens = new WeakMap<CachePolicy, readonly TokenName[]>();
  #closed = false;

  constructor(
    private readonly parts: CacheParts,
    private readonly loading: Loading,
  ) {
    this.#flying = new Flying(parts, loading);
    this.#refreshes = new Refreshes(parts, call => this.#begin(call).result);
  }

  close(): void {
    this.#closed = true;
    this.#flying.close();
    this.#refreshes.close();
  }

  refuseWhenClosed(): void {
    if (this.#closed) throw new CacheClosedError();
  }

  async read(
    key: string,
    loader: Loader<unknown> | undefined,
    options: CallOptions,
    batch?: LoadBatch,
  ): Promise<CacheAnswer<unknown>> {
    const { clock, near, names, scopes, stats } = this.parts;
    const policy = this.#policyOf(options);
    const scope = scopes.current();
    this.refuseWhenClosed();
    // Inside a loader L1 is not trusted: its copy may be older than the tokens that the outer entry has captured. Alone it
    // is exact, because every invalidation is made here.
    const asksNear = (scope?.load === undefined || !this.parts.shared) && typeof key === 'string';
    const counted = scope === undefined || scope.purpose === 'request';
    if (asksNear) {
      const nowMs = clock.coarseMs();
      const entry = near.read(names.nameOf(key), this.#tierOf(policy), nowMs, policy);
      if (entry && (nowMs < entry.staleAtMs || loader)) {
        scope?.load?.inherit(tokensOf(entry));
        let refreshing = false;
        if (loader && (nowMs >= entry.refreshAtMs || isWithin(options, scope, entry, nowMs))) {
          const call = this.callOf(key, loader, options, scope, batch);
          const patient = nowMs >= entry.staleAtMs && policy.softDeadlineMs > 0;
          if (patient) {
            if (counted) stats.add(policy.name, 'l1Hits');
            return this.#fresherThan(foundOf(entry), 'l1', entry.fillId, call, options);
          }
          refreshing = this.#refreshes.start(call, entry.fillId) !== undefined;
        }
        return nearAnswer(entry, this.#countNear(key, policy, scope, entry, nowMs, refreshing), nowMs);
      }
    }
    checkKey(key);
    if (options.tags) joinTags(policy.tags, options.tags);
    if (options.deadlineMs !== undefined)
      checkDuration('call', 'deadlineMs', options.deadlineMs, 1, 3_600_000);
    const looksHere = asksNear && counted && policy.tier !== 'redis';
    if (looksHere) stats.add(policy.name, 'l1Misses');
    const call = this.callOf(key, loader, options, scope, batch);
    let left = false;
    const limits: CallerLimits = {
      key,
      deadlineMs: options.deadlineMs ?? policy.deadlineMs,
      signal: options.signal,
      leave: () => (left = true),
    };
    const joined = await this.#orCount(call, async () => {
      if (scope?.load?.chain.includes(call.name)) throw new CacheDeadlockError(key);
      options.signal?.throwIfAborted();
      return withinLimits(
        clock,
        limits,
        this.#join(call, () => left),
      );
    });
    if (looksHere && joined.result.kind === 'found' && joined.result.source === 'l1') {
      // It was here after all: its tokens only had to be read again.
      stats.add(policy.name, 'l1Misses', -1);
      stats.add(policy.name, 'l1Hits');
    }
    // Here and not where the answer came in: a caller who has left meanwhile has been counted as an error.
    return this.#conclude(call, options, joined);
  }

  /**
   * The way of nearly every hit in L1, without a promise and without an answer object: what is fresh and not due for a refresh,
   * for a reader who is inside no load and acts for a user. It is counted. Undefined: `read` has to see what is to be done.
   */
  hit(key: string, options: CallOptions): NearEntry | undefined {
    const policy = this.#policyOf(options);
    const nowMs = this.parts.clock.coarseMs();
    const entry = options.refreshWithinMs === undefined ? this.#fresh(key, policy, nowMs) : undefined;
    if (entry !== undefined) this.#countNear(key, policy, undefined, entry, nowMs, false);
    return entry;
  }

  /** What `hit` has found, for whoever wants to know more than the value. */
  answerOf(entry: NearEntry): CacheAnswer<unknown> {
    const nowMs = this.parts.clock.coarseMs();
    return nearAnswer(entry, foundOutcome(entry, 'l1', nowMs), nowMs);
  }

  #fresh(key: string, policy: CachePolicy, nowMs: number): NearEntry | undefined {
    if (this.#closed || typeof key !== 'string') return undefined;
    const { near, names, scopes } = this.parts;
    const name = names.knownNameOf(key);
    if (name === undefined || scopes.current() !== undefined) return undefined;
    const entry = near.read(name, this.#tierOf(policy), nowMs, policy);
    return entry !== undefined && nowMs < entry.refreshAtMs && nowMs < entry.staleAtMs ? entry : undefined;
  }

  /** See `TieredCache.peekFresh`. */
  peekFresh(key: string, policy: CachePolicy): CacheAnswer<unknown> | undefined {
    const inForce = this.parts.policies.of(policy);
    const entry = this.#fresh(key, inForce, this.parts.clock.coarseMs());
    return entry?.held.shared ? this.answerOf(entry) : undefined;
  }

  /** See `TieredCache.countPeeked`. */
  countPeeked(key: string, policy: CachePolicy, { outcome }: CacheAnswer<unknown>): void {
    const { clock, names, near, profile, stats } = this.parts;
    const nowMs = clock.coarseMs();
    stats.hit(policy.name, outcome, nowMs);
    const entry = near.look(names.nameOf(key));
    if (entry?.probe !== undefined) profile.hit(entry.probe, outcome, nowMs, entry.bornAtMs);
    this.#tell(key, policy, undefined, { outcome, source: 'l1', stored: true });
  }

  callOf(
    key: string,
    loader: Loader<unknown> | undefined,
    options: CallOptions,
    scope: LoadScope | undefined,
    batch?: LoadBatch,
  ): Call {
    const { names, shared, tokenOf } = this.parts;
    const policy = this.#policyOf(options);
    const encoded = names.encode(key);
    let tokens = this.#tokensOf(policy);
    if (options.tags) tokens = [...new Set([...tokens, ...options.tags.map(tag => tokenOf(tag))])];
    // In the shared tiers the key itself is what an invalidation removes; a local entry needs a token for that.
    if (shared && policy.tier === 'local') tokens = [...tokens, keyToken(encoded)];
    return {
      key,
      name: names.nameOf(key),
      remoteKey: { key, encoded, tracked: policy.tier === 'shared' },
      policy,
      loader,
      tokens,
      dynamicTags: options.dynamicTags ?? false,
      scope,
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
    }
    return tokens;
  }

  /** Joins the flight of this key if it may be joined, or begins one. */
  async #join(call: Call, hasLeft: () => boolean): Promise<Joined> {
    for (;;) {
      const flight = this.parts.flights.current(call.name) ?? this.#onlyRefresh(call);
      if (flight?.doubt) {
        await flight.doubt;
        continue;
      }
      if (!flight || !this.#mayJoin(flight, call)) {
        return { result: await awaited(call, this.#begin(call)), joined: false };
      }
      call.batch?.decided(call.key);
      const result = await awaited(call, flight);
      // An answer for one caller alone: everybody else asks for himself, at once and not one after the other.
      if (result.kind === 'private') {
        // Nobody waits for it any more: not worth a load of its own.
        if (hasLeft()) return { result: { kind: 'absent', cause: result.cause }, joined: true };
        return { result: await this.loading.loadAlone(call, result.cause), joined: false };
      }
      // A plain read found nothing: whoever has a loader goes on from there.
      if (result.kind === 'absent' && call.loader) continue;
      // One with a loader may be content with a stale entry; a plain read is not.
      if (
        !call.loader &&
        result.kind === 'found' &&
        !isUsable(call, result.entry, this.parts.clock.nowMs())
      ) {
        return { result: { kind: 'absent', cause: 'expired' }, joined: true };
      }
      return { result, joined: true };
    }
  }

  /** Where nothing but this process holds the entry, a refresh is the only load there may be. */
  #onlyRefresh(call: Call): Flight | undefined {
    return this.#tierOf(call.policy) === 'local' ? this.parts.flights.refreshing(call.name) : undefined;
  }

  /**
   * Whether a caller may share a flight: not one that a change has overtaken, and an old one only as long as its lease
   * was renewed lately and this process hears of changes. Inside a loader: only one that began after the outer capture.
   */
  #mayJoin(flight: Flight, call: Call): boolean {
    if (flight.isOutdated) return false;
    const outer = call.scope?.load;
    if (outer) {
      // Two loaders that ask for each other's keys would wait for each other.
      if (flight.waitsFor(outer.flight)) return false;
      if (!mayJoinInside(flight, outer.capturedAt)) return false;
    }
    if (!this.parts.shared) return true;
    const nowMs = this.parts.clock.nowMs();
    const { maxL1StalenessMs } = this.parts.options;
    if (nowMs - flight.startedAtMs <= maxL1StalenessMs) return true;
    return nowMs - flight.vouchedAtMs <= maxL1StalenessMs && flight.gates.every(gate => gate.isOpen(nowMs));
  }

  #begin(call: Call): Flight {
    const { flights, clock, background } = this.parts;
    const flight = flights.begin(call.name, clock.nowMs(), call.refreshOf !== undefined);
    // The flight ends before anybody hears of it: a call made in answer to an error begins anew.
    const flown = this.#flying.fly(flight, call).then(
      result => {
        flights.end(flight, 'entry' in result ? result.entry.tokens : []);
        flight.settle(result);
      },
      (error: unknown) => {
        flights.end(flight);
        flight.fail(error);
      },
    );
    background.track(flown);
    return flight;
  }

  // ------------------------------------------------------------------------------------------ answers

  /** The answer that a flight has brought; a stale one may wait for something fresher. */
  #conclude(
    call: Call,
    options: CallOptions,
    { result, joined }: Joined,
  ): CacheAnswer<unknown> | Promise<CacheAnswer<unknown>> {
    const nowMs = this.parts.clock.nowMs();
    if (result.kind === 'absent' || result.kind === 'private') {
      const how = { outcome: 'miss', cause: result.cause, source: undefined, stored: false } as const;
      this.#count(call.key, call.policy, call.scope, how);
      const value = result.kind === 'private' ? result.value : undefined;
      return { ...how, value, source: call.loader ? 'load' : undefined, ageMs: 0, freshMs: 0, staleMs: 0 };
    }
    const { entry } = result;
    call.scope?.load?.inherit(entry.tokens);
    if (result.kind === 'loaded') {
      const how = joined
        ? ({ outcome: 'coalesced', source: 'load', stored: result.stored } as const)
        : ({ outcome: 'miss', cause: result.cause, source: 'load', stored: result.stored } as const);
      return this.#answer(call.key, call.policy, call.scope, entry, how);
    }
    let refreshing = false;
    if (call.loader && !result.suspect) {
      if (nowMs >= entry.staleAtMs && call.policy.softDeadlineMs > 0)
        return this.#fresherThan(entry, result.source, result.fillId, call, options);
      const refreshAtMs =
        entry.bornAtMs + (entry.staleAtMs - entry.bornAtMs) * (call.policy.refreshAheadFraction || 1);
      const isDue = nowMs >= refreshAtMs || isWithin(options, call.scope, entry, nowMs);
      if (!joined && !entry.negative && isDue)
        refreshing = this.#refreshes.start(call, result.fillId) !== undefined;
    }
    return this.#foundAnswer(call, entry, result.source, nowMs, refreshing);
  }

  /**
   * A stale entry is at hand. The caller waits until the policy's soft deadline for the refresh that runs behind it, and
   * gets what it brings; else the stale value, which is better than an error. The refresh goes on in either case.
   */
  async #fresherThan(
    entry: FoundEntry,
    source: 'l1' | 'l2',
    fillId: string,
    call: Call,
    options: CallOptions,
  ): Promise<CacheAnswer<unknown>> {
    const { clock, flights } = this.parts;
    const own = this.#refreshes.start(call, fillId);
    const other = own ? undefined : (flights.refreshing(call.name) ?? flights.current(call.name));
    const hoped = own ?? (other && !other.doubt && this.#mayJoin(other, call) ? other.result : undefined);
    if (hoped) {
      // There is an answer in any case: the other keys need not wait for somebody else's refresh of this one.
      if (!own) call.batch?.decided(call.key);
      const deadlineMs = options.deadlineMs ?? call.policy.deadlineMs;
      const patienceMs = Math.min(call.policy.softDeadlineMs, deadlineMs || Infinity);
      const result = await this.#orCount(call, () =>
        withinPatience(clock, patienceMs, options.signal, hoped),
      );
      const loaded = result?.kind === 'loaded' || (result?.kind === 'private' && own !== undefined);
      const found = result?.kind === 'found' && clock.nowMs() < result.entry.staleAtMs;
      if (result && (loaded || found))
        return this.#conclude(call, options, { result, joined: own === undefined });
    }
    return this.#foundAnswer(call, entry, source, clock.nowMs(), own !== undefined);
  }

  #foundAnswer(
    call: Call,
    entry: FoundEntry,
    source: 'l1' | 'l2',
    nowMs: number,
    refreshing: boolean,
  ): CacheAnswer<unknown> {
    const outcome = foundOutcome(entry, source, nowMs);
    return this.#answer(call.key, call.policy, call.scope, entry, {
      outcome: entry.elsewhere && outcome !== 'stale_hit' ? 'coalesced' : outcome,
      source,
      stored: true,
      refreshing,
    });
  }

  /** A caller who gets an error is counted, too. */
  async #orCount<R>(call: Call, wait: () => Promise<R>): Promise<R> {
    try {
      return await wait();
    } catch (error) {
      this.#count(call.key, call.policy, call.scope, {
        outcome: 'error',
        source: undefined,
        stored: false,
      });
      throw error;
    }
  }

  /** Whatever is added here, every hit pays for. */
  #countNear(
    key: string,
    policy: CachePolicy,
    scope: LoadScope | undefined,
    entry: NearEntry,
    nowMs: number,
    refreshing: boolean,
  ): Outcome {
    const { events, profile, stats } = this.parts;
    const outcome = foundOutcome(entry, 'l1', nowMs);
    if (scope === undefined || scope.purpose === 'request') {
      stats.hit(policy.name, outcome, nowMs);
      if (outcome === 'stale_hit') stats.stale(policy.name, nowMs - entry.staleAtMs);
      if (entry.probe !== undefined) profile.hit(entry.probe, outcome, nowMs, entry.bornAtMs);
    }
    if (events.heard('read'))
      this.#tell(key, policy, scope, { outcome, source: 'l1', stored: true, refreshing });
    return outcome;
  }

  #answer(
    key: string,
    policy: CachePolicy,
    scope: LoadScope | undefined,
    entry: FoundEntry | NearEntry,
    how: How,
  ): CacheAnswer<unknown> {
    this.#count(key, policy, scope, how, how.source === 'load' ? undefined : entry.bornAtMs);
    const nowMs = this.parts.clock.coarseMs();
    if (how.outcome === 'stale_hit' && (scope?.purpose ?? 'request') === 'request')
      this.parts.stats.stale(policy.name, Math.max(0, nowMs - entry.staleAtMs));
    return {
      value: entry.held.read(),
      outcome: how.outcome,
      cause: how.cause,
      source: how.source,
      ageMs: Math.max(0, nowMs - entry.bornAtMs),
      freshMs: entry.staleAtMs - nowMs,
      staleMs: entry.expiresAtMs - entry.staleAtMs,
      stored: how.stored,
    };
  }

  /** @param bornAtMs of what was found */
  #count(key: string, policy: CachePolicy, scope: LoadScope | undefined, how: How, bornAtMs?: number): void {
    if ((scope?.purpose ?? 'request') === 'request') {
      this.parts.stats.read(policy.name, how.outcome, how.cause);
      this.parts.profile.read(key, policy, how.outcome, how.cause, bornAtMs);
    }
    this.#tell(key, policy, scope, how);
  }

  #tell(key: string, policy: CachePolicy, scope: LoadScope | undefined, how: How): void {
    const { events } = this.parts;
    if (!events.heard('read')) return;
    events.emit('read', {
      key,
      policy: policy.name,
      outcome: how.outcome,
      cause: how.cause,
      source: how.source,
      stored: how.stored,
      refreshing: how.refreshing ?? false,
      purpose: scope?.purpose ?? 'request',
    });
  }

  #policyOf({ policy }: CallOptions): CachePolicy {
    return this.parts.policies.of(policy ?? this.parts.options.defaultPolicy);
  }

  /** With no shared tier everything is local. */
  #tierOf(policy: CachePolicy): CacheTier {
    return this.parts.shared ? policy.tier : 'local';
  }
}

/**
 * The result of a flight; meanwhile the loader that asks for it, if there is one, waits for it. What has overtaken the
 * inner load has then overtaken the outer one as well: whoever comes later must not get it.
 */
function awaited(call: Call, flight: Flight): Promise<FlightResult> {
  const outer = call.scope?.load?.flight;
  return outer ? awaitedBy(outer, flight) : flight.result;
}

async function awaitedBy(outer: Flight, flight: Flight): Promise<FlightResult> {
  outer.awaits.add(flight);
  flight.awaitedBy.add(outer);
  try {
    return await flight.result;
  } finally {
    if (flight.isOutdated) outer.detach();
    outer.awaits.delete(flight);
    flight.awaitedBy.delete(outer);
  }
}

/** What a flight brought, and whether somebody else had begun it. */
interface Joined {
  result: FlightResult;
  joined: boolean;
}

interface How {
  outcome: Outcome;
  cause?: MissCause;
  source: AnswerSource | undefined;
  stored: boolean;
  refreshing?: boolean;
}

/** Whether the caller's own threshold says that an entry is due for a refresh. */
function isWithin(
  options: CallOptions,
  scope: LoadScope | undefined,
  entry: FoundEntry | NearEntry,
  nowMs: number,
): boolean {
  const refreshWithinMs = options.refreshWithinMs ?? scope?.refreshWithinMs;
  if (refreshWithinMs === undefined || entry.negative) return false;
  const withinMs =
    typeof refreshWithinMs === 'function' ? refreshWithinMs(entry.held.read()) : refreshWithinMs;
  return withinMs !== undefined && entry.staleAtMs - nowMs < withinMs;
}

function nearAnswer(entry: NearEntry, outcome: Outcome, nowMs: number): CacheAnswer<unknown> {
  return {
    value: entry.held.read(),
    outcome,
    cause: undefined,
    source: 'l1',
    ageMs: Math.max(0, nowMs - entry.bornAtMs),
    freshMs: entry.staleAtMs - nowMs,
    staleMs: entry.expiresAtMs - entry.staleAtMs,
    stored: true,
  };
}

function foundOutcome(entry: FoundEntry | NearEntry, source: 'l1' | 'l2', nowMs: number): Outcome {
  if (nowMs >= entry.staleAtMs) return 'stale_hit';
  if (entry.negative) return 'negative_hit';
  return source === 'l1' ? 'l1_hit' : 'l2_hit';
}
