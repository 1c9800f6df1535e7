import type { BreakerReport } from '../cache';
import { ProblemException } from '../http/problem.exception';

/** Whoever has circuit breakers; a feature need not know of this to be one. */
export interface BreakerOwner {
  /** What there is to tell of each. Names are not those of others: `redis`, `agents:host:8080`. */
  breakers(): readonly BreakerReport[];
  /** Closes all of them, or those of these names. */
  resetBreakers(names?: readonly string[]): unknown;
}

/** The circuit breakers of the application. Who has some is listed in the module. */
export class BreakerRegistry {
  constructor(private readonly owners: readonly BreakerOwner[]) {}

  /** All of them, by name. */
  all(): BreakerReport[] {
    return this.owners
      .flatMap(owner => owner.breakers())
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /**
   * Closes all of them, or one: the next calls go out, and their outcome decides. Their names.
   * @throws ProblemException 404 when there is none of this name
   */
  reset(name?: string): string[] {
    const names = this.all().map(breaker => breaker.name);
    if (name !== undefined && !names.includes(name))
      throw new ProblemException(
        404,
        'BREAKER_NOT_FOUND',
        'Circuit breaker not found',
        'There is no circuit breaker of this name.',
      );
    for (const owner of this.owners) owner.resetBreakers(name === undefined ? undefined : [name]);
    return name === undefined ? names : [name];
  }
}
