import { atOnce, type Postman } from './wire';

/** Hands on at once, but for what goes a way that is held: that waits until it is let go. */
export class HoldingPostman {
  readonly #held = new Map<string, (() => void)[]>();

  readonly deliver: Postman = (label, deliver) => {
    const held = [...this.#held].find(([way]) => label.startsWith(way))?.[1];
    if (held) held.push(deliver);
    else atOnce(label, deliver);
  };

  /** @param way how the labels begin: the instance, its connection, the direction, and what is sent */
  hold(way: string): void {
    this.#held.set(way, []);
  }

  release(way: string): void {
    const held = this.#held.get(way) ?? [];
    this.#held.delete(way);
    for (const deliver of held) deliver();
  }
}
