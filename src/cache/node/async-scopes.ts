import { AsyncResource } from 'node:async_hooks';
import type { AsyncPlace, ScopeContext } from '../core';
import { ContextStorage } from './context-storage';

/** The async context of Node as the core's `ScopeContext`. */
export class AsyncScopes<S> extends ContextStorage<S | undefined> implements ScopeContext<S> {
  place(): AsyncPlace {
    return new AsyncResource('sutazai.cache');
  }
}
