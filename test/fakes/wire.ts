/**
 * Connections of a fake: whatever is sent arrives later and in order. When it arrives is the postman's choice: at once by default;
 * a test may hold everything and hand it out one by one, in any order between connections, never within one direction of one.
 */
export type Postman = (label: string, deliver: () => void) => void;

/** Delivers in the next microtask. */
export const atOnce: Postman = (_label, deliver) => queueMicrotask(deliver);

/** One direction of one connection: first in, first out, whichever delivery the postman makes first. */
export class Channel {
  #queue: (() => void)[] = [];

  constructor(
    private readonly name: string,
    private readonly postman: Postman,
  ) {}

  get waiting(): number {
    return this.#queue.length;
  }

  send(what: string, arrive: () => void): void {
    this.#queue.push(arrive);
    this.postman(`${this.name} ${what}`, () => this.#queue.shift()?.());
  }

  /** What is on its way is lost. */
  cut(): void {
    this.#queue = [];
  }
}
