import type { Call } from './call';
import { CacheClosedError, RemoteUnavailableError } from './errors';
import { foundOf, isUsable, tokensOf } from './found';
import type { Loading } from './loading';
import { tokenTtlFor } from './options';
import type { MissCause } from './outcomes';
import { sharedFor, type CacheParts, type SharedParts } from './parts';
import { isValid, mayCopy, toCapture } from './protocol';
import type { Judge, Verdict } from './shared-reader';
import type { Flight, FlightResult } from './single-flight';

const minPollMs = 10;
const firstPollMs = 50;
const maxPollMs = 500;

/** The way of one flight: the shared tier, the lease, the wait for whoever has it; the local tier; or without Redis. */
export class Flying implements Judge {
  #closed = false;

  constructor(
    private readonly parts: CacheParts,
    private readonly loading: Loading,
  ) {}

  /** Whoever waits for another instance hears at the next look that this one is closed. */
  close(): void {
    this.#closed = true;
  }

  /** Brings a flight to its result: that of an entry, or of the loader; or to the error of the loader, or CacheClosedError. */
  fly(flight: Flight, call: Call): void {
    this.parts.background.enter();
    const shared = this.#sharedFor(call);
    // Nearly every flight is a look that finds something: its way is without promises.
    if (shared && call.policy.tier !== 'local' && call.refreshOf === undefined)
      shared.reader.look(flight, call, false, this);
    else this.#landWith(flight, this.#flyWith(flight, call, shared));
  }

  /** What the first look has come to. */
  judged(verdict: Verdict, flight: Flight, call: Call): void {
    if (verdict.kind === 'valid' && isUsable(call, verdict.entry, verdict.atMs))
      this.#land(flight, this.#found(flight, call, verdict, false));
    else call.place.runInAsyncScope(this.#goOn, this, verdict, flight, call);
  }

  #goOn(verdict: Verdict, flight: Flight, call: Call): void {
    this.#landWith(flight, this.#flyOn(flight, call, this.parts.shared!, verdict));
  }

  failed(error: unknown, flight: Flight, call: Call): void {
    call.place.runInAsyncScope(this.#goOnWithout, this, error, flight, call);
  }

  #goOnWithout(error: unknown, flight: Flight, call: Call): void {
    this.#landWith(flight, this.#withoutShared(flight, call, error));
  }

