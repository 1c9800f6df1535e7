import { CircuitState, type IBreaker } from 'cockatiel';

const sliceMs = 1_000;

interface Slice {
  /** Which second it counts. */
  number: number;
  failures: number;
  calls: number;
}

/** Opens at a share of failures among the calls of the last time, if there were enough of them; counts by whole seconds. */
export class FailureShareBreaker implements IBreaker {
  #slices: Slice[] = [];

  constructor(
    private readonly share: number,
    private readonly windowMs: number,
    private readonly minCalls: number,
  ) {}

  get state(): unknown {
    return this.#slices;
  }

  set state(slices: unknown) {
    this.#slices = slices as Slice[];
  }

  success(state: CircuitState): void {
    // It works again: what failed before does not count any more.
    if (state === CircuitState.HalfOpen) this.#slices = [];
    this.#slice().calls += 1;
  }

  failure(state: CircuitState): boolean {
    const slice = this.#slice();
    slice.calls += 1;
    slice.failures += 1;
    if (state !== CircuitState.Closed) return true;
    const sum = (count: (slice: Slice) => number): number =>
      this.#slices.reduce((total, one) => total + count(one), 0);
    const calls = sum(one => one.calls);
    return calls >= this.minCalls && sum(one => one.failures) >= this.share * calls;
  }

  /** The slice of now; those that have left the window are dropped. */
  #slice(): Slice {
    const number = Math.floor(Date.now() / sliceMs);
    const latest = this.#slices.at(-1);
    if (latest?.number === number) return latest;
    const oldest = number - this.windowMs / sliceMs;
    this.#slices = this.#slices.filter(slice => slice.number > oldest && slice.number <= number);
    const slice = { number, failures: 0, calls: 0 };
    this.#slices.push(slice);
    return slice;
  }
}
