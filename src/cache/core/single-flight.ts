import { ChurningMap } from './churning-map';
import type { Gate, RemoteKey, TokenName } from './ports';
import type { HeldValue } from './entry-codec';
import type { MissCause } from './outcomes';
import type { Copied } from './protocol';

/** Whoever is told what a flight has brought: one of the two, once, in the turn in which it has ended. Must not throw. */
export interface FlightTaker {
  landed(result: FlightResult): void;
  crashed(error: unknown): void;
}

/** What a flight brings to everybody who waited for it. */
export type FlightResult =
  /** An entry that was there. */
  | { kind: 'found'; entry: FoundEntry; source: 'l1' | 'l2'; fillId: string; suspect?: true }
  /** A loader ran; here, or (`elsewhere`) on another instance while we waited. */
  | { kind: 'loaded'; entry: FoundEntry; cause: MissCause; stored: boolean }
  /** The loader said that its answer is for its own caller alone: everybody else has to ask for himself. */
  | { kind: 'private'; value: unknown; cause: MissCause }
  /** A plain read found nothing and had no loader. */
  | { kind: 'absent'; cause: MissCause };

/** An entry as an answer needs it. Times are local monotonic milliseconds. */
export interface FoundEntry {
  held: HeldValue;
  negative: boolean;
  bornAtMs: number;
  staleAtMs: number;
  expiresAtMs: number;
  /** For the outer load, if there is one. */
  tokens: readonly (readonly [TokenName, string])[];
  /** Whether the answer waited for a load on another instance. */
  elsewhere: boolean;
}

const noTokens: Copied = Object.freeze([]);
const noGates: readonly Gate[] = Object.freeze([]);

/**
 * One way to a key's value, shared by all who ask for it meanwhile. A flight that an invalidation has overtaken still
 * answers those who asked before; it is detached, so that nobody joins it any more, and tainted, so that what it
 * brings does not enter L1.
 */
export class Flight {
  /** Nobody may join any more. */
  detached = false;
  /** What it brings may be older than a change already heard: not for L1. */
  tainted = false;
  /** Everybody has its answer: what changes from now on is none of its business. */
  ended = false;
  /** In the table of flights: it is under way, and stands for itself. */
  isListed = false;
  /** It loads without the shared tier, under tokens of this process alone. */
  alone = false;
  // Most flights only read: what a load needs is made when it is needed.
  #awaits: Set<Flight> | undefined;
  #awaitedBy: Set<Flight> | undefined;
  #captured: Map<TokenName, string> | undefined;
  #rumours: Set<TokenName> | undefined;
  /** Tokens that a look goes by, as they were known here when it began: whoever joins it must be able to go by them still. */
  goesBy: Copied = noTokens;
  /** What it watches beyond that. */
  watched: TokenName[] | undefined;
  /**
   * It has taken over an inner value without the tokens that could invalidate it, or values from both sides of a change of
   * one token: nobody may store it.
   */
  overtaken = false;
  /** When the lease was last known to be ours, or the flight began: it vouches for the flight for a while. */
  vouchedAtMs: number;
  /** Set while a changed token is being read again: whoever wants to join waits for the verdict. */
  doubt: Promise<void> | undefined;
  /** The lease under which it loads. */
  lease: { readonly key: RemoteKey; readonly token: string } | undefined;
  /** Of its key and of its tokens. */
  #gates: Gate[] | undefined;
  /** Nearly every flight has one. */
  #taker: FlightTaker | undefined;
  #others: FlightTaker[] | undefined;
  #result: FlightResult | undefined;
  #failure: { error: unknown } | undefined;

  constructor(
    /** Name of the key in this process. */
    readonly name: string,
    /** Position in the order of beginnings. */
    readonly number: number,
    readonly startedAtMs: number,
  ) {
    this.vouchedAtMs = startedAtMs;
  }

