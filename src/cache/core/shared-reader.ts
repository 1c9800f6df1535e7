import type { Call } from './call';
import type { Clock } from './clock';
import type { CorruptReason } from './counters';
import type { EntryCodec, HeldValue } from './entry-codec';
import { fillIdOf, readEntry, type StoredEntry } from './entry';
import type { CacheEvents } from './events';
import type { InvalidationLog } from './invalidation-log';
import type { MissCause } from './outcomes';
import { cutLife, type StoredLife } from './policy-overrides';
import type { Coherence, Hash, RemoteStore, TokenName } from './ports';
import { isValid } from './protocol';
import type { Flight, FlightTable, FoundEntry } from './single-flight';
import type { CacheStats } from './stats';
import type { TokenRecord, TokenTable } from './tokens';

/** What a look at the shared entry comes to. `fillId` names the entry that was looked at, '' when there was none. */
export type Verdict =
  | { kind: 'valid'; entry: FoundEntry; fillId: string }
  | { kind: 'invalid'; cause: MissCause; fillId: string }
  | { kind: 'nothing'; fillId: '' };

/** Tokens on their way from Redis, with what was known of them when they were asked for. */
interface AskedTokens {
  names: TokenName[];
  records: TokenRecord[];
  changesBefore: number[];
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
  async read(flight: Flight, call: Call, again: boolean): Promise<Verdict> {
    const strict = call.scope?.load !== undefined;
    // Looking again while somebody else loads is not another read.
    const counted = call.purpose === 'request' && !again;
    const known = new Map<TokenName, string | undefined>();
    const unknown = this.#unknown(flight, call.tokens, strict, known);
    const read = await this.store.read([call.remoteKey], unknown.names);
    this.#learn(unknown, read.tokens, known);
    const bytes = read.entries[0];
    if (!bytes) {
      if (counted) this.stats.add(call.policy.name, 'l2Misses');
      return { kind: 'nothing', fillId: '' };
    }
    const verdict = await this.admit(flight, call, bytes, known);
    if (counted) {
      this.stats.add(call.policy.name, verdict.kind === 'valid' ? 'l2Hits' : 'l2Misses');
      this.stats.add(call.policy.name, 'l2BytesRead', bytes.length);
    }
    return verdict;
  }

  /** Decides about the bytes of an entry; tokens that are neither in `known` nor in the table are read. */
  async admit(
    flight: Flight,
    call: Call,
    bytes: Uint8Array,
    known: Map<TokenName, string | undefined>,
  ): Promise<Verdict> {
    const fillId = fillIdOf(bytes);
    const entry = readEntry(bytes, call.key, this.hash);
    if (typeof entry === 'string') return this.#corrupt(call, entry, fillId);
    if (!entry.tokens.every(([name]) => known.has(name))) {
      const names = entry.tokens.map(([name]) => name);
      await this.current(flight, names, call.scope?.load !== undefined, known);
    }
    if (!isValid(entry.tokens, name => known.get(name))) {
      return { kind: 'invalid', cause: 'invalidated', fillId };
    }
    const ageMs = this.store.serverNowMs(call.remoteKey.encoded) - entry.birthMs;
    const life = call.policy.overridden ? cutLife(entry, call.policy) : entry;
    if (!(ageMs >= -maxFutureBirthMs) || ageMs >= life.hardTtlMs)
      return { kind: 'invalid', cause: 'expired', fillId };
    const bornAtMs = this.clock.nowMs() - Math.max(ageMs, 0);
    let held: HeldValue;
    try {
      const decoded = this.codec.decode(entry);
      held = decoded instanceof Promise ? await decoded : decoded;
    } catch {
      // Not the decoder's own words: they may quote the payload.
      return this.#corrupt(call, 'payload', fillId);
    }
    // Whether its life has ended meanwhile is for whoever wants to use it.
    return { kind: 'valid', entry: foundFrom(entry, life, held, bornAtMs), fillId };
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

function foundFrom(entry: StoredEntry, life: StoredLife, held: HeldValue, bornAtMs: number): FoundEntry {
  return {
    held,
    negative: entry.negative,
    bornAtMs,
    staleAtMs: bornAtMs + life.softTtlMs,
    expiresAtMs: bornAtMs + life.hardTtlMs,
    tokens: entry.tokens,
    elsewhere: false,
  };
}
