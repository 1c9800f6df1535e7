import { RemoteUnavailableError } from './errors';
import { usableShared, type CacheParts } from './parts';
import type { Durability, FlushReason, KeyMatcher, NamePart, TokenName } from './ports';
import type { Flight } from './single-flight';
import { anyToken, isTag, keyToken, namespaceToken } from './tokens';

/** What became of a write. Not applied and queued: Redis is away, it is made as soon as Redis is back. */
export interface InvalidationResult {
  applied: boolean;
  queued: boolean;
  /** Whether enough replicas have confirmed it in time; only where durability was asked for and Redis has applied it. */
  durable?: boolean;
}

/** A drain that failed is tried again after so long. */
const drainRetryMs = 250;

/**
 * Invalidations: those made here (`originate`: fence, Redis, fence) and those heard of (`keyChanged`, `tokenChanged`,
 * `flush`), which only drop what this process holds. Only the origin talks to Redis.
 */
export class Invalidator {
  #drain: { cancel(): void } | undefined;
  #stopped = false;

  constructor(private readonly parts: CacheParts) {}

  /**
   * The first fence covers what is under way, the second what began before Redis had done it. A caller that begins after
   * this has resolved therefore meets neither L1 nor a flight from before.
   */
  async originate(
    keys: readonly string[],
    tokens: readonly TokenName[],
    durability?: Durability,
  ): Promise<InvalidationResult> {
    let result: InvalidationResult = { applied: true, queued: false };
    if (this.parts.shared) {
      this.parts.log.addRecent(keys, tokens, this.parts.clock.nowMs());
      // Off before the first fence: both are in one turn of the event loop, and others hear of it that much sooner.
      const confirmed = this.#confirm(keys, tokens, durability);
      this.#fence(keys, tokens);
      result = await confirmed;
    }
    this.#fence(keys, tokens);
    this.parts.events.emit('invalidate', { keys: keys.length, tags: tokens.length, queued: result.queued });
    return result;
  }

