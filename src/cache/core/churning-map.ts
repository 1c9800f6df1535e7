/**
 * A map for what comes and goes all the time. V8 rebuilds the table of a `Map` or `Set` in such use again and again, and links
 * each one that it gives up to the next, with all that stood in it then. Once one of them is in old space, a collection of the
 * young keeps the whole chain: what was read a moment ago is copied and promoted instead of dying, until all is collected. For
 * the flights of reads that more than doubled what a read of Redis cost (`npm run bench -- many`). An object that is used as a
 * dictionary is rebuilt without such links.
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
