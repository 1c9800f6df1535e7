/**
 * What was learned of request targets, by their exact text, bounded. Two generations: when the young one is full it becomes
 * the old one, and what nobody asked for since is gone with the one before. A look costs one `Map.get`, two for the old.
 */
export class LearnedUrls<T> {
  #young = new Map<string, T>();
  #old = new Map<string, T>();

  /** @param maxUrls known at most; each has at most `maxUrlLength` characters */
  constructor(private readonly maxUrls: number) {}

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(url: string): T | undefined {
    const young = this.#young.get(url);
    if (young !== undefined) return young;
    const old = this.#old.get(url);
    if (old !== undefined) this.learn(url, old);
    return old;
  }

  learn(url: string, what: T): void {
    if (url.length > maxUrlLength) return;
    this.#old.delete(url);
    this.#young.set(url, what);
    if (this.#young.size < Math.max(1, this.maxUrls / 2)) return;
    this.#old = this.#young;
    this.#young = new Map();
  }
}

export const maxUrlLength = 2_048;
