import type { TieredCache } from '../../src/cache/core';
import type { KeyPlan } from './keyspace';
import type { Via } from './records';

/** What is stored under a key of the history. */
export interface Value {
  key: string;
  version: number;
  /** Versions of inner values, by key. */
  inner: Record<string, number>;
}

/** Loads a value; hands over the tags that only it knows. */
export type ValueLoader = (addTags: (...tags: string[]) => void) => Promise<Value>;

export interface Answer {
  value: Value;
  via: Via;
  /** Redis could not be asked. */
  alone: boolean;
}

/** A cache whose history is taken, whatever it is. */
export interface Subject {
  read(plan: KeyPlan, loader: ValueLoader): Promise<Answer>;
  /** Without loading. */
  peek(plan: KeyPlan): Promise<Value | undefined>;
  /** Whether it is confirmed. */
  invalidate(keys: readonly string[], tags: readonly string[]): Promise<boolean>;
  /** Whether the value is stored and everything older gone. */
  set(plan: KeyPlan, value: Value): Promise<boolean>;
  /** Whether it is confirmed; undefined when this cache cannot do it. */
  clearMatching(pattern: string): Promise<boolean>;
  /** Whether it is in full service: everything is connected and nothing is owed. */
  isWell(): boolean;
  onFlush(listener: () => void): void;
  close(): Promise<void>;
}

/** Ours. */
export class TieredSubject implements Subject {
  constructor(private readonly cache: TieredCache) {}

  async read(plan: KeyPlan, loader: ValueLoader): Promise<Answer> {
    const dynamicTags = plan.loaderTags.length > 0;
    const answer = await this.cache.lookup(plan.key, load => loader((...tags) => load.addTags(...tags)), {
      policy: plan.policy,
      tags: plan.tags,
      dynamicTags,
    });
    const via = answer.outcome === 'stale_hit' ? 'STALE' : viaOf[answer.source ?? 'load'];
    return { value: answer.value, via, alone: answer.cause === 'redis_down' };
  }

  peek({ key, policy }: KeyPlan): Promise<Value | undefined> {
    return this.cache.get<Value>(key, { policy });
  }

  async invalidate(keys: readonly string[], tags: readonly string[]): Promise<boolean> {
    return (await this.cache.invalidate({ keys, tags })).applied;
  }

  async set({ key, policy, tags }: KeyPlan, value: Value): Promise<boolean> {
    return (await this.cache.set(key, value, { policy, tags, version: value.version })).applied;
  }

  async clearMatching(pattern: string): Promise<boolean> {
    return (await this.cache.clearMatching(pattern)).done;
  }

  isWell(): boolean {
    const { remote, gate, pendingInvalidations } = this.cache.status();
    return remote.state === 'up' && gate.open && pendingInvalidations === 0;
  }

  onFlush(listener: () => void): void {
    this.cache.events.on('flush', listener);
  }

  close(): Promise<void> {
    return this.cache.close();
  }
}

const viaOf = { l1: 'L1', l2: 'L2', load: 'LOAD' } as const;
