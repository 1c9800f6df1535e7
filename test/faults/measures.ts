import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { CallOptions, CacheAnswer, TieredCache } from '../../src/cache/core';
import { eventually } from '../integration/cache-node';

/**
 * What a fault did to callers, as one line of the test's output, and the source behind the cache, which knows what is
 * stale. Safety (stale reads, errors) is for tests to assert exactly. Times are printed and not asserted, or only with
 * limits that no busy machine reaches: unhandled rejections fail a test by themselves.
 */
export class Measures {
  readonly #heapBytes = heapBytes();
  readonly #handles = openHandles();
  readonly #waitsMs: number[] = [];
  readonly #marksMs = new Map<string, number>();
  readonly #versions = new Map<string, number>();
  /** The version that a read of a key which begins now may not fall below. */
  readonly #floors = new Map<string, number>();
  #faultAtMs = NaN;
  #healedAtMs = NaN;
  stale = 0;
  errors = 0;
  loads = 0;

  constructor(private readonly name: string) {}

  /** The source has a new version of the key; no cache knows of it yet. */
  commit(key: string): number {
    const version = this.version(key) + 1;
    this.#versions.set(key, version);
    return version;
  }

  version(key: string): number {
    return this.#versions.get(key) ?? 1;
  }

  /** From now on an older version is stale. */
  expectFresh(key: string): void {
    this.#floors.set(key, this.version(key));
  }

  /** Reads through the cache; counts the wait, the load, and whether the answer was stale. */
  async read(cache: TieredCache, key: string, options: CallOptions = {}): Promise<CacheAnswer<number>> {
    const floor = this.#floors.get(key) ?? 0;
    const beginMs = performance.now();
    const load = (): number => {
      this.loads += 1;
      return this.version(key);
    };
    try {
      const answer = await cache.lookup(key, load, options);
      if (answer.value < floor) this.stale += 1;
      return answer;
    } catch (error) {
      this.errors += 1;
      throw error;
    } finally {
      this.#waitsMs.push(performance.now() - beginMs);
    }
  }

  /** The fault begins: what is measured before it does not count. */
  fault(): void {
    this.#faultAtMs = performance.now();
    this.#waitsMs.length = 0;
  }

  healed(): void {
    this.#healedAtMs = performance.now();
  }

  /** Waits until the fault has been noticed: breaker open, gate shut, connection given up. */
  async detected(isSo: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<void> {
    await eventually(isSo, limitMs);
    this.#marksMs.set('t_detect', performance.now() - this.#faultAtMs);
  }

  /** Waits until Redis answers reads of this instance again. */
  async recovered(cache: TieredCache, limitMs = 10_000): Promise<void> {
    const key = `recovered ${this.name}`;
    await eventually(async () => {
      const { source } = await cache.lookup(key, () => 1);
      return source === 'l2' || source === 'l1';
    }, limitMs);
    this.#marksMs.set('t_recover', performance.now() - this.#healedAtMs);
  }

  /** Waits until every instance may use its L1 again. */
  async coherent(caches: readonly TieredCache[], limitMs = 10_000): Promise<void> {
    await eventually(
      () => caches.every(cache => cache.status().gate.open && cache.status().remote.state === 'up'),
      limitMs,
    );
    this.#marksMs.set('t_coherent', performance.now() - this.#healedAtMs);
  }

  /** The longest wait of a caller since the fault began. */
  get slowestMs(): number {
    return Math.max(0, ...this.#waitsMs);
  }

  /** Megabytes held now that were not held at the beginning. */
  heapMb(): number {
    return (heapBytes() - this.#heapBytes) / 1_048_576;
  }

  print(): void {
    const waits = [...this.#waitsMs].sort((a, b) => a - b);
    const p99 = waits[Math.floor(waits.length * 0.99)] ?? 0;
    const heapMb = this.heapMb();
    const parts = [
      ...[...this.#marksMs].map(([mark, ms]) => `${mark}=${Math.round(ms)}ms`),
      `t_fail_p99=${Math.round(p99)}ms`,
      `reads=${this.#waitsMs.length}`,
      `stale=${this.stale}`,
      `errors=${this.errors}`,
      `loads=${this.loads}`,
      `heap=${heapMb >= 0 ? '+' : ''}${heapMb.toFixed(1)}MB`,
      `handles=${signed(openHandles() - this.#handles)}`,
    ];
    process.stdout.write(`${this.name}: ${parts.join(' ')}\n`);
  }
}

/** What is held, after what is not has been collected. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

/** Files and sockets of this process, where the system tells. */
export function openHandles(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0; // not Linux: the measure is one of the printed line only
  }
}

function signed(count: number): string {
  return count >= 0 ? `+${count}` : String(count);
}
