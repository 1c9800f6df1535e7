import { Background } from '../../src/cache/core/background';
import { Bulkhead } from '../../src/cache/core/bulkhead';
import { Leases } from '../../src/cache/core/leases';
import { FlightTable } from '../../src/cache/core/single-flight';
import { Waiters } from '../../src/cache/core/waiters';

interface Seen {
  names: Set<string>;
  tokens: Set<string>;
}

/**
 * The structures inside the caches of a test, as Caffeine's tests walk those of theirs. They are found when they are used, so
 * that the cache needs no door for tests; one that was never used holds nothing.
 */
export class Structures {
  readonly #flights = new Map<FlightTable, Seen>();
  readonly #waiters = new Set<Waiters>();
  readonly #leases = new Set<Leases>();
  readonly #background = new Set<Background>();
  readonly #bulkheads = new Set<Bulkhead>();

  private constructor() {
    const seen = (table: FlightTable): Seen => {
      let known = this.#flights.get(table);
      if (!known) this.#flights.set(table, (known = { names: new Set(), tokens: new Set() }));
      return known;
    };
    onCall(FlightTable.prototype, 'begin', (table, [name]) => seen(table).names.add(name));
    onCall(FlightTable.prototype, 'beginAlone', (table, [name]) => seen(table).names.add(name));
    onCall(FlightTable.prototype, 'watch', (table, [, token]) => seen(table).tokens.add(token));
    onCall(Waiters.prototype, 'wait', waiters => this.#waiters.add(waiters));
    onCall(Leases.prototype, 'release', leases => this.#leases.add(leases));
    onCall(Background.prototype, 'track', background => this.#background.add(background));
    onCall(Background.prototype, 'enter', background => this.#background.add(background));
    onCall(Bulkhead.prototype, 'run', bulkhead => this.#bulkheads.add(bulkhead));
  }

  static #watched: Structures | undefined;

  /** From now on structures are found; called before the first cache is made. */
  static watch(): Structures {
    return (this.#watched ??= new Structures());
  }

  /** What is there although nobody waits for anything, in words; forgets the structures that it has looked at. */
  leftOver(): string[] {
    const wrong: string[] = [];
    const none = (count: number, what: string): void => {
      if (count !== 0) wrong.push(`${count} ${what} left over`);
    };
    for (const [table, { names, tokens }] of this.#flights) {
      none(table.size, 'flights');
      none(
        [...names].filter(name => table.current(name) ?? table.refreshing(name)).length,
        'joinable flights',
      );
      none([...tokens].filter(token => table.watching(token).length > 0).length, 'watched tokens');
    }
    for (const waiters of this.#waiters) none(waiters.size, 'waiters');
    for (const leases of this.#leases) none(leases.owed, 'owed leases');
    for (const background of this.#background) none(background.size, 'tasks in the background');
    for (const bulkhead of this.#bulkheads) none(bulkhead.running + bulkhead.waiting, 'places in a bulkhead');
    this.forget();
    return wrong;
  }

  /** What was used until now belongs to a test that is over. */
  forget(): void {
    for (const found of [this.#flights, this.#waiters, this.#leases, this.#background, this.#bulkheads])
      found.clear();
  }
}

/** Tells of each call of a method, before it runs. */
function onCall<T extends object, K extends keyof T>(
  prototype: T,
  name: K,
  tell: (self: T, args: T[K] extends (...args: infer A) => unknown ? A : never) => void,
): void {
  const method = prototype[name] as (...args: unknown[]) => unknown;
  prototype[name] = function (this: T, ...args: unknown[]): unknown {
    tell(this, args as never);
    return method.apply(this, args);
  } as T[K];
}
