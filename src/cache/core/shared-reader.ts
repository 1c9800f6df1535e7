import type { Call } from './call';
import type { Clock } from './clock';
import type { CorruptReason } from './counters';
import type { EntryCodec, HeldValue } from './entry-codec';
import { fillIdOf, readEntry, type StoredEntry } from './entry';
import type { CacheEvents } from './events';
import type { InvalidationLog } from './invalidation-log';
import type { MissCause } from './outcomes';
import { cutLife, type StoredLife } from './policy-overrides';
import type { Coherence, EntryReceiver, Hash, RemoteStore, TokenName } from './ports';
import { isValid, type Copied } from './protocol';
import type { Flight, FlightTable, FoundEntry } from './single-flight';
import type { CacheStats } from './stats';
import type { TokenRecord, TokenTable } from './tokens';

/** What a look at the shared entry comes to. `fillId` names the entry that was looked at, '' when there was none. */
export type Verdict =
  /** `atMs`: when it was decided, in local monotonic milliseconds. */
  | { kind: 'valid'; entry: FoundEntry; fillId: string; atMs: number }
  | { kind: 'invalid'; cause: MissCause; fillId: string }
  | { kind: 'nothing'; fillId: '' };

/** Tokens on their way from Redis, with what was known of them when they were asked for. */
interface AskedTokens {
  names: TokenName[];
  records: TokenRecord[];
  changesBefore: number[];
}

const noTokens: readonly TokenName[] = Object.freeze([]);
const nothing: Verdict = Object.freeze({ kind: 'nothing', fillId: '' });

/** Whoever wants to know what a look at the shared entry comes to: told one of the two, once. Must not throw. */
export interface Judge {
  judged(verdict: Verdict, flight: Flight, call: Call): void;
  /** @param error as the store rejects */
  failed(error: unknown, flight: Flight, call: Call): void;
}

/** A look at a shared entry that is under way. */
class Look implements EntryReceiver {
  constructor(
    private readonly reader: SharedReader,
    readonly flight: Flight,
    readonly call: Call,
    readonly again: boolean,
    private readonly to: Judge,
    /** What a valid entry has copied, if all of that was known before. */
    readonly known: Copied | undefined,
    /** Else what has been asked for along with it. */
    readonly unknown: { asked: AskedTokens; values: Map<TokenName, string | undefined> } | undefined,
  ) {}

  received(entry: Uint8Array | undefined, tokens: readonly (string | undefined)[]): void {
    let verdict: Verdict | Promise<Verdict>;
    try {
      verdict = this.reader.judge(this, entry, tokens);
    } catch (error) {
      return this.failed(error);
    }
    if (!(verdict instanceof Promise)) return this.to.judged(verdict, this.flight, this.call);
    verdict.then(
      late => this.to.judged(late, this.flight, this.call),
      (error: unknown) => this.failed(error),
    );
  }

  failed(error: unknown): void {
    this.to.failed(error, this.flight, this.call);
  }
}

/** An entry born this much in the server's future is one whose age cannot be told. */
const maxFutureBirthMs = 1_000;

/** Reads entries of the shared tier and decides whether they may be answered with. Any doubt makes them invalid. */
export class SharedReader {
  constructor(
    private readonly store: RemoteStore,
    private readonly coherence: Coherence,
    private readonly tokens: TokenTable,
    private readonly log: InvalidationLog,
    private readonly flights: FlightTable,
    private readonly codec: EntryCodec,
    private readonly hash: Hash,
    private readonly clock: Clock,
    private readonly stats: CacheStats,
    private readonly events: CacheEvents,
  ) {}

  /** One trip: the entry, and the tokens that it probably depends on and that are not known here. */
  look(flight: Flight, call: Call, again: boolean, judge: Judge): void {
    const strict = call.scope?.load !== undefined;
    const known = strict ? undefined : this.tokens.knownOf(call.tokens, this.clock.coarseMs());
    if (known) {
      flight.goesBy = known;
      this.store.look(call.remoteKey, noTokens, new Look(this, flight, call, again, judge, known, undefined));
      return;
    }
    const values = new Map<TokenName, string | undefined>();
    const asked = this.#unknown(flight, call.tokens, strict, values);
    const look = new Look(this, flight, call, again, judge, undefined, { asked, values });
    this.store.look(call.remoteKey, asked.names, look);
  }

