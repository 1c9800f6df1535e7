import type { Clock } from './clock';
import type { LoadControl, Loader } from './loader';
import type { LoadScope } from './load-scope';
import type { ScopeContext } from './ports';
import { Flight, type FlightTable } from './single-flight';

/** What a loader of several keys is given. */
export interface LoadManyControl {
  /** Aborted when the loads of all keys are given up: they timed out, or the cache is closed. */
  readonly signal: AbortSignal;
  /** The control of one key: its tags, its life, whether it is stored. @throws RangeError for a key that is not asked for */
  of(key: string): LoadControl;
}

/**
 * Loads several keys at once. A key that is not in the answer has no value; an `Error` is the failure of that key alone, and
 * what the loader throws that of all.
 */
export type LoaderOfMany<T> = (
  keys: readonly string[],
  load: LoadManyControl,
) => ReadonlyMap<string, T | Error> | Promise<ReadonlyMap<string, T | Error>>;

/** A load that has its lease, and waits for the others. */
interface Member {
  readonly control: LoadControl;
  readonly scope: LoadScope | undefined;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface LoadBatchParts {
  readonly clock: Clock;
  readonly scopes: ScopeContext<LoadScope>;
  readonly flights: FlightTable;
}

/**
 * Gathers the loads of one call of many keys into one call of its loader. Each key goes its own way (its lease, its flight,
 * its fill, its error); only where its loader would run does it stop and wait until it is known of every other key what
 * becomes of it: found, loaded by somebody else, or here as well. Nobody waits for a key that itself waits for another
 * instance, so that two instances with half of the keys each do not wait for each other. What comes later (a load that was
 * waited for failed) is loaded in a batch of its own.
 */
export class LoadBatch {
  readonly #undecided: Set<string>;
  #here = new Map<string, Member>();
  #fires = false;

  /**
   * @param place runs the loader when there is room for one more load
   */
  constructor(
    private readonly parts: LoadBatchParts,
    keys: readonly string[],
    private readonly loadMany: LoaderOfMany<unknown>,
    private readonly place: <R>(task: () => Promise<R>) => Promise<R>,
  ) {
    this.#undecided = new Set(keys);
  }

  /** Where each key's own way ends, as far as there is something to load. */
  readonly loader: Loader<unknown> = control =>
    new Promise((resolve, reject) => {
      this.#here.set(control.key, { control, scope: this.parts.scopes.current(), resolve, reject });
      this.decided(control.key);
    });

  /** It is known what becomes of a key, be it that somebody else loads it. */
  decided(key: string): void {
    this.#undecided.delete(key);
    if (this.#undecided.size > 0 || this.#here.size === 0 || this.#fires) return;
    this.#fires = true;
    // What comes with the same message of Redis is here after the microtasks that are waiting now.
    queueMicrotask(() => {
      this.#fires = false;
      const members = this.#here;
      this.#here = new Map();
      void this.#fire(members);
    });
  }

  async #fire(members: ReadonlyMap<string, Member>): Promise<void> {
    try {
      const loaded = await this.place(() => this.#load(members));
      if (!(loaded instanceof Map))
        throw new TypeError(`a loader of many answers with a Map, not with ${typeof loaded}`);
      for (const [key, { resolve, reject }] of members) {
        const value: unknown = loaded.get(key);
        if (value instanceof Error) reject(value);
        else resolve(value);
      }
    } catch (error) {
      for (const { reject } of members.values()) reject(error);
    }
  }

  /**
   * One load on behalf of several. What the loader reads through the cache becomes part of what each of the entries depends
   * on; a flight that stands for all of them is what an inner load waits for or is waited for by.
   */
  async #load(members: ReadonlyMap<string, Member>): Promise<ReadonlyMap<string, unknown>> {
    const { scopes, flights, clock } = this.parts;
    const all = [...members.values()];
    const loads = all.flatMap(({ scope }) => scope?.load ?? []);
    const leader = new Flight('', flights.lastNumber, clock.nowMs());
    for (const { flight } of loads) {
      flight.awaits.add(leader);
      leader.awaitedBy.add(flight);
    }
    const scope: LoadScope = {
      purpose: all[0]!.scope?.purpose ?? 'request',
      uncounted: all[0]!.scope?.uncounted ?? false,
      load: {
        chain: [...new Set(loads.flatMap(({ chain }) => chain))],
        flight: leader,
        capturedAt: flights.lastNumber,
        inherit: tokens => {
          for (const load of loads) load.inherit(tokens);
        },
      },
    };
    const load: LoadManyControl = {
      signal: whenAllAbort(all.map(({ control }) => control.signal)),
      of: key => {
        const member = members.get(key);
        if (!member) throw new RangeError(`the key ${key} is not asked for`);
        return member.control;
      },
    };
    try {
      return await scopes.run(scope, async () => this.loadMany([...members.keys()], load));
    } finally {
      for (const { flight } of loads) {
        if (leader.isOutdated) flight.detach();
        if (leader.overtaken) flight.overtaken = true;
        flight.awaits.delete(leader);
      }
    }
  }
}

function whenAllAbort(signals: readonly AbortSignal[]): AbortSignal {
  const all = new AbortController();
  let left = signals.length;
  const one = (event: Event): void => {
    left -= 1;
    if (left === 0) all.abort((event.target as AbortSignal).reason);
  };
  for (const signal of signals) {
    if (signal.aborted) left -= 1;
    else signal.addEventListener('abort', one, { once: true });
  }
  if (left === 0) all.abort(signals[0]?.reason);
  return all.signal;
}
