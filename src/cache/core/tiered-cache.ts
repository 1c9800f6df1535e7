import type { CacheAnswer } from './answers';
import { assemble, type TieredCacheDependencies } from './assemble';
import { checkKey, checkKeyList, checkTag, checkTagList } from './cache-key';
import { ClusterWork } from './cluster-work';
import type { CallOptions } from './call';
import { CacheKeyError, RemoteUnavailableError } from './errors';
import type { CacheEvents } from './events';
import { explain, type Explanation } from './explain';
import { Invalidator, type InvalidationResult } from './invalidator';
import { Loading } from './loading';
import { LoadBatch, type LoaderOfMany } from './load-batch';
import { LoadRunner } from './load-runner';
import type { Loader } from './loader';
import type { Purpose } from './load-scope';
import { Lookups } from './lookup';
import type { TieredCacheOptions } from './options';
import { usableShared, type CacheParts } from './parts';
import { parsePattern } from './pattern';
import { checkDuration, type CachePolicy } from './policy';
import type { PolicyOverride } from './policy-overrides';
import type {
  BreakerReport,
  ClearProgress,
  Durability,
  GateStatus,
  RemoteServerInfo,
  RemoteStatus,
} from './ports';
import { toRemove } from './protocol';
import type { ReadProfileSnapshot } from './read-profile';
import type { CacheStatistics } from './stats';
import { shareOf, type StatsShare } from './stats-share';
import { namespaceToken } from './tokens';
import type { StatsWindow } from './windows';
import { Writes, type SetOptions } from './writes';

/** The answers of a call of several keys, in the order in which they came. A key without a value is in neither map. */
export interface ManyAnswers<T> {
  readonly values: Map<string, T>;
  readonly errors: Map<string, unknown>;
}

export interface CacheStatus {
  remote: RemoteStatus & { mode: 'redis' | 'off' };
  gate: GateStatus;
  pendingInvalidations: number;
  l1Entries: number;
  l1Bytes: number;
  loadsInFlight: number;
}

const noOptions: CallOptions = Object.freeze({});

/** One call may name so many keys and tags. */
export const maxKeysPerCall = 10_000;

/**
 * A cache of two tiers: entries in this process, and entries that all instances share. It promises that an invalidation
 * is never lost and that any doubt is a miss; `docs/cache.md` lists the promises and what is not promised.
 *
 * The way of a read (`lookup.ts`). (1) An entry in L1 is served while its life lasts, the gate is open and every token
 * that it depends on is what it was. (2) Otherwise one flight a key goes out; later callers join it as long as somebody
 * vouches for it. (3) It reads the shared entry and whatever tokens are not known here. (4) Nothing valid: the tokens
 * are captured and the lease is taken in one trip; who holds the lease runs the loader (`loading.ts`), the others wait
 * for word of the fill. (5) The fill succeeds only under the lease.
 *
 * The way of an invalidation (`invalidator.ts`). What it hits is removed in Redis together with the lease; it is fenced here
 * (dropped from L1, flights detached) in the turn in which that is sent, and again afterwards, for flights that began in between. Other instances hear of
 * it from Redis itself. One that Redis did not confirm stays pending, and nothing is read from Redis until it is made.
 *
 * The shared tier stands behind the `RemoteStore` port, which owns breaker and deadlines. Its only error is
 * `RemoteUnavailableError`, and all that follows from it is a load without Redis or a queued invalidation.
 */
export class TieredCache {
  readonly events: CacheEvents;
  readonly #parts: CacheParts;
  readonly #runner: LoadRunner;
  readonly #lookups: Lookups;
  readonly #loading: Loading;
  readonly #invalidator: Invalidator;
  readonly #writes: Writes;
  #closing: Promise<void> | undefined;

  /** Work that one instance does for all. */
  readonly cluster = new ClusterWork(() => {
    const store = this.#parts.shared?.store;
    return store?.available ? store.ledger : undefined;
  });

