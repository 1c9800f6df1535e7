import { AsyncLocalStorage } from 'node:async_hooks';

/** So many looks in a row with nobody inside, and the storage is put to rest. */
const looksBeforeRest = 1_000;

/**
 * An `AsyncLocalStorage` that costs nothing while nobody is inside. Until Node 24 one that has run anything once has its hook
 * called for each timer, socket and promise of the process, for good: a twentieth of an HTTP hit. So it rests when nobody has
 * been inside for a while, and wakes with the next run. Inside is who runs until its promise settles: what goes on after that
 * without anybody waiting for it finds itself outside, sooner or later.
 */
export class ContextStorage<S> {
  readonly #storage = new AsyncLocalStorage<S>();
  #inside = 0;
  #looks = 0;
  #rests = true;

  current(): S | undefined {
    if (this.#inside === 0) {
      if (this.#rests) return undefined;
      this.#looks += 1;
      if (this.#looks >= looksBeforeRest) this.rest();
    }
    return this.#storage.getStore();
  }

  /** Nobody is expected soon. Nothing happens while somebody is inside. */
  rest(): void {
    if (this.#inside > 0 || this.#rests) return;
    this.#rests = true;
    this.#storage.disable();
  }

  run<R>(store: S, run: () => R): R {
    this.#inside += 1;
    this.#looks = 0;
    this.#rests = false;
    let result: R;
    try {
      result = this.#storage.run(store, run);
    } catch (error) {
      this.#inside -= 1;
      throw error;
    }
    const leave = (): void => void (this.#inside -= 1);
    if (result instanceof Promise) void result.then(leave, leave);
    else leave();
    return result;
  }
}
