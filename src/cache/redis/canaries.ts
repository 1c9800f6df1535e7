/** So many are in use in turn, so that the next ones need no room on a full server: their keys are there already. */
export const canariesInTurn = 8;

/**
 * The names of the canaries of one tracker, and when each was sent. Canaries that follow each other closely are heard as
 * one message, and a message can be held up for longer than a whole turn takes. So each name has a time of its own, and a
 * name that has not been heard yet is never used again: its message, when it comes at last, would count for the canary
 * sent later, and the gate would open on word that has not arrived. When none is free, eight new names are taken.
 */
export class Canaries {
  /** Names in turn; NaN: free. */
  #sentAtMs = new Map<string, number>();
  #generation = 0;

  /** `nameOf` makes the Redis key of what tells one canary from another. */
  constructor(private readonly nameOf: (canary: string) => string) {
    this.renew();
  }

  /** Takes new names: whatever is still under way for the old ones means nothing any more. */
  renew(): void {
    this.#generation += 1;
    const names = Array.from({ length: canariesInTurn }, (_, n) => this.nameOf(`${this.#generation}.${n}`));
    this.#sentAtMs = new Map(names.map(name => [name, NaN]));
  }

  /** The name for a canary that stands for everything written before `nowMs`. */
  next(nowMs: number): string {
    let free = this.#free();
    if (free === undefined) {
      this.renew();
      free = this.#free()!;
    }
    // Put in anew, at the end: the turn goes round.
    this.#sentAtMs.delete(free);
    this.#sentAtMs.set(free, nowMs);
    return free;
  }

  /** When the canary that was heard was sent; undefined for one that nobody waits for. */
  heard(name: string): number | undefined {
    const sentAtMs = this.#sentAtMs.get(name);
    if (sentAtMs === undefined || Number.isNaN(sentAtMs)) return undefined;
    this.#sentAtMs.set(name, NaN);
    return sentAtMs;
  }

  /** The server has refused it: it will never be heard. */
  refused(name: string): void {
    if (this.#sentAtMs.has(name)) this.#sentAtMs.set(name, NaN);
  }

  #free(): string | undefined {
    for (const [name, sentAtMs] of this.#sentAtMs) if (Number.isNaN(sentAtMs)) return name;
    return undefined;
  }
}
