/** One command takes so many keys; more are split. The server does nothing else meanwhile. */
const maxKeysPerCommand = 512;

/** Whoever has asked for one key. Must not throw. */
export interface OneReceiver<V> {
  received(value: NonNullable<V> | undefined, others: readonly never[]): void;
  failed(error: unknown): void;
}

interface One<V> {
  key: string;
  receiver: OneReceiver<V>;
}

interface Several<V> {
  keys: readonly string[];
  lifeMs: number;
  resolve(values: V[]): void;
  reject(error: unknown): void;
}

const noOthers: readonly never[] = Object.freeze([]);

/**
 * Collects what is asked for about keys in one turn of the event loop into one command. Many callers at once then cost one
 * trip and one command (measured for MGET: 2.6 times the rate of single GETs), and what several of them ask for is asked
 * for once.
 */
export class TurnBatch<V> {
  #ones: One<V>[] = [];
  #several: Several<V>[] = [];
  #isPlanned = false;
  readonly #sendAll = (): void => {
    this.#isPlanned = false;
    const [ones, several] = [this.#ones, this.#several];
    this.#ones = [];
    this.#several = [];
    for (let one = 0, at = 0; one < ones.length || at < several.length;) {
      const alone = ones.slice(one, one + maxKeysPerCommand);
      const keys = alone.map(({ key }) => key);
      one += alone.length;
      const together: Several<V>[] = [];
      const places = new Map<string, number>();
      while (at < several.length && fits(keys.length, several[at]!.keys.length)) {
        const next = several[at]!;
        for (const key of next.keys) if (!places.has(key)) places.set(key, keys.push(key) - 1);
        together.push(next);
        at += 1;
      }
      this.#send(keys, alone, together, places);
    }
  };

  /** @param send one command: a value for each key; `lifeMs` is the longest that anybody asked for */
  constructor(private readonly send: (keys: string[], lifeMs: number) => Promise<V[]>) {}

  ask(keys: readonly string[], lifeMs = 0): Promise<V[]> {
    if (keys.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      this.#several.push({ keys, lifeMs, resolve, reject });
      this.#plan();
    });
  }

  /** For a key that nobody else is expected to ask for in this turn: it is not looked for among the others. */
  askOne(key: string, receiver: OneReceiver<V>): void {
    this.#ones.push({ key, receiver });
    this.#plan();
  }

  /** After the microtasks of this turn: whoever is about to ask has asked by then. */
  #plan(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    process.nextTick(this.#sendAll);
  }

  #send(
    keys: string[],
    alone: readonly One<V>[],
    together: readonly Several<V>[],
    places: ReadonlyMap<string, number>,
  ): void {
    const lifeMs = together.reduce((longest, one) => Math.max(longest, one.lifeMs), 0);
    this.send(keys, lifeMs).then(
      values => {
        for (let at = 0; at < alone.length; at += 1)
          alone[at]!.receiver.received(values[at] ?? undefined, noOthers);
        for (const one of together) one.resolve(one.keys.map(key => values[places.get(key)!]!));
      },
      (error: unknown) => {
        for (const { receiver } of alone) receiver.failed(error);
        for (const one of together) one.reject(error);
      },
    );
  }
}

/** Whoever asks for more than one command takes gets one of his own. */
function fits(already: number, more: number): boolean {
  return already === 0 || already + more <= maxKeysPerCommand;
}
