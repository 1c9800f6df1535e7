import { AsyncLocalStorage } from 'node:async_hooks';
import type { ScopeContext } from '../core';

/** The async context of Node as the core's `ScopeContext`. */
export class AsyncScopes<S> implements ScopeContext<S> {
  readonly #storage = new AsyncLocalStorage<S | undefined>();

  current(): S | undefined {
    return this.#storage.getStore();
  }

  run<R>(scope: S | undefined, run: () => R): R {
    return this.#storage.run(scope, run);
  }
}