  /** `look` for whoever rather awaits. */
  read(flight: Flight, call: Call, again: boolean): Promise<Verdict> {
    return new Promise((judged, failed) => this.look(flight, call, again, { judged, failed }));
  }

  /** What came back. Nearly always the verdict is there at once. */
  judge(
    { flight, call, again, known, unknown }: Look,
    bytes: Uint8Array | undefined,
    tokens: readonly (string | undefined)[],
  ): Verdict | Promise<Verdict> {
    // Looking again, after somebody else has loaded or what he has stored cannot be used, is not another read.
    const counted = call.purpose === 'request' && !again;
    if (unknown) this.#learn(unknown.asked, tokens, unknown.values);
    if (!bytes) {
      if (counted) this.stats.add(call.policy.name, 'l2Misses');
      return nothing;
    }
    const verdict = this.#admit(flight, call, bytes, known, unknown?.values);
    if (!counted) return verdict;
    if (verdict instanceof Promise) return verdict.then(late => this.#counted(call, bytes, late));
    return this.#counted(call, bytes, verdict);
  }

  #counted({ policy }: Call, bytes: Uint8Array, verdict: Verdict): Verdict {
    this.stats.looked(policy.name, verdict.kind === 'valid', bytes.length);
    return verdict;
  }

  /** Decides about the bytes of an entry that came with these tokens; others that it names are read. */
  admit(
    flight: Flight,
    call: Call,
    bytes: Uint8Array,
    known: Map<TokenName, string | undefined>,
  ): Verdict | Promise<Verdict> {
    return this.#admit(flight, call, bytes, undefined, known);
  }

