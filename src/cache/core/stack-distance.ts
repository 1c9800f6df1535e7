/** A member of the stack. */
export interface Stacked {
  /** Where it stands in the order of last accesses; 0 before the first. */
  position: number;
}

/**
 * How many different members were accessed since the last access of one (its LRU stack distance; Mattson et al., IBM Systems
 * Journal 1970), in logarithmic time by a Fenwick tree over the order of accesses.
 */
export class StackDistance {
  #tree: Int32Array;
  #members = new Set<Stacked>();
  #top = 0;

  /** @param capacity members at once, at most */
  constructor(capacity: number) {
    this.#tree = new Int32Array(4 * capacity + 1);
  }

  /** The distance of this access, from 0; undefined for a first one. */
  access(member: Stacked): number | undefined {
    let distance: number | undefined;
    if (member.position > 0) {
      distance = this.#members.size - this.#countUpTo(member.position);
      this.#add(member.position, -1);
    } else this.#members.add(member);
    if (this.#top + 1 >= this.#tree.length) this.#compact(member);
    this.#top += 1;
    member.position = this.#top;
    this.#add(this.#top, 1);
    return distance;
  }

  remove(member: Stacked): void {
    if (!this.#members.delete(member)) return;
    this.#add(member.position, -1);
    member.position = 0;
  }

  /** All move together; one is about to be put on top. */
  #compact(moving: Stacked): void {
    const ordered = [...this.#members].filter(member => member !== moving);
    ordered.sort((a, b) => a.position - b.position);
    this.#tree = new Int32Array(this.#tree.length);
    this.#top = 0;
    for (const member of ordered) {
      this.#top += 1;
      member.position = this.#top;
      this.#add(this.#top, 1);
    }
  }

  #countUpTo(position: number): number {
    let count = 0;
    for (let at = position; at > 0; at -= at & -at) count += this.#tree[at]!;
    return count;
  }

  #add(position: number, change: number): void {
    for (let at = position; at < this.#tree.length; at += at & -at) this.#tree[at]! += change;
  }
}
