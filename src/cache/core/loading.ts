import type { Call } from './call';
import { HeldValue, type EncodedValue } from './entry-codec';
import { writeEntry } from './entry';
import { CacheValueError, RemoteUnavailableError } from './errors';
import type { Invalidator } from './invalidator';
import type { Loaded, LoadRunner } from './load-runner';
import { isCounted, type LoadScope } from './load-scope';
import type { NearEntry } from './near-cache';
import type { MissCause } from './outcomes';
import { tokenTtlFor } from './options';
import { sharedFor, usableShared, type CacheParts } from './parts';
import { inherit, lateTokensHold, toCopy } from './protocol';
import type { CachePolicy } from './policy';
import type { Gate, TokenName } from './ports';
import type { Flight, FlightResult, FoundEntry } from './single-flight';
import { anyToken } from './tokens';

/** An entry depends on at most so many tokens, those of inner entries included. */
const maxTokensPerEntry = 64;
const beforeAnyEpoch = -1;
const neverCompared = -1;

/**
 * Where an entry of L1 belongs. `copy`: of a shared entry. `local`: here only, under everybody's tokens. `alone`: here
 * only, there is no shared tier. `outage`: the shared tier is away, so it is kept for a moment since the load began.
 */
export type Home = { kind: 'copy' | 'local' | 'alone' } | { kind: 'outage'; maxLifeMs: number };

/** How long an entry lives. Milliseconds. */
export interface Life {
  softTtlMs: number;
  hardTtlMs: number;
  negative: boolean;
}

/** Runs loaders and stores what they bring: in Redis under the lease, or in this process. */
export class Loading {
  constructor(
    private readonly parts: CacheParts,
    private readonly runner: LoadRunner,
    private readonly invalidator: Invalidator,
  ) {}

  /** Loads under the lease and fills. Whatever becomes of the fill, the callers get the value. */
  async loadAndFill(flight: Flight, call: Call, leaseToken: string, cause: MissCause): Promise<FlightResult> {
    flight.lease = { key: call.remoteKey, token: leaseToken };
    this.#recheckRumours(flight);
    const renewal = this.#renewLease(flight, call, leaseToken);
    let loaded: Loaded;
    let encoded: EncodedValue | undefined;
    try {
      loaded = await this.#load(flight, call);
      encoded = loaded.isPrivate ? undefined : this.#encode(call, loaded);
      if (encoded) {
        this.#profile(call, encoded, cause);
        const smaller = this.parts.codec.compress(encoded);
        // What is large is compressed aside, still under the lease: what changes meanwhile takes that away.
        encoded = smaller instanceof Promise ? await smaller : smaller;
      }
    } catch (error) {
      this.#release(flight);
      throw error;
    } finally {
      renewal.stop();
    }
    if (!encoded) {
      this.#release(flight);
      return this.#notStored(flight, call, loaded, cause);
    }
    const life = this.lifeOf(call.policy, loaded.value, loaded.ttlMs);
    const sentAtMs = this.parts.clock.nowMs();
    const stored = await this.#fill(flight, call, encoded, loaded.tags, life);
    if (stored) this.parts.memory.stored(call.name, sentAtMs + life.hardTtlMs);
    // Not copied to L1: Redis announces our own fill too, and that would drop the copy again. The next read fetches it.
    return { kind: 'loaded', entry: newEntry(encoded.held, life, sentAtMs, flight), cause, stored };
  }

  /** Loads and keeps the value in this process only. */
  async loadAndKeep(flight: Flight, call: Call, cause: MissCause, home: Home): Promise<FlightResult> {
    const epoch = this.parts.near.epoch;
    const beganAtMs = this.parts.clock.nowMs();
    // Tokens of this process alone are nothing that Redis could tell about.
    if (home.kind === 'local') this.#recheckRumours(flight);
    const loaded = await this.#load(flight, call);
    const encoded = loaded.isPrivate ? undefined : this.#encode(call, loaded);
    if (!encoded) return this.#notStored(flight, call, loaded, cause);
    this.#profile(call, encoded, cause);
    const known = await this.#captureLate(flight, call, loaded.tags, home);
    const life = this.lifeOf(call.policy, loaded.value, loaded.ttlMs);
    const entry = newEntry(encoded.held, life, this.parts.clock.nowMs(), flight);
    if (home.kind === 'outage') {
      entry.staleAtMs = entry.expiresAtMs = beganAtMs + Math.min(home.maxLifeMs, life.softTtlMs);
    }
    const undisturbed = !flight.tainted && epoch === this.parts.near.epoch;
    const storable = known && !flight.overtaken && flight.captured.size <= maxTokensPerEntry;
    const keptUntilMs = call.policy.failSafe ? this.parts.clock.nowMs() + life.hardTtlMs : undefined;
    const kept = undisturbed && storable && this.keep(call, entry, '', home, keptUntilMs);
    const stored = kept && !(home.kind === 'outage' && home.maxLifeMs === 0);
    if (undisturbed && !stored && home.kind !== 'outage') this.parts.memory.rejected(call.name);
    return { kind: 'loaded', entry, cause, stored };
  }

