import type { MissCause, Outcome, AnswerSource } from './outcomes';
import type { FlushReason, RemoteOperation, RemoteStatus } from './ports';
import type { Purpose } from './load-scope';

/** What the cache tells whoever listens. It never logs; the Nest layer turns some of these into log lines. */
export interface CacheEventMap {
  /** A read was answered, counted or not. */
  read: {
    key: string;
    policy: string;
    outcome: Outcome;
    cause: MissCause | undefined;
    source: AnswerSource | undefined;
    stored: boolean;
    /** This read has begun a load behind its answer. */
    refreshing: boolean;
    purpose: Purpose;
  };
  /** A loader settled. */
  load: { key: string; policy: string; durationMs: number; error: unknown; refresh: boolean };
  /** An invalidation was made here. */
  invalidate: { keys: number; tags: number; queued: boolean };
  /** The shared tier came, went, or its breaker changed state. */
  remote: RemoteStatus;
  /** L1 was emptied or became suspect. */
  flush: { reason: FlushReason };
  /** The shared tier has answered, or has failed to. */
  operation: { operation: RemoteOperation; durationMs: number; failed: boolean };
  /** Word of a change took so long to come here, as measured with a canary. */
  canary: { lagMs: number };
  /** Changes in the shared tier are not heard although it answers, for this reason; undefined: they are heard again. */
  tracking: { reason: string | undefined };
  /** A loaded value could not be stored: too large, or not serialisable. */
  rejected: { key: string; policy: string; error: Error };
  /** An entry was there but unreadable. */
  corrupt: { key: string; reason: string };
}

export type CacheEventName = keyof CacheEventMap;
type Listener<N extends CacheEventName> = (event: CacheEventMap[N]) => void;

/** Typed events. A listener that throws is counted and does not disturb the read that it listened to. */
export class CacheEvents {
  readonly #listeners = new Map<CacheEventName, Set<Listener<never>>>();
  /** `heard('read')`, for the way of a hit: there a look into a map is much. */
  hearsReads = false;
  /** Errors thrown by listeners, and the last of them. */
  listenerErrors = 0;
  lastListenerError: unknown;

  /** Returns the function that stops listening. */
  on<N extends CacheEventName>(name: N, listener: Listener<N>): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener);
    this.hearsReads = this.heard('read');
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(name);
      this.hearsReads = this.heard('read');
    };
  }

  /** Whether anyone listens: lets a hot path skip building the event. */
  heard(name: CacheEventName): boolean {
    return this.#listeners.has(name);
  }

  emit<N extends CacheEventName>(name: N, event: CacheEventMap[N]): void {
    const listeners = this.#listeners.get(name);
    if (!listeners) return;
    for (const listener of listeners) {
      try {
        (listener as Listener<N>)(event);
      } catch (error) {
        this.listenerErrors += 1;
        this.lastListenerError = error;
      }
    }
  }
}
