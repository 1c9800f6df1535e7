import { RemoteUnavailableError } from './errors';
import type { Background } from './background';
import type { Clock, TimerHandle } from './clock';
import type { RemoteKey, RemoteStore } from './ports';

/** So many are remembered; beyond, a lease runs out by itself. */
const maxOwed = 1_000;
/** One whose command failed is given back once more after so long. */
const retryMs = 250;

/**
 * Gives leases back. One that could not be given back, or whose command failed so that nobody knows whether it was taken, is
 * owed until Redis answers again: somebody else would wait for it meanwhile. A single command may fail over a connection that
 * stays; then nobody says that Redis answers again, so it is tried again after a moment.
 */
export class Leases {
  readonly #owed = new Map<string, RemoteKey>();
  #retry: TimerHandle | undefined;
  #stopped = false;

  constructor(
    private readonly store: RemoteStore | undefined,
    private readonly background: Background,
    private readonly clock: Clock,
  ) {}

  get owed(): number {
    return this.#owed.size;
  }

  release(key: RemoteKey, token: string): void {
    if (!this.store) return;
    if (this.store.available) this.background.track(this.#release(this.store, key, token));
    else this.#owe(key, token);
  }

  /** Redis answers again. */
  releaseOwed(): void {
    const owed = [...this.#owed];
    this.#owed.clear();
    for (const [token, key] of owed) this.release(key, token);
  }

  stop(): void {
    this.#stopped = true;
    this.#retry?.cancel();
  }

  async #release(store: RemoteStore, key: RemoteKey, token: string): Promise<void> {
    try {
      await store.release(key, token);
    } catch (error) {
      if (!(error instanceof RemoteUnavailableError)) throw error;
      this.#owe(key, token);
    }
  }

  #owe(key: RemoteKey, token: string): void {
    if (this.#owed.size < maxOwed) this.#owed.set(token, key);
    if (this.#stopped) return;
    this.#retry ??= this.clock.schedule(retryMs, () => {
      this.#retry = undefined;
      // Away: whoever notices that it is back gives back what is owed.
      if (this.store?.available) this.releaseOwed();
    });
  }
}