  /**
   * Loads for one caller: nothing is stored, and nobody else gets the answer. Inside a loader the same holds for the outer
   * load, because nothing was captured that could invalidate what it takes over.
   */
  async loadAlone(call: Call, cause: MissCause): Promise<FlightResult> {
    const outer = call.scope?.load?.flight;
    if (outer) {
      outer.detach();
      outer.overtaken = true;
    }
    const flight = this.parts.flights.beginAlone(call.name, this.parts.clock.nowMs());
    try {
      const loaded = await this.#load(flight, call);
      return this.#notStored(flight, call, loaded, cause);
    } finally {
      this.parts.flights.end(flight);
    }
  }

  /** Keeps a value that was set, in this process only. Without given tokens it depends on those of this process. */
  keepValue(call: Call, encoded: EncodedValue, life: Life, tokens: readonly string[] | undefined): void {
    const entry: FoundEntry = {
      held: encoded.held,
      ...lifeFrom(this.parts.clock.nowMs(), life),
      tokens: call.tokens.map((name, at) => [name, tokens?.[at] ?? this.#ownToken(name)] as const),
      elsewhere: false,
    };
    this.keep(call, entry, '', { kind: tokens ? 'local' : 'alone' });
  }

  /** Keeps an entry in L1. Past its life, the fail-safe may want it. */
  keep(call: Call, entry: FoundEntry, fillId: string, home: Home, keptUntilMs = entry.expiresAtMs): boolean {
    const { clock, near, stats, shared, memory } = this.parts;
    if (Math.max(entry.expiresAtMs, keptUntilMs) - clock.nowMs() < 1) return false;
    const own = home.kind === 'alone' || home.kind === 'outage';
    const table = own ? this.parts.ownTokens : this.parts.tokens;
    const fraction = call.policy.refreshAheadFraction;
    const refreshAtMs =
      fraction === 0 ? entry.staleAtMs : entry.bornAtMs + (entry.staleAtMs - entry.bornAtMs) * fraction;
    const kept: NearEntry = {
      // First what a plain hit looks at, so that it lies together in memory.
      held: entry.held,
      plainHits: 0,
      plainUntilMs: 0,
      countedFor: undefined,
      // Without any life it is for the fail-safe alone.
      epoch: home.kind === 'outage' && home.maxLifeMs === 0 ? beforeAnyEpoch : near.epoch,
      table,
      equalAtChange: neverCompared,
      gates: own
        ? []
        : this.#gatesOf(entry.tokens, home.kind === 'copy' ? call.remoteKey.encoded : undefined),
      negative: entry.negative,
      tier: shared ? call.policy.tier : 'local',
      fillId,
      bornAtMs: entry.bornAtMs,
      // A negative entry, and one kept for a moment of an outage, are too short to be worth refreshing.
      refreshAtMs: entry.negative || home.kind === 'outage' ? entry.expiresAtMs : refreshAtMs,
      staleAtMs: entry.staleAtMs,
      expiresAtMs: entry.expiresAtMs,
      keptUntilMs: Math.max(entry.expiresAtMs, keptUntilMs),
      records: entry.tokens.map(([name]) => table.record(name)),
      tokens: entry.tokens.map(([, token]) => token),
      probe: this.parts.profile.probeOf(call.key, call.policy),
    };
    if (!near.keep(call.name, kept)) return false;
    if (isCounted(call.scope)) stats.add(call.policy.name, 'l1Sets');
    memory.stored(call.name, entry.expiresAtMs);
    return true;
  }

  #gatesOf(tokens: FoundEntry['tokens'], encodedKey: string | undefined): Gate[] {
    const coherence = this.parts.shared?.coherence;
    if (!coherence) return [];
    const gates = new Set(tokens.map(([name]) => coherence.gateOf(name)));
    if (encodedKey !== undefined) gates.add(coherence.gateOf(encodedKey));
    return [...gates];
  }

  /** Captures a token of this process, for entries that depend on no other. */
  captureOwn(flight: Flight, name: TokenName): void {
    this.parts.flights.watch(flight, name);
    if (!flight.captured.has(name)) flight.captured.set(name, this.#ownToken(name));
  }

  #ownToken(name: TokenName): string {
    return (this.parts.ownTokens.record(name).token ??= this.parts.hash.randomToken());
  }

  lifeOf(policy: CachePolicy, value: unknown, shortenedTtlMs: number | undefined): Life {
    const negative = value === null && policy.negativeTtlMs > 0;
    const ttlMs = Math.min(negative ? policy.negativeTtlMs : policy.ttlMs, shortenedTtlMs ?? Infinity);
    const softTtlMs = Math.max(1, Math.round(ttlMs * (1 - policy.jitter * this.parts.random())));
    const shortened = shortenedTtlMs !== undefined && shortenedTtlMs < policy.ttlMs;
    const staleMs = negative ? 0 : shortened ? Math.min(policy.staleMs, ttlMs) : policy.staleMs;
    return { softTtlMs, hardTtlMs: softTtlMs + staleMs, negative };
  }

  /**
   * What changed while it was being captured is read again. Not what is watched and was never captured: a token of an entry
   * that was looked at and found invalid says nothing about this load.
   */
  #recheckRumours(flight: Flight): void {
    for (const token of flight.rumours) {
      if (flight.captured.has(token)) this.invalidator.recheck(flight, token);
    }
  }

