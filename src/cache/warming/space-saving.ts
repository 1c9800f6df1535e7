/**
 * The most frequent members of a stream in fixed room (Metwally, Agrawal and El Abbadi, "Efficient Computation of Frequent and
 * Top-k Elements in Data Streams", ICDT 2005): a new member takes the place of the rarest and inherits its count, so that a
 * count may be too high, by no more than the rarest there is, and is never too low.
 */
export class SpaceSaving {
  readonly #counts = new Map<string, number>();

  /** @param capacity members at most */
  constructor(readonly capacity: number) {}

  get size(): number {
    return this.#counts.size;
  }

  add(member: string, weight: number): void {
    const known = this.#counts.get(member);
    if (known !== undefined || this.#counts.size < this.capacity) {
      this.#counts.set(member, (known ?? 0) + weight);
      return;
    }
    let rarest: string | undefined;
    let least = Infinity;
    for (const [each, count] of this.#counts) if (count < least) [rarest, least] = [each, count];
    this.#counts.delete(rarest!);
    this.#counts.set(member, least + weight);
  }

  has(member: string): boolean {
    return this.#counts.has(member);
  }

  /** In the order in which they came. */
  entries(): [member: string, count: number][] {
    return [...this.#counts];
  }

  /** What was long ago counts for less; what is rarer than once is gone. */
  halve(): void {
    for (const [member, count] of this.#counts) {
      if (count < 2) this.#counts.delete(member);
      else this.#counts.set(member, count / 2);
    }
  }

  clear(): void {
    this.#counts.clear();
  }
}