  constructor(dependencies: TieredCacheDependencies, options: TieredCacheOptions = {}) {
    this.#parts = assemble(dependencies, options, {
      keyChanged: encoded => this.#invalidator.keyChanged(encoded),
      tokenChanged: token => this.#invalidator.tokenChanged(token),
      flush: (reason, part) => this.#invalidator.flush(reason, part),
      beforeReads: (sameServer, replay, part) => this.#invalidator.replay(sameServer, replay, part),
      canaryHeard: lagMs => this.events.emit('canary', { lagMs }),
      operationEnded: (operation, durationMs, failed) => {
        if (this.events.heard('operation')) this.events.emit('operation', { operation, durationMs, failed });
      },
      trackingFailed: reason => this.events.emit('tracking', { reason }),
      knownTokens: () => this.#parts.tokens.known(),
      stateChanged: status => {
        if (status.state === 'up') this.#parts.leases.releaseOwed();
        this.events.emit('remote', status);
      },
    });
    this.events = this.#parts.events;
    this.#invalidator = new Invalidator(this.#parts);
    this.#runner = new LoadRunner(this.#parts.clock);
    this.#loading = new Loading(this.#parts, this.#runner, this.#invalidator);
    this.#lookups = new Lookups(this.#parts, this.#loading);
    this.#writes = new Writes(this.#parts, this.#loading, this.#lookups, this.#invalidator);
    this.#parts.shared?.store.open();
  }

  // ------------------------------------------------------------------------------------------ reading

  /**
   * The value of `key`: from the cache, or from `loader`, which runs once in the cluster however many ask.
   *
   * @throws CacheKeyError, CacheTagError; whatever the loader throws (once for all who wait, never stored);
   *   CacheLoadTimeoutError, CacheOverloadError, CacheDeadlineError, CacheDeadlockError, CacheClosedError. Never an
   *   error of Redis: without it the loader runs. A loader that is no function is a TypeError at once.
   */
  getOrSet<T>(key: string, loader: Loader<T>, options: CallOptions = noOptions): Promise<T> {
    checkLoader(loader);
    const near = this.#lookups.hit(key, options);
    if (near !== undefined) return near.held.readLater() as Promise<T>;
    return this.#lookups.value(key, loader, options) as Promise<T>;
  }

  /** `getOrSet` that tells how it came by its answer. */
  lookup<T>(key: string, loader: Loader<T>, options: CallOptions = noOptions): Promise<CacheAnswer<T>> {
    checkLoader(loader);
    const near = this.#lookups.hit(key, options);
    if (near !== undefined) return Promise.resolve(this.#lookups.answerOf(near) as CacheAnswer<T>);
    return this.#lookups.answer(key, loader, options) as Promise<CacheAnswer<T>>;
  }

  /**
   * The fresh entry of `key` in L1, at once and without counting: for whoever answers before anything asynchronous runs, and
   * may yet decide not to. Undefined for everything that a read would have to do something about: no entry, a stale one,
   * one due for a refresh, a shut gate, a value that is decoded for each reader, a load or an uncounted read around it.
   */
  peekFresh<T>(key: string, policy: CachePolicy): CacheAnswer<T> | undefined {
    return this.#lookups.peekFresh(key, policy) as CacheAnswer<T> | undefined;
  }

  /** Counts the answer of `peekFresh` as the read that it was, once it is given. */
  countPeeked(key: string, policy: CachePolicy, answer: CacheAnswer<unknown>): void {
    this.#lookups.countPeeked(key, policy, answer);
  }

  /** The fresh value of `key`, or undefined. Nothing is loaded. */
  get<T>(key: string, options: { policy?: CachePolicy } = noOptions): Promise<T | undefined> {
    const near = this.#lookups.hit(key, options);
    if (near !== undefined) return near.held.readLater() as Promise<T>;
    return this.#lookups.value(key, undefined, options) as Promise<T | undefined>;
  }

  /** The fresh values of those keys that have one; the shared tier is asked for all others at once. */
  async getMany<T>(keys: readonly string[], options: { policy?: CachePolicy } = {}): Promise<Map<string, T>> {
    checkKeyList(keys);
    checkCount(keys.length);
    const found = new Map<string, T>();
    const missing = this.#lookups.hits(keys, options, found);
    if (missing.size === 0) return found;
    return new Promise((resolve, failed) => {
      let left = missing.size;
      for (const key of missing) {
        const answered = ({ value }: CacheAnswer<unknown>): void => {
          if (value !== undefined) found.set(key, value as T);
          left -= 1;
          if (left === 0) resolve(found);
        };
        this.#lookups.read(key, undefined, options, { answered, failed });
      }
    });
  }

  /**
   * `getOrSet` of several keys with one call of the loader for all that are missing: what is in L1 costs nothing, the rest
   * one read of the shared tier, and each missing key its own lease, so that of several instances that ask for the same
   * keys each key is loaded by one. Which key failed, and how, stands in `errors`; the others have their values. A batch
   * takes one of the policy's `maxConcurrentLoads`, and each of its keys has `loaderTimeoutMs` from its lease on.
   *
   * @throws CacheKeyError, CacheTagError, TypeError for all of them; the reason of `signal` when it is aborted
   */
  async getOrSetMany<T>(
    keys: readonly string[],
    loadMany: LoaderOfMany<T>,
    options: CallOptions = {},
  ): Promise<ManyAnswers<T>> {
    checkKeyList(keys);
    checkCount(keys.length);
    if (typeof loadMany !== 'function')
      throw new TypeError(`the loader of cached values must be a function, not ${typeof loadMany}`);
    for (const key of keys) checkKey(key);
    options.signal?.throwIfAborted();
    const { defaultPolicy } = this.#parts.options;
    const scope = this.#parts.scopes.current();
    const answers: ManyAnswers<T> = { values: new Map(), errors: new Map() };
    const unique = [...this.#lookups.hits(keys, options, answers.values)];
    if (unique.length === 0) return answers;
    const batch = new LoadBatch(this.#parts, unique, loadMany, task =>
      this.#runner.inPlace(options.policy ?? defaultPolicy, scope, task),
    );
    await new Promise<void>(resolve => {
      let left = unique.length;
      for (const key of unique) {
        const settled = (): void => {
          batch.decided(key);
          left -= 1;
          if (left === 0) resolve();
        };
        const answered = ({ value }: CacheAnswer<unknown>): void => {
          if (value !== undefined) answers.values.set(key, value as T);
          settled();
        };
        const failed = (error: unknown): void => {
          answers.errors.set(key, error);
          settled();
        };
        this.#lookups.read(key, batch.loader, options, { answered, failed }, batch);
      }
    });
    options.signal?.throwIfAborted();
    return answers;
  }

  // ------------------------------------------------------------------------------------------ writing

  /**
   * Stores a value under `key` and cancels loads under way. An unversioned `set` may overwrite an invalidation that came
   * between reading the source and setting; prefer `invalidate`, or give a version. When Redis is away nothing is stored,
   * and the old entry is queued for removal. `applied: false, queued: false`: a newer version is there.
   *
   * @throws CacheKeyError, CacheTagError, CacheOptionsError, CacheValueError
   */
  async set(key: string, value: unknown, options: SetOptions = {}): Promise<InvalidationResult> {
    this.#lookups.refuseWhenClosed();
    return this.#writes.setAll([[key, value]], options);
  }

  /**
   * Sets several entries, all of them checked before the first is written; `applied` only if every one of them was.
   *
   * @throws as `set`, and CacheKeyError for more than 10,000 keys
   */
  async setMany(
    entries: Iterable<readonly [string, unknown]>,
    options: SetOptions = {},
  ): Promise<InvalidationResult> {
    this.#lookups.refuseWhenClosed();
    const all = [...entries];
    checkCount(all.length);
    return this.#writes.setAll(all, options);
  }

  /**
   * After this resolves with `applied: true`, no read that begins later on this instance returns a value loaded before
   * the call; on other instances the same from Δ later on, and typically at once (G1, G2). With `queued: true` Redis is
   * away: it is made before anything that it concerns is read from Redis again.
   *
   * With `durability` the call also waits until so many replicas have confirmed, so that a failover does not lose it; the
   * result's `durable` says whether they did in time. It is applied in either case.
   *
   * @throws CacheKeyError, CacheTagError, CacheOptionsError; never an error of Redis
   */
  async invalidate(
    what: { keys?: readonly string[]; tags?: readonly string[] },
    durability?: Durability,
  ): Promise<InvalidationResult> {
    this.#lookups.refuseWhenClosed();
    const { keys: givenKeys = [], tags: givenTags = [] } = what;
    checkKeyList(givenKeys);
    checkTagList(givenTags);
    const keys = [...new Set(givenKeys)];
    const tags = [...new Set(givenTags)];
    checkCount(keys.length + tags.length);
    for (const key of keys) checkKey(key);
    for (const tag of tags) checkTag(tag);
    if (durability) {
      checkDuration('durability', 'replicas', durability.replicas, 1, 100);
      checkDuration('durability', 'timeoutMs', durability.timeoutMs, 1, 60_000);
    }
    this.#parts.stats.count('invalidatedKeys', keys.length);
    this.#parts.stats.count('invalidatedTags', tags.length);
    if (keys.length + tags.length === 0) return { applied: true, queued: false };
    const { tracer, tokenOf } = this.#parts;
    const run = (): Promise<InvalidationResult> =>
      this.#invalidator.originate(keys, toRemove(tags.map(tokenOf)), durability);
    if (!tracer) return run();
    return tracer.span('cache.invalidate', { 'cache.keys': keys.length, 'cache.tags': tags.length }, run);
  }

  invalidateKeys(keys: readonly string[]): Promise<InvalidationResult> {
    return this.invalidate({ keys });
  }

  /** One command, whatever the number of entries that carry the tags. */
  invalidateTags(tags: readonly string[]): Promise<InvalidationResult> {
    return this.invalidate({ tags });
  }

  /** Everything of this namespace, in one command; keys of others in the same Redis are not touched. */
  async clear(): Promise<InvalidationResult> {
    this.#lookups.refuseWhenClosed();
    this.#parts.stats.count('clears');
    return this.#invalidator.originate([], [namespaceToken]);
  }

  /**
   * Removes the entries whose key matches a pattern (`*`, `?`, `\` escapes), by scanning the namespace. `dryRun` only counts.
   *
   * @throws CachePatternError; RemoteUnavailableError when Redis is away: nobody can say what would match
   */
  async clearMatching(
    pattern: string,
    options: { dryRun?: boolean; signal?: AbortSignal; onProgress?: (progress: ClearProgress) => void } = {},
  ): Promise<ClearProgress> {
    this.#lookups.refuseWhenClosed();
    const matcher = parsePattern(pattern);
    const dryRun = options.dryRun ?? false;
    this.#parts.stats.count('clears', dryRun ? 0 : 1);
    const here = this.#invalidator.fenceMatching(matcher, dryRun);
    if (!this.#parts.shared) return { scanned: here, matched: here, removed: dryRun ? 0 : here, done: true };
    const shared = usableShared(this.#parts);
    if (!shared) throw new RemoteUnavailableError('the shared tier is away');
    // A server that takes over may not have heard of it. What matched nobody can say then: it clears everything.
    if (!dryRun) this.#parts.log.addRecent([], [namespaceToken], this.#parts.clock.nowMs());
    const progress = await shared.store.clearMatching(matcher, { ...options, dryRun });
    this.#invalidator.fenceMatching(matcher, dryRun);
    return progress;
  }

  // ------------------------------------------------------------------------------------------ policies

  /**
   * Sets durations in the place of those of policies, by their names, from the next read on; what is not named has its own
   * again. Whatever gave its own `ttlMs` (a decorator, a call) keeps it. An entry that is there keeps the life that it was
   * stored with, unless the policy now has a shorter one. Here only: each instance has to be told.
   *
   * @throws CacheOptionsError naming policy, option and value; then everything stays as it was
   */
  overridePolicies(overrides: Readonly<Record<string, PolicyOverride>>): void {
    this.#parts.policies.replace(overrides);
  }

  /** The policy that holds for what is read and stored under `policy`: itself, unless it is overridden. */
  policyInForce(policy: CachePolicy): CachePolicy {
    return this.#parts.policies.of(policy);
  }

  // ------------------------------------------------------------------------------------------ around it

  /**
   * Runs something whose reads are not a user's: they are not counted, and neither is what they load.
   * @param refreshWithinMs entries that they find and that expire within so long are refreshed, in the background
   */
  runAs<T>(purpose: Purpose, run: () => Promise<T>, refreshWithinMs?: number): Promise<T> {
    const load = this.#parts.scopes.current()?.load;
    return this.#parts.scopes.run({ purpose, load, refreshWithinMs }, run);
  }

  /** On whose behalf the current async context reads. */
  get purpose(): Purpose {
    return this.#parts.scopes.current()?.purpose ?? 'request';
  }

  /** A request that was not cacheable went past the cache. */
  countBypass(policy: string): void {
    if (this.purpose === 'request') this.#parts.stats.read(policy, 'bypass', undefined);
  }

  /** What was counted in a window that ends now. Default: all since the start. */
  stats(window: StatsWindow = 'all'): CacheStatistics {
    const { stats, near } = this.#parts;
    const { evictions, ...counted } = stats.snapshot(window);
    const { l1, l2 } = counted.totals;
    return {
      uptimeMs: stats.uptimeMs,
      ...counted,
      tiers: { l1: { ...l1, evictions, entries: near.entries, bytes: near.bytes }, l2 },
    };
  }

  /** The name that a policy is counted under: its own, for as many as are counted apart. */
  countedAs(policy: string): string {
    return this.#parts.stats.countedAs(policy);
  }

  /** The counts of this instance as others can add them up: `statisticsOfShares`. */
  statsShare(): StatsShare {
    const { stats, near } = this.#parts;
    return shareOf(
      window => stats.rows(window),
      window => stats.coveredMs(window),
      { uptimeMs: stats.uptimeMs, entries: near.entries, bytes: near.bytes },
    );
  }

  /** What a sample of the keys is read like, and what would help. */
  profile(): ReadProfileSnapshot {
    this.#parts.plainHits.settle();
    return this.#parts.profile.snapshot();
  }

  status(): CacheStatus {
    const { shared, log, near } = this.#parts;
    return {
      remote: shared
        ? { mode: 'redis', ...shared.store.status() }
        : { mode: 'off', state: 'down', breaker: 'closed' },
      gate: shared?.coherence.status() ?? { open: true, ageMs: null, lagMs: null },
      pendingInvalidations: log.pending,
      l1Entries: near.entries,
      l1Bytes: near.bytes,
      loadsInFlight: this.#runner.running,
    };
  }

  /** The circuit breakers in front of the shared tier's servers. */
  breakers(): BreakerReport[] {
    return this.#parts.shared?.store.breakers() ?? [];
  }

  /** Closes all of them, or those of these names: the next calls go out, and may open them again. The names that there are. */
  resetBreakers(names?: readonly string[]): string[] {
    return this.#parts.shared?.store.resetBreakers(names) ?? [];
  }

  /** Where a key's entry lives, how old it is, how long it has, and what would keep a read from getting it. @throws CacheKeyError */
  explain(key: string): Promise<Explanation> {
    this.#lookups.refuseWhenClosed();
    return explain(this.#parts, key);
  }

  /**
   * What the Redis server says of itself; undefined when there is none, or it does not answer in time. To be called every few
   * seconds: it also tells whether the server drops entries for room, without which they count as invalidated.
   */
  async remoteInfo(): Promise<RemoteServerInfo | undefined> {
    const shared = this.#parts.shared;
    if (!shared?.store.available) return undefined;
    try {
      const info = await shared.store.info();
      this.#parts.memory.serverHasEvicted(info.evictedKeys, this.#parts.clock.nowMs());
      return info;
    } catch (error) {
      if (error instanceof RemoteUnavailableError) return undefined;
      throw error;
    }
  }

  /** Resolves when the shared tier is attached, or is known to be away, or after `timeoutMs`. */
  async ready(timeoutMs = 2_000): Promise<void> {
    const { shared, clock } = this.#parts;
    if (!shared) return;
    let timer: { cancel(): void } | undefined;
    const patience = new Promise<void>(resolve => {
      timer = clock.schedule(timeoutMs, resolve);
    });
    await Promise.race([shared.store.opened(), patience]);
    timer?.cancel();
  }

  /** Gives up loads under way, waits for what runs behind answers, and leaves the shared tier. Can be called again. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { background, clock, leases, near, options, shared, waiters } = this.#parts;
    this.#lookups.close();
    this.#runner.close();
    this.#invalidator.stop();
    waiters.wakeAll();
    let timer: { cancel(): void } | undefined;
    const patience = new Promise<void>(resolve => {
      timer = clock.schedule(options.closeTimeoutMs, resolve);
    });
    const settled = background.settled().then(() => this.#invalidator.drainOnce());
    await Promise.race([settled, patience]);
    timer?.cancel();
    leases.stop();
    await shared?.coherence.close();
    await shared?.store.close();
    near.close();
  }
}

function checkLoader(loader: unknown): void {
  if (typeof loader !== 'function')
    throw new TypeError(`the loader of a cached value must be a function, not ${typeof loader}`);
}

function checkCount(count: number): void {
  if (count > maxKeysPerCall)
    throw new CacheKeyError(`at most ${maxKeysPerCall} keys a call, not ${count}`, 'KEYS_TOO_MANY');
}