  /** Tells `taker` what it has brought; at once when it is over. */
  take(taker: FlightTaker): void {
    if (this.#result) taker.landed(this.#result);
    else if (this.#failure) taker.crashed(this.#failure.error);
    else if (this.#taker === undefined) this.#taker = taker;
    else (this.#others ??= []).push(taker);
  }

  /** What it brings, for whoever rather awaits. */
  get result(): Promise<FlightResult> {
    return new Promise((landed, crashed) => this.take({ landed, crashed }));
  }

  settle(result: FlightResult): void {
    this.#result = result;
    this.#taker?.landed(result);
    if (this.#others) for (const taker of this.#others) taker.landed(result);
    this.#taker = this.#others = undefined;
  }

  fail(error: unknown): void {
    this.#failure = { error };
    this.#taker?.crashed(error);
    if (this.#others) for (const taker of this.#others) taker.crashed(error);
    this.#taker = this.#others = undefined;
  }

  get gates(): readonly Gate[] {
    return this.#gates ?? noGates;
  }

  /** Flights that its loader waits for. */
  get awaits(): Set<Flight> {
    return (this.#awaits ??= new Set());
  }

  /** Flights whose loaders wait for it. */
  get awaitedBy(): Set<Flight> {
    return (this.#awaitedBy ??= new Set());
  }

  get isAwaited(): boolean {
    return this.#awaitedBy !== undefined && this.#awaitedBy.size > 0;
  }

  /** Tokens captured before the loader, with their values. */
  get captured(): Map<TokenName, string> {
    return (this.#captured ??= new Map());
  }

  /** Watched tokens that changed before they were captured. */
  get rumours(): Set<TokenName> {
    return (this.#rumours ??= new Set());
  }

  /** It is about to load: what it brings is newer than all that it went by. */
  looksNoMore(): void {
    this.goesBy = noTokens;
  }

  hears(gate: Gate): void {
    const gates = (this.#gates ??= []);
    if (!gates.includes(gate)) gates.push(gate);
  }

  detach(): void {
    this.detached = true;
    this.tainted = true;
  }

  /** Whether it, or something that its loader waits for, is older than a change that has been heard. */
  get isOutdated(): boolean {
    return this.detached || (this.#awaits !== undefined && [...this.#awaits].some(inner => inner.isOutdated));
  }

  /** Whether it waits for `other`, by however many loaders in between. */
  waitsFor(other: Flight): boolean {
    if (this === other) return true;
    return this.#awaits !== undefined && [...this.#awaits].some(next => next.waitsFor(other));
  }
}

const noFlights: readonly Flight[] = [];

/** The flights of this process, found by key and by the tokens that they watch. */
export class FlightTable {
  readonly #byName = new ChurningMap<string, Flight>();
  /** Refreshes stand apart: whoever misses meanwhile must not wait for them, nor get their errors. */
  readonly #refreshes = new ChurningMap<string, Flight>();
  /** By their numbers. */
  readonly #byToken = new ChurningMap<TokenName, ChurningMap<number, Flight>>();
  /** Those that nobody finds by their key any more, or never did. */
  readonly #apart = new ChurningMap<number, Flight>();
  #count = 0;

  /** Number of flights under way, detached ones included. */
  get size(): number {
    return this.#byName.size + this.#refreshes.size + this.#apart.size;
  }

  get lastNumber(): number {
    return this.#count;
  }

  /** The flight that serves new callers of a key. */
  current(name: string): Flight | undefined {
    return this.#byName.get(name);
  }

  /** The refresh of a key that is under way. */
  refreshing(name: string): Flight | undefined {
    return this.#refreshes.get(name);
  }

  /** Nobody joins what is under way for this key, and what it brings is not for L1. */
  detach(name: string): void {
    this.#byName.get(name)?.detach();
    this.#refreshes.get(name)?.detach();
  }

  begin(name: string, nowMs: number, refresh = false): Flight {
    const table = refresh ? this.#refreshes : this.#byName;
    // Messages reach the latest flight of a key alone: one that is replaced would not hear of changes any more.
    const last = table.get(name);
    if (last) {
      last.detach();
      this.#apart.set(last.number, last);
    }
    const flight = new Flight(name, (this.#count += 1), nowMs);
    flight.isListed = true;
    table.set(name, flight);
    return flight;
  }

  /** A flight that nobody can join. */
  beginAlone(name: string, nowMs: number): Flight {
    const flight = new Flight(name, (this.#count += 1), nowMs);
    flight.detach();
    flight.isListed = true;
    this.#apart.set(flight.number, flight);
    return flight;
  }

  watch(flight: Flight, token: TokenName): void {
    if (!flight.isListed) {
      // One that stands for the flights of a batch: they watch.
      for (const outer of flight.awaitedBy) this.watch(outer, token);
      return;
    }
    // Few for each, so a list.
    const watched = (flight.watched ??= []);
    if (watched.includes(token)) return;
    watched.push(token);
    let flights = this.#byToken.get(token);
    if (flights === undefined) this.#byToken.set(token, (flights = new ChurningMap()));
    flights.set(flight.number, flight);
  }

  watching(token: TokenName): readonly Flight[] {
    return this.#byToken.get(token)?.values() ?? noFlights;
  }

  tokensOf({ goesBy, watched = [] }: Flight): readonly TokenName[] {
    return [...goesBy.map(([name]) => name), ...watched];
  }

  all(): readonly Flight[] {
    return [...this.#byName.values(), ...this.#refreshes.values(), ...this.#apart.values()];
  }

  /** It is over. Loads that have waited for it watch on for the tokens that they are about to take over from it. */
  end(flight: Flight, brought: Copied = []): void {
    flight.ended = true;
    if (flight.isAwaited)
      for (const outer of flight.awaitedBy) for (const [token] of brought) this.watch(outer, token);
    flight.isListed = false;
    if (this.#byName.get(flight.name) === flight) this.#byName.delete(flight.name);
    else if (this.#refreshes.get(flight.name) === flight) this.#refreshes.delete(flight.name);
    else this.#apart.delete(flight.number);
    if (flight.watched) {
      for (const token of flight.watched) {
        const flights = this.#byToken.get(token);
        flights?.delete(flight.number);
        if (flights?.size === 0) this.#byToken.delete(token);
      }
    }
  }
}
