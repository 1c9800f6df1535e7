import type { CacheAnswer, PolicyOptions } from '../../src/cache/core';

/** What a child is started with. */
export interface ChildOptions {
  redisPort: number;
  maxL1StalenessMs: number;
  /** Where its tracking connection goes instead: a proxy. */
  trackerPort?: number;
}

/** From the parent. */
export type ToChild =
  | { kind: 'lookup'; id: number; key: string; policy: PolicyOptions }
  | { kind: 'status'; id: number }
  | { kind: 'close'; id: number }
  | { kind: 'loaded'; id: number; value: unknown };

/** From the child: an answer, or a loader that asks for a value. */
export type FromChild =
  | { kind: 'ready' }
  | { kind: 'answer'; id: number; answer: ChildAnswer }
  | { kind: 'load'; id: number; key: string };

export interface ChildAnswer {
  lookup?: CacheAnswer<unknown>;
  gateOpen?: boolean;
  error?: string;
}
