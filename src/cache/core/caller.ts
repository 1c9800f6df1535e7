import type { Answers, CacheAnswer, How } from './answers';
import type { Call, CallOptions } from './call';
import { CacheDeadlockError } from './errors';
import { withinLimits, withinPatience } from './limits';
import { Passenger, type Joining } from './joining';
import type { LoadScope } from './load-scope';
import type { NearEntry } from './near-cache';
import type { CacheParts } from './parts';
import type { Refreshes } from './refreshes';
import type { FlightResult, FoundEntry } from './single-flight';

/** Whoever reads: told one of the two, once. Must not throw. */
export interface Reader {
  answered(answer: CacheAnswer<unknown>): void;
  failed(error: unknown): void;
}

/** What callers have in common. */
export interface CallerParts {
  readonly parts: CacheParts;
  readonly answers: Answers;
  readonly joining: Joining;
  readonly refreshes: Refreshes;
}

/** One caller whom L1 could not answer, on his way to an answer. */
export class Caller extends Passenger {
  /** @param looksHere whether it is L1 that he has missed in */
  constructor(
    private readonly of: CallerParts,
    call: Call,
    private readonly options: CallOptions,
    private readonly looksHere: boolean,
    private readonly reader: Reader,
  ) {
    super(of.joining, call);
  }

  /** Goes for what a flight brings, within his own deadline and until his own signal. */
  go(): void {
    const { call, options } = this;
    const deadlineMs = options.deadlineMs ?? call.policy.deadlineMs;
    const { signal } = options;
    try {
      if (call.scope?.load?.chain.includes(call.name)) throw new CacheDeadlockError(call.key);
      signal?.throwIfAborted();
      if (signal === undefined && deadlineMs === 0) this.of.joining.join(this);
      else this.#goWithin(deadlineMs, signal);
    } catch (error) {
      this.failed(error);
    }
  }

  #goWithin(deadlineMs: number, signal: AbortSignal | undefined): void {
    const { clock } = this.of.parts;
    const { key } = this.call;
    const proxy = new Awaiting(this.of.joining, this.call);
    const leave = (): void => void (proxy.hasLeft = true);
    this.of.joining.join(proxy);
    withinLimits(clock, { key, deadlineMs, signal, leave }, proxy.arrival).then(
      ({ result, joined }) => this.arrived(result, joined),
      (error: unknown) => this.failed(error),
    );
  }

  arrived(result: FlightResult, joined: boolean): void {
    const { call } = this;
    if (this.looksHere && result.kind === 'found' && result.source === 'l1') {
      // It was here after all: its tokens only had to be read again.
      this.of.parts.stats.add(call.policy.name, 'l1Misses', -1);
      this.of.parts.stats.add(call.policy.name, 'l1Hits');
    }
    // Here and not where the answer came in: a caller who has left meanwhile has been counted as an error.
    this.#tell(() => this.#conclude(result, joined));
  }

  /** A caller who gets an error is counted, too. */
  failed(error: unknown): void {
    this.of.answers.error(this.call);
    this.reader.failed(error);
  }

  /** What goes wrong where an answer is put together is the caller's own: his threshold, or the decoding of his copy. */
  #tell(conclude: () => CacheAnswer<unknown> | undefined): void {
    let answer: CacheAnswer<unknown> | undefined;
    try {
      answer = conclude();
    } catch (error) {
      return this.failed(error);
    }
    if (answer) this.reader.answered(answer);
  }

  /** The answer that a flight has brought; none yet where a stale one waits for something fresher. */
  #conclude(result: FlightResult, joined: boolean): CacheAnswer<unknown> | undefined {
    const { call } = this;
    const { answers, parts, refreshes } = this.of;
    if (result.kind === 'absent' || result.kind === 'private') {
      const value = result.kind === 'private' ? result.value : undefined;
      return answers.nothing(call, result.cause, value, call.loader !== undefined);
    }
    const { entry } = result;
    call.scope?.load?.inherit(entry.tokens);
    const nowMs = parts.clock.nowMs();
    if (result.kind === 'loaded') {
      const how: How = joined
        ? { outcome: 'coalesced', source: 'load', stored: result.stored }
        : { outcome: 'miss', cause: result.cause, source: 'load', stored: result.stored };
      return answers.entry(call, entry, how);
    }
    let refreshing = false;
    if (call.loader && !result.suspect) {
      if (nowMs >= entry.staleAtMs && call.policy.softDeadlineMs > 0) {
        void this.waitForFresher(entry, result.source, result.fillId);
        return undefined;
      }
      const refreshAtMs =
        entry.bornAtMs + (entry.staleAtMs - entry.bornAtMs) * (call.policy.refreshAheadFraction || 1);
      const isDue = nowMs >= refreshAtMs || isWithin(this.options, call.scope, entry, nowMs);
      if (!joined && !entry.negative && isDue)
        refreshing = refreshes.start(call, result.fillId) !== undefined;
    }
    return answers.found(call, entry, result.source, nowMs, refreshing);
  }

  /**
   * A stale entry is at hand. The caller waits until the policy's soft deadline for the refresh that runs behind it, and
   * gets what it brings; else the stale value, which is better than an error. The refresh goes on in either case.
   */
  async waitForFresher(entry: FoundEntry, source: 'l1' | 'l2', fillId: string): Promise<void> {
    const { call, options } = this;
    const { answers, joining, parts, refreshes } = this.of;
    const { clock, flights } = parts;
    const own = refreshes.start(call, fillId);
    // One that was begun in this very turn is on its way after it.
    if (!own) await Promise.resolve();
    const other = own ? undefined : (flights.refreshing(call.name) ?? flights.current(call.name));
    const hoped = own ?? (other && !other.doubt && joining.mayJoin(other, call) ? other.result : undefined);
    if (hoped) {
      // There is an answer in any case: the other keys need not wait for somebody else's refresh of this one.
      if (!own) call.batch?.decided(call.key);
      const deadlineMs = options.deadlineMs ?? call.policy.deadlineMs;
      const patienceMs = Math.min(call.policy.softDeadlineMs, deadlineMs || Infinity);
      let result: FlightResult | undefined;
      try {
        result = await withinPatience(clock, patienceMs, options.signal, hoped);
      } catch (error) {
        return this.failed(error);
      }
      const brought = result;
      const loaded = brought?.kind === 'loaded' || (brought?.kind === 'private' && own !== undefined);
      const found = brought?.kind === 'found' && clock.nowMs() < brought.entry.staleAtMs;
      if (brought && (loaded || found)) return this.#tell(() => this.#conclude(brought, own === undefined));
    }
    this.#tell(() => answers.found(call, entry, source, clock.nowMs(), own !== undefined));
  }
}

/** Goes in the place of a caller who may leave before him. */
class Awaiting extends Passenger {
  #resolve!: (arrival: { result: FlightResult; joined: boolean }) => void;
  #reject!: (error: unknown) => void;
  readonly arrival = new Promise<{ result: FlightResult; joined: boolean }>((resolve, reject) => {
    this.#resolve = resolve;
    this.#reject = reject;
  });

  arrived(result: FlightResult, joined: boolean): void {
    this.#resolve({ result, joined });
  }

  failed(error: unknown): void {
    this.#reject(error);
  }
}

/** Whether the caller's own threshold says that an entry is due for a refresh. */
export function isWithin(
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
