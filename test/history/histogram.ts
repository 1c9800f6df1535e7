const growth = 1.05;

/** Durations in buckets that grow by 5 %, so that a run of any length keeps few numbers. */
export class Histogram {
  readonly #counts = new Map<number, number>();
  #size = 0;
  #max = 0;

  get size(): number {
    return this.#size;
  }

  get max(): number {
    return this.#max;
  }

  add(value: number): void {
    const bucket = Math.ceil(Math.log(Math.max(value, 0.01)) / Math.log(growth));
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + 1);
    this.#size += 1;
    this.#max = Math.max(this.#max, value);
  }

  /** The value below which this share lies, to 5 %; 0 of nothing. */
  quantile(share: number): number {
    let left = Math.ceil(this.#size * share);
    for (const [bucket, count] of [...this.#counts].sort(([a], [b]) => a - b)) {
      left -= count;
      if (left <= 0) return Math.min(growth ** bucket, this.#max);
    }
    return 0;
  }
}
