import type { Redis } from 'ioredis';
import { disconnect } from '../../src/cache/redis/disconnect';
import type { KeyPlan } from './keyspace';
import type { Answer, Subject, Value, ValueLoader } from './subject';

const channel = 'naive:invalidate';
const prefix = 'naive:';
const ttlMs = 60_000;

interface Stored {
  value: Value;
  /** By the clock of whoever stored it. */
  storedAt: number;
  tags: readonly string[];
}

/**
 * The cache that most programs have: GET, and on a miss load and SET; DEL to invalidate, and a message for the other
 * instances' memory; tags as the time of their last invalidation. It is here to be caught.
 */
export class NaiveCache implements Subject {
  readonly #near = new Map<string, Stored>();
  readonly #flushed: (() => void)[] = [];

  private constructor(
    private readonly redis: Redis,
    private readonly subscriber: Redis,
    /** By how much the clock of this machine is wrong, in milliseconds. */
    private readonly skewMs: number,
  ) {
    subscriber.on('message', (_channel: string, message: string) => this.#near.delete(message));
    subscriber.on('close', () => this.#flushed.forEach(listener => listener()));
  }

  static async connect(redis: Redis, subscriber: Redis, skewMs: number): Promise<NaiveCache> {
    await Promise.all([redis, subscriber].map(client => client.connect()));
    await subscriber.subscribe(channel);
    return new NaiveCache(redis, subscriber, skewMs);
  }

  async read(plan: KeyPlan, loader: ValueLoader): Promise<Answer> {
    const near = this.#near.get(plan.key);
    if (near && (await this.#isValid(near))) return { value: near.value, via: 'L1', alone: false };
    const text = await this.redis.get(prefix + plan.key);
    const stored = text === null ? undefined : (JSON.parse(text) as Stored);
    if (stored && (await this.#isValid(stored))) {
      this.#near.set(plan.key, stored);
      return { value: stored.value, via: 'L2', alone: false };
    }
    const tags = [...plan.tags];
    const value = await loader((...more) => tags.push(...more));
    await this.#store(plan.key, { value, storedAt: this.#now(), tags });
    return { value, via: 'LOAD', alone: false };
  }

  async peek(plan: KeyPlan): Promise<Value | undefined> {
    const text = await this.redis.get(prefix + plan.key);
    return text === null ? undefined : (JSON.parse(text) as Stored).value;
  }

  async invalidate(keys: readonly string[], tags: readonly string[]): Promise<boolean> {
    for (const tag of tags) await this.redis.set(`${prefix}tag:${tag}`, this.#now());
    for (const key of keys) {
      this.#near.delete(key);
      await this.redis.del(prefix + key);
      await this.redis.publish(channel, key);
    }
    return true;
  }

  async set(plan: KeyPlan, value: Value): Promise<boolean> {
    await this.#store(plan.key, { value, storedAt: this.#now(), tags: plan.tags });
    await this.redis.publish(channel, plan.key);
    return true;
  }

  async clearMatching(pattern: string): Promise<boolean> {
    const found = await this.redis.keys(prefix + pattern);
    await this.invalidate(
      found.map(name => name.slice(prefix.length)),
      [],
    );
    return true;
  }

  isWell(): boolean {
    return this.redis.status === 'ready' && this.subscriber.status === 'ready';
  }

  onFlush(listener: () => void): void {
    this.#flushed.push(listener);
  }

  async close(): Promise<void> {
    await Promise.all([disconnect(this.redis), disconnect(this.subscriber)]);
  }

  async #store(key: string, stored: Stored): Promise<void> {
    this.#near.set(key, stored);
    await this.redis.set(prefix + key, JSON.stringify(stored), 'PX', ttlMs);
  }

  async #isValid({ storedAt, tags }: Stored): Promise<boolean> {
    if (tags.length === 0) return true;
    const times = await this.redis.mget(tags.map(tag => `${prefix}tag:${tag}`));
    return times.every(time => time === null || Number(time) < storedAt);
  }

  #now(): number {
    return Date.now() + this.skewMs;
  }
}