  async #load(flight: Flight, call: Call): Promise<Loaded> {
    const { clock, events, scopes, stats, flights, tracer } = this.parts;
    const count = (field: 'loads' | 'loadErrors' | 'loadMs' | 'refreshes', by = 1): void => {
      if (isCounted(call.scope)) stats.add(call.policy.name, field, by);
    };
    const refresh = call.refreshOf !== undefined;
    const scope: LoadScope = {
      purpose: call.purpose,
      uncounted: call.scope?.uncounted ?? false,
      load: {
        chain: [...(call.scope?.load?.chain ?? []), call.name],
        flight,
        capturedAt: flights.lastNumber,
        inherit: tokens => {
          if (!inherit(flight.captured, tokens)) flight.overtaken = true;
          for (const [name] of tokens) {
            flights.watch(flight, name);
            if (flight.rumours.has(name)) this.invalidator.recheck(flight, name);
          }
        },
      },
    };
    // Set when the loader begins, which may be after a wait for its place, or never.
    let startedAtMs: number | undefined;
    let failure: unknown;
    try {
      return await this.runner.run(call, run => {
        startedAtMs = clock.nowMs();
        if (!tracer) return scopes.run(scope, run);
        const attributes = { 'cache.policy': call.policy.name, 'cache.refresh': refresh };
        return tracer.span('cache.load', attributes, () => scopes.run(scope, run));
      });
    } catch (error) {
      failure = error;
      if (startedAtMs !== undefined) count('loadErrors');
      throw error;
    } finally {
      const durationMs = startedAtMs === undefined ? 0 : clock.nowMs() - startedAtMs;
      if (startedAtMs !== undefined) {
        count('loads');
        count('loadMs', durationMs);
        if (refresh) count('refreshes');
      }
      events.emit('load', { key: call.key, policy: call.policy.name, durationMs, error: failure, refresh });
    }
  }

  #encode(call: Call, loaded: Loaded): EncodedValue | undefined {
    if (loaded.value === undefined) return undefined;
    try {
      return this.parts.codec.encode(loaded.value, call.policy.serializer);
    } catch (error) {
      if (!(error instanceof CacheValueError)) throw error;
      this.parts.events.emit('rejected', { key: call.key, policy: call.policy.name, error });
      return undefined;
    }
  }

  #profile(call: Call, { payload }: EncodedValue, cause: MissCause): void {
    const again = call.refreshOf !== undefined || cause === 'expired';
    this.parts.profile.loaded(call.key, call.policy, payload, again);
  }

  #notStored(flight: Flight, call: Call, loaded: Loaded, cause: MissCause): FlightResult {
    this.parts.memory.rejected(call.name);
    if (loaded.isPrivate) return { kind: 'private', value: loaded.value, cause };
    const life: Life = { softTtlMs: 0, hardTtlMs: 0, negative: false };
    const entry = newEntry(HeldValue.bare(loaded.value), life, this.parts.clock.nowMs(), flight);
    return { kind: 'loaded', entry, cause, stored: false };
  }

  async #fill(
    flight: Flight,
    call: Call,
    encoded: EncodedValue,
    dynamicTags: readonly string[],
    life: Life,
  ): Promise<boolean> {
    const tags = dynamicTags.map(tag => this.parts.tokenOf(tag));
    const shared = sharedFor(this.parts, call.key, [...flight.captured.keys(), ...tags]);
    if (!shared) {
      this.#release(flight);
      return false;
    }
    try {
      const known =
        !flight.overtaken &&
        (dynamicTags.length === 0 || (await this.#captureDynamicTags(flight, call, dynamicTags)));
      if (!known || flight.captured.size > maxTokensPerEntry) {
        this.parts.memory.rejected(call.name);
        this.#release(flight);
        return false;
      }
      const entry = writeEntry(
        {
          key: call.key,
          fillId: flight.lease!.token,
          version: 0,
          ...life,
          ...encoded,
          tokens: toCopy(flight.captured),
        },
        encoded.payload,
        this.parts.hash,
      );
      const filled = await shared.store.fill(call.remoteKey, flight.lease!.token, entry, life.hardTtlMs);
      const { stats } = this.parts;
      if (filled) {
        if (isCounted(call.scope)) stats.add(call.policy.name, 'l2Sets');
        stats.add(call.policy.name, 'l2BytesWritten', entry.length);
      } else stats.add(call.policy.name, 'fillsRefused');
      return filled;
    } catch (error) {
      if (!(error instanceof RemoteUnavailableError)) throw error;
      this.parts.stats.add(call.policy.name, 'l2Errors');
      this.#release(flight);
      return false;
    }
  }

  /** Captures the tags that a loader of a local entry has added. */
  async #captureLate(flight: Flight, call: Call, tags: readonly string[], home: Home): Promise<boolean> {
    if (tags.length === 0) return true;
    if (home.kind === 'local') {
      try {
        const names = tags.map(tag => this.parts.tokenOf(tag));
        const shared = sharedFor(this.parts, call.key, [...flight.captured.keys(), ...names]);
        return shared !== undefined && (await this.#captureDynamicTags(flight, call, tags));
      } catch (error) {
        if (!(error instanceof RemoteUnavailableError)) throw error;
        return false;
      }
    }
    // An invalidation made here during the load has tainted the flight, if it watched `!any`; nobody else is heard.
    for (const tag of tags) this.captureOwn(flight, this.parts.tokenOf(tag));
    return true;
  }

  /**
   * Tags that only the loader knew could not be captured before it ran; `!any` was. Every tag invalidation removes it
   * before the tag's own token: if it is still there after those have been read, none of them changed during the load.
   */
  async #captureDynamicTags(flight: Flight, call: Call, tags: readonly string[]): Promise<boolean> {
    const { store } = this.parts.shared!;
    const names = [...new Set(tags.map(tag => this.parts.tokenOf(tag)))].filter(
      name => !flight.captured.has(name),
    );
    const tokens = await store.ensureTokens(names, tokenTtlFor(this.parts.options, call.policy));
    const after = await store.read([], [anyToken]);
    if (!lateTokensHold(flight.captured.get(anyToken), after.tokens[0])) return false;
    names.forEach((name, index) => flight.captured.set(name, tokens[index]!));
    return true;
  }

  /** Renews the lease while the loader runs; one that is gone means that the load has been overtaken. */
  #renewLease(flight: Flight, call: Call, leaseToken: string): { stop(): void } {
    const { clock, background } = this.parts;
    const { leaseMs } = call.policy;
    let timer: { cancel(): void } | undefined;
    let stopped = false;
    const renew = async (): Promise<void> => {
      const sentAtMs = clock.nowMs();
      try {
        const shared = usableShared(this.parts);
        const ours = await shared?.store.renew(call.remoteKey, leaseToken, leaseMs);
        if (ours === false) return flight.detach();
        if (ours) flight.vouchedAtMs = sentAtMs;
      } catch (error) {
        // Not renewed is not lost: the next attempt, or the fill, will tell.
        if (!(error instanceof RemoteUnavailableError)) throw error;
      }
      plan();
    };
    const plan = (): void => {
      if (!stopped) timer = clock.schedule(leaseMs / 3, () => background.track(renew()));
    };
    plan();
    return {
      stop: () => {
        stopped = true;
        timer?.cancel();
      },
    };
  }

  #release(flight: Flight): void {
    if (flight.lease) this.parts.leases.release(flight.lease.key, flight.lease.token);
  }
}

function newEntry(held: HeldValue, life: Life, bornAtMs: number, flight: Flight): FoundEntry {
  return { held, ...lifeFrom(bornAtMs, life), tokens: toCopy(flight.captured), elsewhere: false };
}

function lifeFrom(
  bornAtMs: number,
  life: Life,
): Pick<FoundEntry, 'bornAtMs' | 'staleAtMs' | 'expiresAtMs' | 'negative'> {
  return {
    negative: life.negative,
    bornAtMs,
    staleAtMs: bornAtMs + life.softTtlMs,
    expiresAtMs: bornAtMs + life.hardTtlMs,
  };
}
