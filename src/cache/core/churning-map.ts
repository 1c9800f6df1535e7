/**
 * A map for what comes and goes all the time, such as the flights of reads: an object used as a dictionary. V8 links each table
 * that a `Map` or `Set` in such use has given up to the next one; once one of them is in old space, a collection of the young
 * keeps all that ever stood in them, and each read costs twice (docs/decisions/0015).
 */
export class ChurningMap<K extends string | number, V> {
  readonly #entries = Object.create(null) as Record<K, V | undefined>;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: K): V | undefined {
    return this.#entries[key];
  }

  set(key: K, value: V & {}): void {
    if (this.#entries[key] === undefined) this.#size += 1;
    this.#entries[key] = value;
  }

  delete(key: K): void {
    if (this.#entries[key] === undefined) return;
    this.#size -= 1;
    delete this.#entries[key];
  }

  /** A list of what is in it now; in no order. */
  values(): V[] {
    return Object.values<V>(this.#entries as Record<string, V>);
  }
}
