import { CacheOptionsError } from '../core';

/**
 * Who owns which head of keys. Two routes or methods with one head would share entries: the defect by which the system
 * before this one answered one route with the list of another.
 */
export class KeyHeads {
  readonly #owners = new Map<string, { where: string; handler: object; owner: object }>();

  /** All heads of this application. */
  get taken(): ReadonlySet<string> {
    return new Set(this.#owners.keys());
  }

  /**
   * Takes a head for a handler of a class. The same handler of the same class may take it again: a class can be
   * provided more than once.
   *
   * @returns whether it was taken before, by the same handler
   * @throws CacheOptionsError naming both places
   */
  take(head: string, where: string, owner: object, handler: object): boolean {
    const taken = this.#owners.get(head);
    if (!taken) {
      this.#owners.set(head, { where, handler, owner });
      return false;
    }
    if (taken.handler === handler && taken.owner === owner) return true;
    throw new CacheOptionsError(
      `${where} and ${taken.where} would share the key ${head}: give one of them a key of its own`,
    );
  }
}