  /** @param expected what it has copied if it is valid and there are no other tokens; `known` is worked out from it where needed */
  #admit(
    flight: Flight,
    call: Call,
    bytes: Uint8Array,
    expected: Copied | undefined,
    known: Map<TokenName, string | undefined> = new Map(expected),
  ): Verdict | Promise<Verdict> {
    const entry = readEntry(bytes, call.key, this.hash, expected);
    if (typeof entry === 'string') return this.#corrupt(call, entry, fillIdOf(bytes));
    if (entry.tokens === expected) return this.#accept(call, entry);
    if (entry.tokens.every(([name]) => known.has(name))) return this.#compare(call, entry, known);
    const names = entry.tokens.map(([name]) => name);
    const strict = call.scope?.load !== undefined;
    return this.current(flight, names, strict, known).then(all => this.#compare(call, entry, all));
  }

  #compare(
    call: Call,
    entry: StoredEntry,
    current: ReadonlyMap<TokenName, string | undefined>,
  ): Verdict | Promise<Verdict> {
    if (isValid(entry.tokens, name => current.get(name))) return this.#accept(call, entry);
    return { kind: 'invalid', cause: 'invalidated', fillId: entry.fillId };
  }

  /** Its tokens hold. */
  #accept(call: Call, entry: StoredEntry): Verdict | Promise<Verdict> {
    const { fillId } = entry;
    const nowMs = this.clock.nowMs();
    const ageMs = this.store.serverNowMs(call.remoteKey.encoded, nowMs) - entry.birthMs;
    const life = call.policy.overridden ? cutLife(entry, call.policy) : entry;
    if (!(ageMs >= -maxFutureBirthMs) || ageMs >= life.hardTtlMs)
      return { kind: 'invalid', cause: 'expired', fillId };
    const bornAtMs = nowMs - Math.max(ageMs, 0);
    try {
      const held = this.codec.decode(entry);
      if (!(held instanceof Promise)) return validFrom(entry, life, held, bornAtMs, nowMs);
      return held.then(
        // Whether its life has ended meanwhile is for whoever wants to use it.
        late => validFrom(entry, life, late, bornAtMs, this.clock.nowMs()),
        () => this.#corrupt(call, 'payload', fillId),
      );
    } catch {
      // Not the decoder's own words: they may quote the payload.
      return this.#corrupt(call, 'payload', fillId);
    }
  }

  /** The tokens as they are: from `known`, from the table where it may be trusted, else from Redis. Missing ones stay missing. */
  async current(
    flight: Flight,
    names: readonly TokenName[],
    strict: boolean,
    known: Map<TokenName, string | undefined>,
  ): Promise<Map<TokenName, string | undefined>> {
    const asked = this.#unknown(
      flight,
      names.filter(name => !known.has(name)),
      strict,
      known,
    );
    if (asked.names.length > 0) {
      const read = await this.store.read([], asked.names);
      this.#learn(asked, read.tokens, known);
    }
    return known;
  }

  /** Tokens for a new local entry: known ones, and the others created where they are missing. */
  async ensure(
    flight: Flight,
    names: readonly TokenName[],
    strict: boolean,
    tokenTtlMs: number,
  ): Promise<Map<TokenName, string>> {
    const known = new Map<TokenName, string | undefined>();
    const asked = this.#unknown(flight, names, strict, known);
    if (asked.names.length > 0) {
      const tokens = await this.store.ensureTokens(asked.names, tokenTtlMs);
      this.#learn(asked, tokens, known);
      // As they are, for what is loaded now: an entry under a token whose removal is pending goes with it.
      asked.names.forEach((name, index) => known.set(name, tokens[index]));
    }
    return known as Map<TokenName, string>;
  }

  /** From now on a change of this token reaches the flight. Before the token is read, never after. */
  watch(flight: Flight, name: TokenName): void {
    this.flights.watch(flight, name);
    flight.hears(this.coherence.gateOf(name));
  }

  #unknown(
    flight: Flight,
    names: readonly TokenName[],
    strict: boolean,
    known: Map<TokenName, string | undefined>,
  ): AskedTokens {
    const nowMs = this.clock.nowMs();
    const asked: AskedTokens = { names: [], records: [], changesBefore: [] };
    for (const name of names) {
      this.watch(flight, name);
      const record = this.tokens.record(name);
      if (strict || record.token === undefined || !(record.gate?.isOpen(nowMs) ?? true)) {
        asked.names.push(name);
        asked.records.push(record);
        asked.changesBefore.push(record.changes);
      } else {
        known.set(name, record.token);
        flight.goesBy = [...flight.goesBy, [name, record.token]];
      }
    }
    return asked;
  }

  /**
   * Into the records that were asked for: one that the table has dropped since learns in vain, as it must. A token whose
   * removal is pending counts as removed.
   */
  #learn(
    asked: AskedTokens,
    values: readonly (string | undefined)[],
    known: Map<TokenName, string | undefined>,
  ): void {
    const nowMs = this.clock.nowMs();
    asked.names.forEach((name, index) => {
      const value = this.log.concernsToken(name) ? undefined : values[index];
      known.set(name, value);
      this.tokens.learn(asked.records[index]!, value, asked.changesBefore[index]!, nowMs);
    });
  }

  #corrupt(call: Call, reason: CorruptReason, fillId: string): Verdict {
    this.stats.count(reason);
    this.events.emit('corrupt', { key: call.key, reason });
    return { kind: 'invalid', cause: 'format', fillId };
  }
}

function validFrom(
  entry: StoredEntry,
  life: StoredLife,
  held: HeldValue,
  bornAtMs: number,
  atMs: number,
): Verdict {
  const found: FoundEntry = {
    held,
    negative: entry.negative,
    bornAtMs,
    staleAtMs: bornAtMs + life.softTtlMs,
    expiresAtMs: bornAtMs + life.hardTtlMs,
    tokens: entry.tokens,
    elsewhere: false,
  };
  return { kind: 'valid', entry: found, fillId: entry.fillId, atMs };
}
