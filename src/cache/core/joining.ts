import type { Call } from './call';
import type { Flying } from './flying';
import { isUsable } from './found';
import type { Loading } from './loading';
import type { CacheParts } from './parts';
import { mayJoinInside } from './protocol';
import type { Flight, FlightResult, FlightTaker } from './single-flight';

/** Whoever joins a flight: told at its end, where he made his call, whether there is an answer for him in it. */
export abstract class Passenger implements FlightTaker {
  /** He has gone without an answer. */
  hasLeft = false;
  /** Somebody else had begun it. */
  #joined = false;

  constructor(
    private readonly joining: Joining,
    readonly call: Call,
  ) {}

  /** The flight that he is in now. */
  board(flight: Flight, joined: boolean): void {
    this.#joined = joined;
    const outer = this.call.scope?.load?.flight;
    flight.take(outer ? new Awaited(outer, flight, this) : this);
  }

  landed(result: FlightResult): void {
    this.call.place.runInAsyncScope(this.#landed, this, result);
  }

  #landed(result: FlightResult): void {
    if (this.#joined) this.joining.shared(this, result);
    else this.arrived(result, false);
  }

  crashed(error: unknown): void {
    this.call.place.runInAsyncScope(this.#crashed, this, error);
  }

  #crashed(error: unknown): void {
    this.failed(error);
  }

  /** One of the two comes once. Must not throw. @param joined whether somebody else had begun the flight */
  abstract arrived(result: FlightResult, joined: boolean): void;
  abstract failed(error: unknown): void;
}

/** Which flight a caller joins, or that he begins one; and what of its result is for him. */
export class Joining {
  constructor(
    private readonly parts: CacheParts,
    private readonly flying: Flying,
    private readonly loading: Loading,
  ) {}

  /** Joins the flight of this key if it may be joined, or begins one. */
  join(passenger: Passenger): void {
    const { call } = passenger;
    const flight = this.parts.flights.current(call.name) ?? this.#onlyRefresh(call);
    if (flight?.doubt) {
      flight.doubt.then(
        () => this.join(passenger),
        (error: unknown) => passenger.failed(error),
      );
      return;
    }
    const joined = flight !== undefined && this.mayJoin(flight, call);
    if (joined) call.batch?.decided(call.key);
    passenger.board(joined ? flight : this.begin(call), joined);
  }

  /** What a flight that was joined has brought. */
  shared(passenger: Passenger, result: FlightResult): void {
    const { call } = passenger;
    // An answer for one caller alone: everybody else asks for himself, at once and not one after the other.
    if (result.kind === 'private') {
      // Nobody waits for it any more: not worth a load of its own.
      if (passenger.hasLeft) return passenger.arrived({ kind: 'absent', cause: result.cause }, true);
      this.loading.loadAlone(call, result.cause).then(
        own => passenger.arrived(own, false),
        (error: unknown) => passenger.failed(error),
      );
      return;
    }
    // A plain read found nothing: whoever has a loader goes on from there.
    if (result.kind === 'absent' && call.loader) return this.join(passenger);
    // One with a loader may be content with a stale entry; a plain read is not.
    const tooOld =
      !call.loader && result.kind === 'found' && !isUsable(call, result.entry, this.parts.clock.nowMs());
    passenger.arrived(tooOld ? { kind: 'absent', cause: 'expired' } : result, true);
  }

  begin(call: Call): Flight {
    const { flights, clock } = this.parts;
    const flight = flights.begin(call.name, clock.coarseMs(), call.refreshOf !== undefined);
    this.flying.fly(flight, call);
    return flight;
  }

  /** Where nothing but this process holds the entry, a refresh is the only load there may be. */
  #onlyRefresh(call: Call): Flight | undefined {
    return !this.parts.shared || call.policy.tier === 'local'
      ? this.parts.flights.refreshing(call.name)
      : undefined;
  }

  /**
   * Whether a caller may share a flight: not one that a change has overtaken, and an old one only as long as its lease
   * was renewed lately and this process hears of changes. Inside a loader: only one that began after the outer capture.
   */
  mayJoin(flight: Flight, call: Call): boolean {
    if (flight.isOutdated) return false;
    const outer = call.scope?.load;
    if (outer) {
      // Two loaders that ask for each other's keys would wait for each other.
      if (flight.waitsFor(outer.flight)) return false;
      if (!mayJoinInside(flight, outer.capturedAt)) return false;
    }
    if (!this.parts.shared) return true;
    const nowMs = this.parts.clock.nowMs();
    // What was known when a look began may have been overdue already: a reader of now waits no longer than Δ for word of a change.
    if (!this.parts.tokens.hold(flight.goesBy, nowMs)) return false;
    const { maxL1StalenessMs } = this.parts.options;
    if (nowMs - flight.startedAtMs <= maxL1StalenessMs) return true;
    return nowMs - flight.vouchedAtMs <= maxL1StalenessMs && flight.gates.every(gate => gate.isOpen(nowMs));
  }
}

/**
 * A passenger on behalf of a loader: its flight waits for the one that he is in. What has overtaken the inner load has then overtaken the
 * outer one as well: whoever comes later must not get it.
 */
class Awaited implements FlightTaker {
  constructor(
    private readonly outer: Flight,
    private readonly inner: Flight,
    private readonly passenger: Passenger,
  ) {
    outer.awaits.add(inner);
    inner.awaitedBy.add(outer);
  }

  landed(result: FlightResult): void {
    this.#leave();
    this.passenger.landed(result);
  }

  crashed(error: unknown): void {
    this.#leave();
    this.passenger.crashed(error);
  }

  #leave(): void {
    const { inner, outer } = this;
    if (inner.isOutdated) outer.detach();
    outer.awaits.delete(inner);
    inner.awaitedBy.delete(outer);
  }
}