  async #confirm(
    keys: readonly string[],
    tokens: readonly TokenName[],
    durability: Durability | undefined,
  ): Promise<InvalidationResult> {
    const shared = usableShared(this.parts);
    if (shared) {
      try {
        const { durable } = await shared.store.invalidate(keys, tokens, durability);
        return { applied: true, queued: false, ...(durable === undefined ? {} : { durable }) };
      } catch (error) {
        if (!(error instanceof RemoteUnavailableError)) throw error;
        this.queue(without(keys, error.made?.keys), without(tokens, error.made?.tokens));
        return { applied: false, queued: true };
      }
    }
    this.queue(keys, tokens);
    return { applied: false, queued: true };
  }

  /** Not confirmed by Redis: from now on nothing is read there until it has been made. */
  queue(keys: readonly string[], tokens: readonly TokenName[]): void {
    this.parts.stats.count('queued', keys.length + tokens.length);
    this.parts.log.addPending(keys, tokens);
    this.#planDrain();
  }

  /** A single command failed while the connection stays: nobody will call `replay`, so try again. */
  #planDrain(): void {
    if (this.#drain || this.#stopped) return;
    this.#drain = this.parts.clock.schedule(drainRetryMs, () => {
      this.#drain = undefined;
      this.parts.background.track(this.#drainPending());
    });
  }

  async #drainPending(): Promise<void> {
    const { log, shared } = this.parts;
    if (log.pending === 0) return;
    // The breaker is open over a connection that stands: no `ready` will come to replay, so this goes on asking.
    if (!shared?.store.available) return this.#planDrain();
    const pending = log.pendingNow();
    try {
      await shared.store.invalidate(pending.keys, pending.tokens);
      log.confirm(pending);
      this.#fence(pending.keys, pending.tokens);
    } catch (error) {
      if (!(error instanceof RemoteUnavailableError)) throw error;
      if (error.made) {
        const made = { keys: [...error.made.keys], tokens: [...error.made.tokens] };
        log.confirm({ ...made, addedUntil: pending.addedUntil });
        this.#fence(made.keys, made.tokens);
      }
    }
    if (log.pending > 0) this.#planDrain();
  }

  /**
   * The connection is ready and nothing has been read yet: makes what is pending, and, when another server answers than
   * before, everything of the last minute, because that one may never have heard of it. Of several servers each makes its
   * `part`. A tag stays pending as long as `!any` is pending on another one: it has to be removed once more after that.
   */
  async replay(
    sameServer: boolean,
    send: (keys: readonly string[], tokens: readonly TokenName[]) => Promise<void>,
    part: NamePart = () => true,
  ): Promise<void> {
    const { log, names } = this.parts;
    const pending = log.pendingNow();
    const recent = sameServer ? { keys: [], tokens: [] } : log.recent(this.parts.clock.nowMs());
    const isOurs = (key: string): boolean => part(names.encode(key));
    const keys = [...new Set([...pending.keys, ...recent.keys])].filter(isOurs);
    // In the recent log the namespace stands for what it has no room for, on whichever server that is.
    const everything = recent.tokens.filter(token => token === namespaceToken);
    const tokens = [...new Set([...[...pending.tokens, ...recent.tokens].filter(part), ...everything])];
    if (keys.length + tokens.length === 0) return;
    await send(keys, tokens);
    const anyIsPending = pending.tokens.includes(anyToken) && !part(anyToken);
    log.confirm({
      keys: pending.keys.filter(isOurs),
      tokens: pending.tokens.filter(token => part(token) && !(anyIsPending && isTag(token))),
      addedUntil: pending.addedUntil,
    });
    this.#fence(keys, tokens);
  }

  /** What is pending is tried once more, if it can be: the process that would try again later is about to end. */
  async drainOnce(): Promise<void> {
    if (this.parts.shared?.store.available) await this.#drainPending();
  }

  /** What is not made yet stays undone: whoever is still at it when the cache closes must not begin to wait for Redis. */
  stop(): void {
    this.#stopped = true;
    this.#drain?.cancel();
  }

  // ------------------------------------------------------------------------------------------ fences

  #fence(keys: readonly string[], tokens: readonly TokenName[]): void {
    for (const key of keys) this.fenceKey(key);
    for (const token of tokens) this.#fenceToken(token);
  }

  fenceKey(key: string, encoded = this.parts.names.encode(key)): void {
    this.fenceName(this.parts.names.nameOf(key));
    this.#fenceToken(keyToken(encoded));
  }

  /** Drops what is held under this name, and lets nobody join what is under way. */
  fenceName(name: string): void {
    this.parts.near.drop(name);
    this.parts.flights.detach(name);
    this.parts.memory.changed(name, 'invalidated');
    this.parts.waiters.wake(name);
  }

  /** Fences what matches, in L1 and under way; returns how many names match. */
  fenceMatching(matcher: KeyMatcher, dryRun: boolean): number {
    const { near, flights, names } = this.parts;
    const held = new Set([...near.names(), ...flights.all().map(flight => flight.name)]);
    let matched = 0;
    for (const name of held) {
      if (!matcher.matches(names.encodedOf(name))) continue;
      matched += 1;
      if (!dryRun) this.fenceName(name);
    }
    return matched;
  }

  #fenceToken(token: TokenName): void {
    if (token === namespaceToken) return this.#fenceAll();
    this.parts.tokens.forget(token);
    this.parts.ownTokens.forget(token);
    for (const flight of this.parts.flights.watching(token)) {
      flight.detach();
      // What it loads is invalid: whoever comes next need not wait for its lease.
      if (flight.lease) this.parts.leases.release(flight.lease.key, flight.lease.token);
    }
  }

  #fenceAll(): void {
    this.parts.near.clear();
    this.parts.tokens.forget(namespaceToken);
    this.parts.ownTokens.forget(namespaceToken);
    this.#detachAll();
  }

  #detachAll(): void {
    for (const flight of this.parts.flights.all()) flight.detach();
    this.parts.waiters.wakeAll();
  }

  // ------------------------------------------------------------------------------------------ heard from Redis

  keyChanged(encoded: string): void {
    const name = this.parts.names.nameOfEncoded(encoded);
    if (name === undefined) return;
    this.parts.near.drop(name);
    this.parts.flights.detach(name);
    this.parts.waiters.wake(name);
    this.parts.memory.announced(name, this.parts.clock.nowMs());
  }

  /**
   * A token is announced when it is created, renewed or removed, and the message does not say which. L1 forgets it and
   * reads it again at the next use; flights that captured it are doubtful until it has been read again.
   */
  tokenChanged(token: TokenName): void {
    this.parts.tokens.forget(token);
    for (const flight of this.parts.flights.watching(token)) {
      if (flight.captured.has(token)) this.recheck(flight, token);
      // Its capture is under way, and nobody knows which of the two was first: to be read again once it is known.
      else flight.rumours.add(token);
    }
  }

  /** Reads a captured token again; if it differs, the load is dead and its lease is free for the next one at once. */
  recheck(flight: Flight, token: TokenName): void {
    const check = async (): Promise<void> => {
      if (flight.ended) return;
      const shared = usableShared(this.parts);
      try {
        const read = await shared?.store.read([], [token]);
        if (flight.ended || read?.tokens[0] === flight.captured.get(token)) return;
        flight.detach();
        if (flight.lease) await shared?.store.release(flight.lease.key, flight.lease.token);
      } catch (error) {
        if (!(error instanceof RemoteUnavailableError)) throw error;
        flight.detach();
      }
    };
    const before = flight.doubt;
    const doubt = (before ? before.then(check) : check()).finally(() => {
      if (flight.doubt === doubt) flight.doubt = undefined;
    });
    flight.doubt = doubt;
    this.parts.background.track(doubt);
  }

  flush(reason: FlushReason, part?: NamePart): void {
    if (part) {
      this.#flushPart(reason, part);
    } else if (reason === 'disconnected') {
      this.parts.near.suspectAll();
    } else {
      this.parts.near.clear();
      this.parts.tokens.clear();
    }
    if (!part) this.#detachAll();
    this.parts.events.emit('flush', { reason });
  }

  /**
   * One of several servers. That its connection is lost has shut the gate of everything on it, and what it had stays for the
   * fail-safe; it goes when it is heard again, before the gate opens.
   */
  #flushPart(reason: FlushReason, part: NamePart): void {
    const { near, tokens, flights, names, waiters } = this.parts;
    const isOf = (name: string, dependsOn: readonly TokenName[]): boolean =>
      part(names.encodedOf(name)) || dependsOn.some(part);
    if (reason !== 'disconnected') {
      near.dropWhere(isOf);
      tokens.forgetPart(part);
    }
    for (const flight of flights.all()) if (isOf(flight.name, flights.tokensOf(flight))) flight.detach();
    waiters.wakeAll();
  }
}
function without(names: readonly string[], made: readonly string[] = []): readonly string[] {
  const done = new Set(made);
  return done.size === 0 ? names : names.filter(name => !done.has(name));
}