  #sharedFor(call: Call): SharedParts | undefined {
    return sharedFor(this.parts, call.key, toCapture(call.tokens, call.dynamicTags));
  }

  /** The flight ends before anybody hears of it: a call made in answer to an error begins anew. */
  #land(flight: Flight, result: FlightResult): void {
    const { background, flights } = this.parts;
    flights.end(flight, 'entry' in result ? result.entry.tokens : undefined);
    background.leave();
    flight.settle(result);
  }

  #landWith(flight: Flight, result: Promise<FlightResult>): void {
    result.then(
      brought => this.#land(flight, brought),
      (error: unknown) => {
        const { background, flights } = this.parts;
        flights.end(flight);
        background.leave();
        flight.fail(error);
      },
    );
  }

  async #flyWith(flight: Flight, call: Call, shared: SharedParts | undefined): Promise<FlightResult> {
    if (!shared) return this.#flyAlone(flight, call);
    if (call.policy.tier !== 'local') return this.#flyOn(flight, call, shared, undefined);
    return this.#flyLocal(flight, call, shared).catch((error: unknown) =>
      this.#withoutShared(flight, call, error),
    );
  }

  #flyOn(flight: Flight, call: Call, shared: SharedParts, first: Verdict | undefined): Promise<FlightResult> {
    return this.#flyShared(flight, call, shared, first).catch((error: unknown) =>
      this.#withoutShared(flight, call, error),
    );
  }

  /** @throws `error`, unless it says that the shared tier is away */
  async #withoutShared(flight: Flight, call: Call, error: unknown): Promise<FlightResult> {
    if (!(error instanceof RemoteUnavailableError)) throw error;
    this.parts.stats.add(call.policy.name, 'l2Errors');
    return this.#flyAlone(flight, call);
  }

  /**
   * The shared tiers: read; else take the lease and load; else wait for whoever has it.
   * @param first what a look has come to already
   */
  async #flyShared(
    flight: Flight,
    call: Call,
    { store, coherence, reader }: SharedParts,
    first: Verdict | undefined,
  ): Promise<FlightResult> {
    const { clock, hash, memory, waiters } = this.parts;
    const { leaseMs, waitMs } = call.policy;
    const waitUntilMs = flight.startedAtMs + waitMs;
    const names = toCapture(call.tokens, call.dynamicTags);
    let looked = first;
    let cause: MissCause | undefined;
    let seenFillId = call.refreshOf ?? '';
    let again = first !== undefined;
    let waited = false;
    let pollMs = firstPollMs;
    for (;;) {
      if (call.refreshOf === undefined) {
        const verdict: Verdict = looked ?? (await reader.read(flight, call, again));
        looked = undefined;
        again = true;
        if (verdict.kind === 'valid' && isUsable(call, verdict.entry, verdict.atMs)) {
          return this.#found(flight, call, verdict, waited);
        }
        if (verdict.kind === 'valid') cause ??= 'expired';
        cause ??= verdict.kind === 'invalid' ? verdict.cause : memory.causeOf(call.name, clock.nowMs(), true);
        seenFillId = verdict.fillId;
      }
      if (!call.loader) return { kind: 'absent', cause: cause ?? 'cold' };
      if (call.remoteKey.tracked) flight.hears(coherence.gateOf(call.remoteKey.encoded));
      for (const name of names) reader.watch(flight, name);
      flight.looksNoMore();
      const token = hash.randomToken();
      const sentAtMs = clock.nowMs();
      const tokenTtlMs = tokenTtlFor(this.parts.options, call.policy);
      const lease = await store
        .acquire(call.remoteKey, { token, leaseMs, seenFillId }, names, tokenTtlMs)
        .catch((error: unknown) => {
          // Whether it was taken nobody knows.
          this.parts.leases.release(call.remoteKey, token);
          throw error;
        });
      const tokens = new Map(names.map((name, index) => [name, lease.tokens[index]!]));
      if (lease.kind === 'acquired') {
        for (const [name, value] of tokens) flight.captured.set(name, value);
        flight.vouchedAtMs = sentAtMs;
        return this.loading.loadAndFill(flight, call, token, cause ?? 'expired');
      }
      if (lease.kind === 'entry') {
        const verdict = await reader.admit(flight, call, lease.bytes, tokens);
        if (verdict.kind === 'valid' && isUsable(call, verdict.entry, verdict.atMs))
          return this.#found(flight, call, verdict, true);
        seenFillId = verdict.fillId;
        if (clock.nowMs() < waitUntilMs) continue;
        return this.loading.loadAlone(call, cause ?? 'format');
      }
      if (call.refreshOf !== undefined) return { kind: 'absent', cause: 'expired' };
      const leftMs = waitUntilMs - clock.nowMs();
      if (leftMs <= 0) return this.loading.loadAlone(call, cause ?? 'cold');
      waited = true;
      call.batch?.decided(call.key);
      await waiters.wait(call.name, Math.min(pollMs, Math.max(lease.remainingMs + 1, minPollMs), leftMs));
      if (this.#closed) throw new CacheClosedError();
      pollMs = Math.min(pollMs * 2, maxPollMs);
    }
  }

  #found(flight: Flight, call: Call, verdict: Verdict & { kind: 'valid' }, elsewhere: boolean): FlightResult {
    const { entry } = verdict;
    entry.elsewhere = elsewhere;
    if (call.remoteKey.tracked && mayCopy(flight.tainted, entry.expiresAtMs - verdict.atMs)) {
      this.loading.keep(call, entry, verdict.fillId, { kind: 'copy' });
    }
    this.parts.memory.stored(call.name, entry.expiresAtMs);
    return { kind: 'found', entry, source: 'l2', fillId: verdict.fillId };
  }

  /** The local tier: the entry stays here, but the tokens that can invalidate it are everybody's. */
  async #flyLocal(flight: Flight, call: Call, { reader }: SharedParts): Promise<FlightResult> {
    const { clock, memory, near, options } = this.parts;
    const strict = call.scope?.load !== undefined;
    const tokens = await reader.ensure(
      flight,
      toCapture(call.tokens, call.dynamicTags),
      strict,
      tokenTtlFor(options, call.policy),
    );
    const kept =
      call.refreshOf === undefined ? near.peek(call.name, 'local', clock.nowMs(), call.policy) : undefined;
    if (kept) {
      const copied = tokensOf(kept);
      const names = copied.map(([name]) => name);
      const current = await reader.current(flight, names, strict, new Map(tokens));
      if (isValid(copied, name => current.get(name)) && isUsable(call, kept, clock.nowMs())) {
        return { kind: 'found', entry: foundOf(kept), source: 'l1', fillId: kept.fillId };
      }
    }
    const cause = memory.causeOf(call.name, clock.nowMs(), false);
    if (!call.loader) return { kind: 'absent', cause };
    flight.looksNoMore();
    for (const [name, token] of tokens) flight.captured.set(name, token);
    return this.loading.loadAndKeep(flight, call, cause, { kind: 'local' });
  }

  /**
   * Without the shared tier: there is none, or it is away. In an outage the value is used again for a moment only (never
   * longer than Δ, so that G2 holds), and not at all under a policy that looks up each time.
   */
  async #flyAlone(flight: Flight, call: Call): Promise<FlightResult> {
    const { clock, memory, near, options, shared } = this.parts;
    // An entry that is still valid is one past its fresh life, which a plain read does not want.
    const stale = !shared && near.read(call.name, 'local', clock.nowMs(), call.policy) !== undefined;
    const cause = shared ? 'redis_down' : stale ? 'expired' : memory.causeOf(call.name, clock.nowMs(), false);
    if (!call.loader) return { kind: 'absent', cause };
    flight.looksNoMore();
    flight.alone = true;
    for (const name of toCapture(call.tokens, call.dynamicTags)) this.loading.captureOwn(flight, name);
    if (!shared) return this.loading.loadAndKeep(flight, call, cause, { kind: 'alone' });
    try {
      const maxLifeMs = call.policy.tier === 'redis' ? 0 : options.outageTtlMs;
      return await this.loading.loadAndKeep(flight, call, cause, { kind: 'outage', maxLifeMs });
    } catch (error) {
      const suspect = call.policy.failSafe ? near.suspect(call.name, clock.nowMs()) : undefined;
      if (!suspect) throw error;
      return {
        kind: 'found',
        entry: { ...foundOf(suspect), staleAtMs: Math.min(suspect.staleAtMs, clock.nowMs()) },
        source: 'l1',
        fillId: suspect.fillId,
        suspect: true,
      };
    }
  }
}
